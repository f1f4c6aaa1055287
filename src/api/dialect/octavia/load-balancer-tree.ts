/**
 * The create of a load balancer with everything below it (docs/peers/octavia.md 22): a pool is in `pools` or
 * inside the listener whose default pool it is; a listener may also name a pool that is defined elsewhere in the body.
 */
import { notFound } from '../../../domain/errors.ts'
import type { HealthMonitorDraft } from '../../../store/configuration/health-monitors.ts'
import type { LoadBalancerDraft } from '../../../store/configuration/load-balancers.ts'
import type { MemberDraft } from '../../../store/configuration/members.ts'
import type { PoolDraft } from '../../../store/configuration/pools.ts'
import type { ApiSettings } from '../../http/context.ts'
import type { CreatedBelow, LoadBalancerTree } from '../../resource/load-balancer-tree.ts'
import { repeatedTarget } from '../../resource/member-batch.ts'
import { memberExists } from '../../resource/members.ts'
import { inSlices, mapInSlices, nextSlice } from '../../http/slices.ts'
import { octaviaHealthMonitorDraft, renderOctaviaHealthMonitor } from './health-monitor.ts'
import { octaviaListenerDraft, renderOctaviaListenerAlone } from './listener.ts'
import { octaviaMemberDraft, renderOctaviaMember } from './member.ts'
import { octaviaPoolDraft, renderOctaviaPool } from './pool.ts'
import type { InnerListener, InnerPool } from './schema/load-balancer-tree.ts'
import { validationFailure } from './schema/wsme.ts'

type Settings = Parameters<typeof octaviaHealthMonitorDraft>[0] & Pick<ApiSettings, 'vipRange'>

/** Listeners and pools as they were sent. */
export interface InnerObjects {
  readonly listeners?: readonly InnerListener[] | null
  readonly pools?: readonly InnerPool[] | null
}

/** Throws INVALID_FIELD, NOT_FOUND, MEMBER_EXISTS and whatever the objects are refused for. */
export async function octaviaTree(
  settings: Settings,
  wire: InnerObjects,
  loadBalancer: LoadBalancerDraft,
): Promise<LoadBalancerTree> {
  const sent = wire.listeners ?? []
  const definitions = definitionsOf(sent, wire.pools ?? [])
  // Its address is not known yet; its family is the one of the range.
  const parent = { ...loadBalancer, madeVipAddress: settings.vipRange.text }
  const made: (PoolWithChildren & { readonly name: string })[] = []
  for (const definition of definitions) {
    // The pattern of its monitor may take as long as a slice.
    await nextSlice(loadBalancer.projectId)
    made.push({ name: definition.name ?? '', ...(await poolWith(settings, definition, loadBalancer)) })
  }
  const pools = new Map(made.map(({ name, pool }) => [name, pool]))
  const listeners = await mapInSlices(loadBalancer.projectId, sent, (listener) => {
    if (typeof listener.default_pool_id === 'string') throw notFound('pool', listener.default_pool_id)
    const pool = pools.get(listener.default_pool?.name ?? '')
    return octaviaListenerDraft(listener, parent, listener.default_pool ? pool : undefined)
  })
  return {
    loadBalancer,
    pools: made.map(({ pool }) => pool),
    monitors: made.flatMap(({ monitor }) => monitor ?? []),
    members: made.flatMap(({ members }) => members),
    listeners,
  }
}

/** Attributes that a mere reference has. */
const OF_REFERENCES: ReadonlySet<string> = new Set(['name', 'admin_state_up', 'tls_enabled'])

function isDefinition(pool: InnerPool): boolean {
  return Object.keys(pool).some((name) => !OF_REFERENCES.has(name))
}

/** Every pool that is to be made: those of `pools`, then those inside listeners. */
function definitionsOf(
  listeners: readonly InnerListener[],
  pools: readonly InnerPool[],
): readonly InnerPool[] {
  const inside = listeners.flatMap((listener) => listener.default_pool ?? [])
  if (inside.some((pool) => !pool.name)) {
    throw validationFailure('Pools must be named when creating a fully populated loadbalancer.')
  }
  const definitions = [...pools, ...inside.filter(isDefinition)]
  const names = new Set(definitions.map((pool) => pool.name))
  if (names.size !== definitions.length) {
    throw validationFailure('Pool names must be unique when creating a fully populated loadbalancer.')
  }
  const unknown = inside.find((pool) => !names.has(pool.name))
  if (unknown !== undefined) {
    throw validationFailure(`Pool '${unknown.name}' was referenced but no full definition was found.`)
  }
  return definitions
}

interface PoolWithChildren {
  readonly pool: PoolDraft
  readonly monitor: HealthMonitorDraft | undefined
  readonly members: readonly MemberDraft[]
}

async function poolWith(
  settings: Settings,
  wire: InnerPool,
  loadBalancer: LoadBalancerDraft,
): Promise<PoolWithChildren> {
  const { protocol, lb_algorithm, healthmonitor, members: sent, ...attributes } = wire
  if (protocol === undefined) throw missing(wire, 'protocol')
  if (lb_algorithm === undefined) throw missing(wire, 'lb_algorithm')
  const parents = { loadBalancer, listener: undefined }
  const pool = octaviaPoolDraft({ ...attributes, protocol, lb_algorithm }, parents)
  const { projectId } = pool
  const monitor = healthmonitor ? octaviaHealthMonitorDraft(settings, healthmonitor, pool) : undefined
  const members = await mapInSlices(projectId, sent ?? [], (member) => octaviaMemberDraft(member, pool))
  const repeated = await repeatedTarget(projectId, members)
  if (repeated !== undefined) throw memberExists(pool.id, repeated)
  return { pool, monitor, members }
}

function missing(pool: InnerPool, attribute: string): Error {
  return validationFailure(
    `Pool definition for '${pool.name ?? ''}' missing required attribute: ${attribute}`,
  )
}

/** The keys `listeners` and `pools` of the answer: whole objects, without the load balancer that they are shown in. */
export async function renderTree(below: CreatedBelow, projectId: string): Promise<Record<string, unknown>> {
  const members = new Map<string, Record<string, unknown>[]>()
  await inSlices(projectId, below.members, (member) => {
    const siblings = members.get(member.poolId) ?? []
    if (siblings.length === 0) members.set(member.poolId, siblings)
    siblings.push(renderOctaviaMember(member))
    return true
  })
  const monitors = new Map(below.monitors.map((monitor) => [monitor.poolId, monitor]))
  return {
    listeners: below.listeners.map((listener) => ({
      ...renderOctaviaListenerAlone(listener),
      tenant_id: listener.projectId,
    })),
    pools: below.pools.map((pool) => {
      const { loadbalancers: _, tenant_id, ...rendered } = renderOctaviaPool(pool)
      const monitor = monitors.get(pool.id)
      return {
        ...rendered,
        ...(monitor === undefined ? {} : { healthmonitor: renderMonitorAlone(monitor) }),
        members: members.get(pool.id) ?? [],
        tenant_id,
      }
    }),
  }
}

function renderMonitorAlone(monitor: CreatedBelow['monitors'][number]): Record<string, unknown> {
  const { pools: _, ...rendered } = renderOctaviaHealthMonitor(monitor)
  return rendered
}
