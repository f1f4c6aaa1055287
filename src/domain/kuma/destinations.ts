/**
 * The services of a mesh and who is behind them: by the tag of the inbounds, and as MeshServices with their ports
 * (docs/peers/kuma.md 40). Pure.
 */
import { DomainError } from '../errors.ts'
import { COMPARISONS_MAX, COMPARISONS_OF_MERGE, PROXIES_OF_STEP } from './limits.ts'
import {
  byName,
  type Dataplane,
  type Inbound,
  type Mesh,
  type MeshService,
  type MeshServicePort,
  PROTOCOL_TAG,
  SERVICE_TAG,
} from './objects.ts'
import type { Destination } from './target-ref.ts'
import { hasLabels, selects } from './tags.ts'

/** An inbound of a proxy: what becomes a member. */
export interface Endpoint {
  readonly dataplane: Dataplane
  readonly inbound: Inbound
}

/** What consumers check, with those who are behind it. */
export interface Service {
  /** `backend`, or `api:http` for a port of a MeshService; unique with `kind`. */
  readonly name: string
  readonly kind: 'service' | 'meshservice'
  readonly destination: Destination
  /** What all of them speak; `tcp` when they differ or do not say. */
  readonly protocol: string
  readonly endpoints: readonly Endpoint[]
}

/** Counts the comparisons and merges that a write needs; those of a mesh that is too large for its policies are not made. */
export class Work {
  #left = COMPARISONS_MAX

  /** Throws TOO_MANY_ITEMS. */
  add(comparisons: number): void {
    this.#left -= comparisons
    if (this.#left >= 0) return
    throw new DomainError(
      'TOO_MANY_ITEMS',
      'The policies and services of the mesh are too many for its proxies: divide it into several meshes.',
    )
  }

  /** Throws TOO_MANY_ITEMS. */
  addMerges(merges: number): void {
    this.add(merges * COMPARISONS_OF_MERGE)
  }
}

/**
 * All services of a mesh, sorted; each inbound is behind the service of its tag, and perhaps of MeshServices too. In steps of
 * some proxies, one service or one port each. Throws TOO_MANY_ITEMS.
 */
export function* serviceSteps(
  mesh: Pick<Mesh, 'dataplanes' | 'meshServices'>,
): Generator<undefined, readonly Service[]> {
  const dataplanes = mesh.dataplanes.toSorted(byName)
  const inbounds = dataplanes.reduce((sum, each) => sum + each.inbounds.length, 0)
  new Work().add(inbounds * mesh.meshServices.reduce((sum, { ports }) => sum + ports.length, 0))
  const services = [...(yield* byTagSteps(dataplanes))]
  for (const service of mesh.meshServices.toSorted(byName))
    services.push(...(yield* portSteps(dataplanes, service)))
  return services
}

function* byTagSteps(dataplanes: readonly Dataplane[]): Generator<undefined, readonly Service[]> {
  const behind = new Map<string, Endpoint[]>()
  for (const [i, dataplane] of dataplanes.entries()) {
    if (i % PROXIES_OF_STEP === 0) yield
    for (const inbound of dataplane.inbounds) {
      const name = inbound.tags[SERVICE_TAG]
      if (name === undefined || inbound.state === 'Ignored') continue
      const endpoints = behind.get(name)
      if (endpoints === undefined) behind.set(name, [{ dataplane, inbound }])
      else endpoints.push({ dataplane, inbound })
    }
  }
  const services: Service[] = []
  for (const [name, endpoints] of behind) {
    yield
    const protocol = commonProtocol(endpoints)
    services.push({ name, kind: 'service', destination: { by: 'tag', service: name }, protocol, endpoints })
  }
  return services.toSorted(byName)
}

function* portSteps(
  dataplanes: readonly Dataplane[],
  service: MeshService,
): Generator<undefined, readonly Service[]> {
  const names = portNames(service)
  const ports: Service[] = []
  for (const [i, port] of service.ports.entries()) {
    yield
    const endpoints = dataplanes.flatMap((dataplane) =>
      dataplane.inbounds
        .filter((inbound) => isBehind(service, port, { dataplane, inbound }))
        .map((inbound) => ({ dataplane, inbound })),
    )
    ports.push({
      name: `${service.name}:${names[i]}`,
      kind: 'meshservice',
      destination: { by: 'resource', service, port },
      protocol: port.appProtocol ?? commonProtocol(endpoints),
      endpoints,
    })
  }
  return ports
}

/**
 * What the ports are called: by their names, or by their numbers. In services that were stored before ports had to differ, a later
 * one of the same name has its place behind the name.
 */
function portNames({ ports }: MeshService): readonly string[] {
  const taken = new Set<string>()
  return ports.map(({ name, port }, i) => {
    let own = name ?? String(port)
    while (taken.has(own)) own = `${own}#${i}`
    taken.add(own)
    return own
  })
}

/** Whether a port of a MeshService leads to this inbound: by the selector, and by number or name of the target port. */
export function isBehind(
  { selector }: MeshService,
  port: MeshServicePort,
  { dataplane, inbound }: Endpoint,
): boolean {
  if (inbound.state === 'Ignored') return false
  const { dataplaneTags, dataplaneLabels, dataplaneRef } = selector
  const isSelected =
    dataplaneRef?.name !== undefined
      ? dataplaneRef.name === dataplane.name
      : dataplaneLabels !== undefined
        ? hasLabels(dataplane.labels, dataplaneLabels)
        : dataplaneTags !== undefined && selects(dataplaneTags, inbound.tags)
  if (!isSelected) return false
  const target = port.targetPort ?? port.port
  return typeof target === 'number' ? target === inbound.port : target === inbound.name
}

function commonProtocol(endpoints: readonly Endpoint[]): string {
  const spoken = new Set(endpoints.map(({ inbound }) => inbound.tags[PROTOCOL_TAG] ?? 'tcp'))
  const [only] = spoken
  return spoken.size === 1 && only !== undefined ? only : 'tcp'
}
