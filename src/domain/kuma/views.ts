/**
 * How a service is checked: by default, and as its consumers see it where that differs (docs/peers/kuma.md 40). What
 * applies depends on the objects alone. Policies are sorted by service first; of consumers that no policy tells apart one
 * is looked at, and policies that reach several consumers together are merged once.
 */
import { type Contribution, contributionsTo, type MergedConf, mergeSteps } from './conf-merge.ts'
import { type Service, Work } from './destinations.ts'
import { defaultHealthCheck, selectHealthCheck, tagSetsOf } from './health-check-selection.ts'
import { PROXIES_OF_STEP, VIEWS_OF_SERVICE_MAX } from './limits.ts'
import {
  monitorOfHealthCheck,
  monitorOfMeshHealthCheck,
  type KumaMonitor,
  type MonitorOrNone,
} from './monitor-of-conf.ts'
import {
  byName,
  type Dataplane,
  type HealthCheck,
  type HealthCheckConf,
  type Mesh,
  type MeshHealthCheck,
  type MeshHealthCheckConf,
  SERVICE_TAG,
  type Tags,
} from './objects.ts'
import { reachesProxy } from './target-ref.ts'

/** What applies to a service in one view: the conf, and the policy that each field comes from. */
export interface Applied {
  readonly policyType: 'HealthCheck' | 'MeshHealthCheck'
  readonly conf: HealthCheckConf | MeshHealthCheckConf
  readonly from: MergedConf['from']
  readonly monitor: MonitorOrNone
}

/** A view of a consumer that differs from the default one. */
export interface ConsumerView {
  readonly applied: Applied & { readonly monitor: KumaMonitor }
  /** A consumer that has this view: the one with the smallest name. */
  readonly consumer: string
}

export interface ServiceViews {
  readonly service: Service
  /** Decides the status; undefined = no policy reaches the service. */
  readonly byDefault?: Applied
  /** At most VIEWS_OF_SERVICE_MAX, those of the consumers with the smallest names. */
  readonly ofConsumers: readonly ConsumerView[]
}

/** The policies that reach one service. */
interface Reaching {
  readonly healthChecks: readonly HealthCheck[]
  readonly contributions: readonly Contribution[]
}

/**
 * The views of all services, one service or consumer a step: whoever runs the steps lets others have their turn in between. Throws
 * TOO_MANY_ITEMS when the policies are too many for the services and their consumers.
 */
export function* viewSteps(
  mesh: Mesh,
  services: readonly Service[],
): Generator<undefined, readonly ServiceViews[]> {
  const destinations = mesh.healthChecks.reduce((sum, each) => sum + each.destinations.length, 0)
  const entries = mesh.meshHealthChecks.reduce((sum, { to }) => sum + to.length, destinations)
  const work = new Work()
  work.add(entries * services.length)
  const consumers = yield* consumerSteps(mesh, byOutbound(services))
  const views: ServiceViews[] = []
  for (const service of services) {
    yield
    const policies = policiesOf(mesh, service)
    const own = consumers.get(service) ?? []
    work.add(consumerWork(policies, own))
    work.addMerges(policies.contributions.length)
    const byDefault = yield* defaultSteps(policies, service)
    views.push({
      service,
      ...(byDefault === undefined ? {} : { byDefault }),
      ofConsumers: yield* consumerViewSteps(policies, { service, byDefault, consumers: own, work }),
    })
  }
  return views
}

/** Each selector is compared with each set of tags of a consumer. */
function consumerWork({ healthChecks, contributions }: Reaching, consumers: readonly Dataplane[]): number {
  const tagSets = consumers.reduce((sum, proxy) => sum + tagSetsOf(proxy).length, 0)
  return tagSets * (contributions.length + sourcesOf(healthChecks))
}

/** How many selectors of sources these policies have. */
export function sourcesOf(healthChecks: readonly HealthCheck[]): number {
  return healthChecks.reduce((sum, { sources }) => sum + sources.length, 0)
}

