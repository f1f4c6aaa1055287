/**
 * From the objects of a mesh to what is probed (docs/peers/kuma.md 40 to 47): a pool with one monitor for each service and
 * each distinct way to check it. Pure: the same objects give the same pools, with the same keys, whatever was before.
 */
import { DomainError } from '../errors.ts'
import { type IpAddress, parseAddress, wireAddress } from '../address/ip-address.ts'
import { AUTHORITY } from '../options/header-forms.ts'
import { serviceSteps, type Endpoint, type Service } from './destinations.ts'
import { fnv1a } from './fnv1a.ts'
import { MEMBERS_OF_MESH_MAX, PROXIES_OF_STEP } from './limits.ts'
import { type KumaMonitor, monitorOfServiceProbe } from './monitor-of-conf.ts'
import { byName, type Mesh, SERVICE_TAG, type Tags } from './objects.ts'
import type { ProbedSide } from './probed-side.ts'
import { type Applied, type ServiceViews, viewSteps } from './views.ts'

/** One or several inbounds as they are probed: those of one pool that share an address and port. */
export interface WantedMember {
  /** `dataplane:port` of each inbound, also where another port is probed. */
  readonly inbounds: readonly string[]
  /** In one spelling. */
  readonly address: string
  readonly port: number
  /** Of the first one. */
  readonly tags: Tags
}

export interface WantedPool {
  /** Tells pools of one mesh apart; it stays the same when the conf of its service changes. */
  readonly key: string
  /** For people: the service, and whose view it is. */
  readonly name: string
  readonly monitor: KumaMonitor
  readonly members: readonly WantedMember[]
  /** Its verdicts are the health of the inbounds; the other views are probed beside it. */
  readonly decides: boolean
}

/** Why an inbound that a policy reaches is not probed. */
export interface Unprobed {
  readonly member: string
  readonly pool: string
  readonly why: string
}

export interface WantedPools {
  readonly pools: readonly WantedPool[]
  readonly unprobed: readonly Unprobed[]
  /** How each service is checked, with the policies that say so. */
  readonly views: readonly ServiceViews[]
}

