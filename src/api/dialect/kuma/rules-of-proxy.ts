/**
 * The rules of a proxy (docs/peers/kuma.md 61): merged confs, by tags of services for those that policies name, then by
 * resources. Each rule repeats its policies as its origin, so the bytes of the answer have a bound.
 */
import { type Contribution, contributionsTo, mergeConfs } from '../../../domain/kuma/conf-merge.ts'
import { Work } from '../../../domain/kuma/destinations.ts'
import { DomainError } from '../../../domain/errors.ts'
import { RULES_MAX_BYTES } from '../../../domain/kuma/limits.ts'
import {
  byName,
  type Dataplane,
  type Mesh,
  type MeshHealthCheck,
  SERVICE_TAG,
  type TargetRef,
} from '../../../domain/kuma/objects.ts'
import { type Destination, reachesProxy, toLevel } from '../../../domain/kuma/target-ref.ts'
import type { ResourceRow } from '../../../store/kuma/resources.ts'
import { mapInSlices } from '../../http/slices.ts'
import type { Shown } from './render.ts'

/** A proxy among all objects of its mesh. */
export interface ProxyOfMesh {
  readonly mesh: Mesh
  /** Of the mesh. */
  readonly name: string | undefined
  readonly rows: readonly ResourceRow[]
  readonly proxy: Dataplane
}

/** In slices of the sharer. Throws TOO_MANY_ITEMS when the policies are too many, or the rules too many bytes. */
export async function rulesOf(
  { mesh, name, rows, proxy }: ProxyOfMesh,
  sharer: string,
): Promise<readonly Shown[]> {
  const policies = mesh.meshHealthChecks.filter(({ targetRef }) => reachesProxy(targetRef, proxy))
  const refs = policies.flatMap(({ to }) => to.map(({ targetRef }) => targetRef))
  const services = new Set(
    refs.flatMap((ref) => (ref.kind === 'MeshService' && ref.name !== undefined ? [ref.name] : [])),
  )
  const resources = await resourcesOf(mesh, refs, sharer)
  new Work().add(refs.length * (services.size + 1 + resources.length))
  const rules = new BoundedRules(policies, policyMeta(name, rows))
  const toRules: Shown[] = []
  await inEachSlice(sharer, [...[...services].toSorted(), undefined], (service) => {
    toRules.push(...rules.toService(service))
  })
  const toResourceRules: Shown[] = []
  await inEachSlice(sharer, resources, (resource) => {
    toResourceRules.push(...rules.toResource(resource))
  })
  if (toRules.length + toResourceRules.length === 0) return []
  return [
    { type: 'MeshHealthCheck', fromRules: [], inboundRules: [], toRules, toResourceRules, warnings: [] },
  ]
}

/** A rule may take as long as a slice. */
async function inEachSlice<Item>(
  sharer: string,
  items: readonly Item[],
  work: (item: Item) => void,
): Promise<void> {
  await mapInSlices(sharer, items, work, { lookEvery: 1 })
}

/** Makes rules until there are too many bytes of them. */
class BoundedRules {
  readonly #policies: readonly MeshHealthCheck[]
  readonly #metaOf: (policy: string) => Shown
  readonly #work = new Work()
  #room = RULES_MAX_BYTES

  constructor(policies: readonly MeshHealthCheck[], metaOf: (policy: string) => Shown) {
    this.#policies = policies
    this.#metaOf = metaOf
  }

  /** By the tag of a service; undefined = of all others. */
  toService(service: string | undefined): readonly Shown[] {
    const contributions = this.#contributionsTo({ by: 'tag', service: service ?? '' })
    if (contributions.length === 0) return []
    const matchers = service === undefined ? [] : [{ key: SERVICE_TAG, value: service, not: false }]
    const origin = [...new Set(contributions.map(({ policy }) => policy.name))].map(this.#metaOf)
    return [this.#bounded({ conf: mergeConfs(contributions).conf, matchers, origin })]
  }

  toResource({ destination, resourceMeta, section }: NamedResource): readonly Shown[] {
    const contributions = this.#contributionsTo(destination)
    if (contributions.length === 0) return []
    const origin = contributions.map(({ policy, index }) => ({
      resourceMeta: this.#metaOf(policy.name),
      ruleIndex: index,
    }))
    const conf = [mergeConfs(contributions).conf]
    return [this.#bounded({ conf, origin, resourceMeta, resourceSectionName: section })]
  }

  #contributionsTo(destination: Destination): readonly Contribution[] {
    const contributions = contributionsTo(this.#policies, destination)
    this.#work.addMerges(contributions.length)
    return contributions
  }

  #bounded(rule: Shown): Shown {
    this.#room -= Buffer.byteLength(JSON.stringify(rule))
    if (this.#room >= 0) return rule
    throw new DomainError(
      'TOO_MANY_ITEMS',
      `The rules of the proxy are too many: with their policies they are more than ${RULES_MAX_BYTES} bytes.`,
    )
  }
}

/** A policy as the origin of a rule. */
function policyMeta(mesh: string | undefined, rows: readonly ResourceRow[]): (name: string) => Shown {
  const labels = new Map(
    rows.flatMap((row) => (row.type === 'MeshHealthCheck' ? [[row.name, row.labels]] : [])),
  )
  return (name) => ({ labels: labels.get(name) ?? {}, mesh, name, type: 'MeshHealthCheck' })
}

interface NamedResource {
  readonly destination: Destination
  readonly resourceMeta: Shown
  readonly section: string
}

/** What rules are about as resources: the mesh, and the services, or ports of them, that a policy names. */
async function resourcesOf(
  { meshServices }: Mesh,
  refs: readonly TargetRef[],
  sharer: string,
): Promise<readonly NamedResource[]> {
  const everything: NamedResource = {
    destination: { by: 'resource' },
    resourceMeta: { labels: {}, mesh: '', name: 'default', type: 'Mesh' },
    section: '',
  }
  const services = meshServices.toSorted(byName).flatMap((service) => {
    const resourceMeta = { labels: service.labels, name: service.name, type: 'MeshService' }
    const whole: NamedResource = { destination: { by: 'resource', service }, resourceMeta, section: '' }
    const ports = service.ports.map(
      (port): NamedResource => ({
        destination: { by: 'resource', service, port },
        resourceMeta,
        section: port.name ?? String(port.port),
      }),
    )
    return [whole, ...ports]
  })
  new Work().add(refs.length * services.length)
  const named: NamedResource[] = []
  await inEachSlice(sharer, services, (resource) => {
    const level = resource.section === '' ? 1 : 2
    if (refs.some((ref) => toLevel(ref, resource.destination) === level)) named.push(resource)
  })
  return [...named, everything]
}