function policiesOf({ healthChecks, meshHealthChecks }: Mesh, { destination }: Service): Reaching {
  return {
    // Of services that are known as resources the older policies know nothing.
    healthChecks:
      destination.by === 'tag'
        ? healthChecks.filter(({ destinations }) =>
            destinations.some((tags) => {
              const named = tags[SERVICE_TAG]
              return named === '*' || named === destination.service
            }),
          )
        : [],
    contributions: contributionsTo(meshHealthChecks, destination),
  }
}

/**
 * Without a consumer: the policies for all proxies, and where there are none, all that reach the service. Users often
 * register only the destinations.
 */
function* defaultSteps(
  { healthChecks, contributions }: Reaching,
  service: Service,
): Generator<undefined, Applied | undefined> {
  const forAll = contributions.filter(({ policy }) => isForSidecars(policy))
  const newer = yield* appliedSteps(forAll.length > 0 ? forAll : contributions, service)
  if (newer !== undefined && !('none' in newer.monitor)) return newer
  const { destination } = service
  const older = destination.by === 'tag' ? defaultHealthCheck(healthChecks, destination.service) : undefined
  return older === undefined ? newer : appliedOlder(older)
}

function isForSidecars({ targetRef }: MeshHealthCheck): boolean {
  if (targetRef === undefined) return true
  const { kind, proxyTypes = [] } = targetRef
  return kind === 'Mesh' && (proxyTypes.length === 0 || proxyTypes.includes('Sidecar'))
}

function* appliedSteps(
  contributions: readonly Contribution[],
  { protocol }: Service,
): Generator<undefined, Applied | undefined> {
  if (contributions.length === 0) return undefined
  const { conf, from } = yield* mergeSteps(contributions)
  return { policyType: 'MeshHealthCheck', conf, from, monitor: monitorOfMeshHealthCheck(conf, protocol) }
}

function appliedOlder({ name, conf }: HealthCheck): Applied {
  return {
    policyType: 'HealthCheck',
    conf,
    from: Object.fromEntries(Object.keys(conf).map((field) => [field, name])),
    monitor: monitorOfHealthCheck(conf),
  }
}

interface Consumed {
  readonly service: Service
  readonly byDefault: Applied | undefined
  readonly consumers: readonly Dataplane[]
  readonly work: Work
}

/** One consumer a step. */
function* consumerViewSteps(
  policies: Reaching,
  { service, byDefault, consumers, work }: Consumed,
): Generator<undefined, readonly ConsumerView[]> {
  const views = new Map<string, ConsumerView>()
  const known = byDefault && JSON.stringify(byDefault.monitor)
  const appliedTo = appliedOnce(service, work)
  for (const proxy of consumers) {
    yield
    const applied = yield* consumerApplied(policies, { service, proxy, appliedTo })
    if (applied === undefined || 'none' in applied.monitor) continue
    const key = JSON.stringify(applied.monitor)
    if (key === known || views.has(key)) continue
    views.set(key, { applied: { ...applied, monitor: applied.monitor }, consumer: proxy.name })
    if (views.size === VIEWS_OF_SERVICE_MAX) break
  }
  return [...views.values()]
}

/** What these contributions say of a service. `places`: of these among all of the service. */
type AppliedTo = (
  contributions: readonly Contribution[],
  places: readonly number[],
) => Generator<undefined, Applied | undefined>

/** Merges each set of contributions once. Throws TOO_MANY_ITEMS when there are too many sets. */
function appliedOnce(service: Service, work: Work): AppliedTo {
  const known = new Map<string, Applied | undefined>()
  return function* (contributions, places) {
    const key = places.join()
    if (!known.has(key)) {
      work.addMerges(contributions.length)
      known.set(key, yield* appliedSteps(contributions, service))
    }
    return known.get(key)
  }
}

interface Consumer {
  readonly service: Service
  readonly proxy: Dataplane
  readonly appliedTo: AppliedTo
}