/** What a mesh has probed. Throws TOO_MANY_ITEMS. */
export function wantedPoolsOf(mesh: Mesh): WantedPools {
  const steps = wantedPoolSteps(mesh)
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/** The same in steps of one service, consumer or proxy each. */
export function* wantedPoolSteps(mesh: Mesh): Generator<undefined, WantedPools> {
  const views = yield* viewSteps(mesh, yield* serviceSteps(mesh))
  const monitors = new Map(
    views.flatMap(({ service, byDefault }) =>
      service.kind === 'service' && byDefault !== undefined
        ? [[service.name, JSON.stringify(byDefault.monitor)]]
        : [],
    ),
  )
  const all: PoolAndRest[] = []
  for (const view of views) {
    yield
    all.push(...poolsOf(view, monitors, mesh.probed))
  }
  all.push(...(yield* probePoolSteps(mesh)))
  assertMembers(all)
  return {
    pools: all.map(({ pool }) => pool).filter(({ members }) => members.length > 0),
    unprobed: all.flatMap(({ unprobed }) => unprobed),
    views,
  }
}

/** Throws TOO_MANY_ITEMS. */
function assertMembers(pools: readonly PoolAndRest[]): void {
  const members = pools.reduce((sum, { pool }) => sum + pool.members.length, 0)
  if (members <= MEMBERS_OF_MESH_MAX) return
  throw new DomainError(
    'TOO_MANY_ITEMS',
    `The policies of the mesh would have ${members} inbounds probed, counted in each way in which they are; at most ${MEMBERS_OF_MESH_MAX} can be: divide it into several meshes.`,
  )
}

interface PoolAndRest {
  readonly pool: WantedPool
  readonly unprobed: readonly Unprobed[]
}

function poolsOf(
  { service, byDefault, ofConsumers }: ServiceViews,
  monitors: ReadonlyMap<string, string>,
  probed: ProbedSide,
): readonly PoolAndRest[] {
  if (byDefault === undefined && ofConsumers.length === 0) return []
  const targetOf = probed === 'application' ? applicationOf : proxyOf
  // The same for each view.
  const targets = service.endpoints.map((endpoint) => ({
    member: inboundKey(endpoint.dataplane.name, endpoint.inbound.port),
    target: targetOf(endpoint),
    tags: endpoint.inbound.tags,
  }))
  const at = { service, targets, members: membersAt(targets) }
  const key = poolKeyOf(service)
  const pools: PoolAndRest[] = []
  if (
    byDefault !== undefined &&
    !('none' in byDefault.monitor) &&
    !isProbedAlready(service, byDefault, monitors)
  )
    pools.push(policyPool({ key, name: service.name, monitor: byDefault.monitor, decides: true }, at))
  for (const { applied, consumer } of ofConsumers) {
    const { monitor } = applied
    const view = {
      key: `${key} as ${fnv1a(JSON.stringify(monitor))}`,
      name: `${service.name} as ${consumer}`,
    }
    pools.push(policyPool({ ...view, monitor, decides: false }, at))
  }
  return pools
}

/**
 * The key of the pool that decides about a service. Those of its views end with ` as` and a digest: a service that has such
 * an end as its name gets another beginning, so that no two pools of a mesh share a key.
 */
export function poolKeyOf({ kind, name }: Pick<Service, 'kind' | 'name'>): string {
  return LIKE_A_VIEW.test(name) ? `exactly ${kind} ${name}` : `${kind} ${name}`
}

const LIKE_A_VIEW = / as [0-9a-f]{16}$/

/** A port of a MeshService whose inbounds are checked in the same way as the services of their tags: once is enough. */
function isProbedAlready(
  { kind, endpoints }: Service,
  { monitor }: Applied,
  monitors: ReadonlyMap<string, string>,
): boolean {
  if (kind === 'service') return false
  const own = JSON.stringify(monitor)
  return endpoints.every(({ inbound }) => monitors.get(inbound.tags[SERVICE_TAG] ?? '') === own)
}

/** A service with where its inbounds are probed. */
interface Targeted {
  readonly service: Service
  readonly targets: readonly TargetOfInbound[]
  readonly members: readonly WantedMember[]
}

function policyPool(
  { monitor, ...pool }: Omit<WantedPool, 'members'>,
  { service, targets, members }: Targeted,
): PoolAndRest {
  return {
    pool: { ...pool, monitor: named(monitor, service), members },
    unprobed: unprobedOf(targets, pool.key),
  }
}

/** As Envoy: where nothing else is said, the host of a request is the name of the service. */
function named({ type, options }: KumaMonitor, { destination }: Service): KumaMonitor {
  const name = destination.by === 'tag' ? destination.service : (destination.service?.name ?? '')
  if (type !== 'HTTP' || !AUTHORITY.pattern.test(name) || name.length > AUTHORITY.max)
    return { type, options }
  const { http, grpc } = options
  if (grpc !== undefined) return { type, options: { ...options, grpc: { authority: name, ...grpc } } }
  return { type, options: { ...options, http: { ...http, host: name } } }
}

type Target = { readonly address: string; readonly port: number } | { readonly why: string }

interface TargetOfInbound {
  readonly member: string
  readonly target: Target
  readonly tags: Tags
}

/** Names are not looked up: no probe uses a resolver. */
function targetAt(address: string, port: number): Target {
  const parsed = parseAddress(address)
  return parsed === undefined
    ? { why: `${address} is a name: names are not looked up` }
    : { address: parsed.canonical, port }
}

function membersAt(targets: readonly TargetOfInbound[]): readonly WantedMember[] {
  const members = new Map<string, WantedMember & { readonly inbounds: string[] }>()
  for (const { member, target, tags } of targets) {
    if ('why' in target) continue
    const key = `${target.address} ${target.port}`
    const known = members.get(key)
    if (known === undefined) members.set(key, { inbounds: [member], ...target, tags })
    else known.inbounds.push(member)
  }
  return [...members.values()]
}

function unprobedOf(targets: readonly TargetOfInbound[], pool: string): readonly Unprobed[] {
  return targets.flatMap(({ member, target }) => ('why' in target ? [{ member, pool, why: target.why }] : []))
}

/** The name of an inbound in its mesh. */
export function inboundKey(dataplane: string, port: number): string {
  return `${dataplane}:${port}`
}

/** The probes of applications: a pool for each service and each distinct conf. */
function* probePoolSteps({ dataplanes }: Mesh): Generator<undefined, readonly PoolAndRest[]> {
  const pools = new Map<
    string,
    { readonly service: string; readonly monitor: KumaMonitor; readonly targets: TargetOfInbound[] }
  >()
  for (const [i, dataplane] of dataplanes.toSorted(byName).entries()) {
    if (i % PROXIES_OF_STEP === 0) yield
    for (const inbound of dataplane.inbounds) {
      if (inbound.serviceProbe === undefined || inbound.state === 'Ignored') continue
      const monitor = monitorOfServiceProbe(inbound.serviceProbe)
      if ('none' in monitor) continue
      const service = inbound.tags[SERVICE_TAG] ?? ''
      const same = JSON.stringify([service, monitor])
      const known = pools.get(same) ?? { service, monitor, targets: [] }
      pools.set(same, known)
      known.targets.push({
        member: inboundKey(dataplane.name, inbound.port),
        target: ownApplicationOf({ dataplane, inbound }),
        tags: inbound.tags,
      })
    }
  }
  return [...pools.values()].map(({ service, monitor, targets }) => {
    const key = `probe ${service} ${fnv1a(JSON.stringify(monitor))}`
    const pool = { key, name: `${service} (application)`, monitor, decides: true }
    return { pool: { ...pool, members: membersAt(targets) }, unprobed: unprobedOf(targets, key) }
  })
}

/** Where consumers reach the inbound. */
function proxyOf({ dataplane, inbound }: Endpoint): Target {
  return targetAt(addressOf({ dataplane, inbound }), inbound.port)
}

function addressOf({ dataplane, inbound }: Endpoint): string {
  return inbound.address ?? dataplane.address
}

/** Where a policy finds the application: at the address of its proxy, unless it says another one. */
function applicationOf(endpoint: Endpoint): Target {
  return applicationAt(endpoint, endpoint.inbound.serviceAddress ?? addressOf(endpoint))
}

/** Where its own proxy finds the application. */
function ownApplicationOf(endpoint: Endpoint): Target {
  return applicationAt(endpoint, endpoint.inbound.serviceAddress ?? '127.0.0.1')
}

/** Nobody else reaches the loopback of a host: it is probed only if the proxy too is on it, so on the host of the prober. */
function applicationAt({ dataplane, inbound }: Endpoint, address: string): Target {
  const application = parseAddress(address)
  const proxy = parseAddress(addressOf({ dataplane, inbound }))
  if (application !== undefined && isLoopback(application) && !(proxy !== undefined && isLoopback(proxy)))
    return { why: `the application listens on ${address} of its own host` }
  return targetAt(address, inbound.servicePort ?? inbound.port)
}

function isLoopback(address: IpAddress): boolean {
  const wire = wireAddress(address)
  return wire.family === 4 ? wire.bytes[0] === 127 : wire.canonical === '::1'
}