/** What one proxy checks: where both generations have a policy, the newer one decides. */
function* consumerApplied(
  { healthChecks, contributions }: Reaching,
  { service, proxy, appliedTo }: Consumer,
): Generator<undefined, Applied | undefined> {
  const reaching: Contribution[] = []
  const places: number[] = []
  for (const [place, contribution] of contributions.entries()) {
    if (!reachesProxy(contribution.policy.targetRef, proxy)) continue
    reaching.push(contribution)
    places.push(place)
  }
  const newer = yield* appliedTo(reaching, places)
  if (newer !== undefined && !('none' in newer.monitor)) return newer
  const { destination } = service
  if (destination.by !== 'tag') return newer
  const older = selectHealthCheck(healthChecks, tagSetsOf(proxy), destination.service)
  return older === undefined ? newer : appliedOlder(older)
}

/** Services as outbounds name them: by their tag, or as a MeshService, all ports of it. */
interface ByOutbound {
  readonly byTag: ReadonlyMap<string, readonly Service[]>
  readonly byName: ReadonlyMap<string, readonly Service[]>
}

function byOutbound(services: readonly Service[]): ByOutbound {
  const maps = { byTag: new Map<string, Service[]>(), byName: new Map<string, Service[]>() }
  for (const service of services) {
    const { destination } = service
    const [map, name] =
      destination.by === 'tag'
        ? [maps.byTag, destination.service]
        : [maps.byName, destination.service?.name ?? '']
    const known = map.get(name)
    if (known === undefined) map.set(name, [service])
    else known.push(service)
  }
  return maps
}

/**
 * One proxy of each kind that consumes a service: those of one kind have the same policies. Sorted by their names. Some proxies
 * a step.
 */
function* consumerSteps(
  mesh: Mesh,
  services: ByOutbound,
): Generator<undefined, ReadonlyMap<Service, readonly Dataplane[]>> {
  const kindOf = kindsOf(mesh)
  const consumers = new Map<Service, Map<string, Dataplane>>()
  const sorted = mesh.dataplanes.filter(({ outbounds }) => outbounds.length > 0)
  for (const [i, proxy] of sorted.toSorted(byName).entries()) {
    if (i % PROXIES_OF_STEP === 0) yield
    const kind = kindOf(proxy)
    for (const { tags, backendRef } of proxy.outbounds) {
      const named =
        backendRef?.name === undefined
          ? services.byTag.get(tags?.[SERVICE_TAG] ?? '')
          : services.byName.get(backendRef.name)
      for (const service of named ?? []) {
        const known = consumers.get(service) ?? new Map<string, Dataplane>()
        if (!known.has(kind)) known.set(kind, proxy)
        consumers.set(service, known)
      }
    }
  }
  return new Map([...consumers].map(([service, kinds]) => [service, [...kinds.values()]]))
}

/** A key that two proxies share only if every policy is for both of them or for neither. */
function kindsOf({ healthChecks, meshHealthChecks }: Mesh): (proxy: Dataplane) => string {
  const tops = meshHealthChecks.flatMap(({ targetRef }) => (targetRef === undefined ? [] : [targetRef]))
  const tagKeys = sortedSet([
    SERVICE_TAG,
    ...healthChecks.flatMap(({ sources }) => sources.flatMap((tags) => Object.keys(tags))),
    ...tops.flatMap(({ tags = {} }) => Object.keys(tags)),
  ])
  const labelKeys = sortedSet(tops.flatMap(({ labels = {} }) => Object.keys(labels)))
  const names = new Set(tops.flatMap(({ kind, name }) => (kind === 'Dataplane' ? [name] : [])))
  return (proxy) =>
    JSON.stringify([
      proxy.gateway === undefined ? '' : (proxy.gateway.type ?? 'DELEGATED'),
      names.has(proxy.name) ? proxy.name : '',
      valuesOf(proxy.labels, labelKeys),
      [...new Set(tagSetsOf(proxy).map((tags) => JSON.stringify(valuesOf(tags, tagKeys))))],
    ])
}

function sortedSet(keys: readonly string[]): readonly string[] {
  return [...new Set(keys)].toSorted()
}

/** The values of these keys, each with the place of its key. */
function valuesOf(tags: Tags, keys: readonly string[]): readonly (string | number)[] {
  const values: (string | number)[] = []
  for (const [place, key] of keys.entries()) if (Object.hasOwn(tags, key)) values.push(place, tags[key] ?? '')
  return values
}
