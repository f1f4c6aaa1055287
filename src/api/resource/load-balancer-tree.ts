/** Creates a load balancer together with its children: everything, or nothing. */
import { dependsOn } from '../../domain/status/dependencies.ts'
import { DomainError } from '../../domain/errors.ts'
import { TREE_MEMBERS_PER_STATEMENT } from '../../domain/limits.ts'
import type { HealthMonitor } from '../../domain/health-monitor.ts'
import { type Tx } from '../../store/connection/database.ts'
import {
  type HealthMonitorDraft,
  insertHealthMonitor,
  listHealthMonitors,
} from '../../store/configuration/health-monitors.ts'
import type { ListQuery } from '../../store/configuration/lists.ts'
import { type ListenerDraft, type ListenerView, listListeners } from '../../store/configuration/listeners.ts'
import { giveAddress } from '../../store/configuration/load-balancer-addresses.ts'
import { insertLoadBalancer, type LoadBalancerDraft } from '../../store/configuration/load-balancers.ts'
import { insertMembers } from '../../store/configuration/member-batch.ts'
import { listMembers, type MemberDraft, type MemberView } from '../../store/configuration/members.ts'
import { touchLoadBalancer } from '../../store/configuration/parents.ts'
import { insertPool, listPools, type PoolDraft, type PoolView } from '../../store/configuration/pools.ts'
import type { ApiDependencies } from '../http/context.ts'
import { assertWrittenDependencies } from '../write/dependencies.ts'
import { insertListenerOrRefuse } from './listeners.ts'
import { targetGuard } from './members.ts'
import { assertProbeRate, memberDemand, plus, type ProbeDemand } from '../write/probe-rate.ts'
import { assertQuota } from '../write/rules.ts'
import { mapInSlices } from '../http/slices.ts'

/** What a create makes. */
export interface LoadBalancerTree {
  readonly loadBalancer: LoadBalancerDraft
  readonly pools: readonly PoolDraft[]
  readonly monitors: readonly HealthMonitorDraft[]
  readonly members: readonly MemberDraft[]
  readonly listeners: readonly ListenerDraft[]
}

/** What was made, in the order in which it was sent. */
export interface CreatedBelow {
  readonly pools: readonly PoolView[]
  readonly monitors: readonly HealthMonitor[]
  readonly members: readonly MemberView[]
  readonly listeners: readonly ListenerView[]
}

/** A tree with nothing below. */
export function childless(loadBalancer: LoadBalancerDraft): LoadBalancerTree {
  return { loadBalancer, pools: [], monitors: [], members: [], listeners: [] }
}

/** Writes all of it. Throws QUOTA_EXCEEDED, CONFLICT, TARGET_DENIED, LISTENER_EXISTS, and INVALID_FIELD of `depends_on`. */
export async function insertTree(tx: Tx, deps: ApiDependencies, tree: LoadBalancerTree): Promise<void> {
  const { projectId } = tree.loadBalancer
  const counts = [
    ['loadbalancer', 1],
    ['pool', tree.pools.length],
    ['healthmonitor', tree.monitors.length],
    ['member', tree.members.length],
    ['listener', tree.listeners.length],
  ] as const
  for (const [resource, count] of counts) {
    if (count > 0) await assertQuota(tx, deps, { projectId, resource, count })
  }
  await insertLoadBalancer(tx, tree.loadBalancer)
  if (tree.loadBalancer.vipAddress === null) await giveAddressOrRefuse(tx, deps, tree.loadBalancer)
  for (const pool of tree.pools) await insertPool(tx, pool)
  for (const monitor of tree.monitors) await insertHealthMonitor(tx, monitor)
  for (const [poolId, members] of membersByPool(tree)) {
    await mapInSlices(projectId, members, await targetGuard(tx, deps, poolId))
  }
  await insertMembers(tx, tree.members)
  const named = [...tree.pools, ...tree.members].flatMap(({ echo }) => dependsOn(echo))
  await assertWrittenDependencies(tx, projectId, named)
  for (const listener of tree.listeners) await insertListenerOrRefuse(tx, listener)
  if (tree.members.length === 0) return
  await touchLoadBalancer(tx, tree.loadBalancer.id)
  await assertProbeRate(tx, deps, { projectId, raise: demandOf(tree) })
}

/** Throws CONFLICT when HM_VIP_RANGE has nothing for this project. */
async function giveAddressOrRefuse(
  tx: Tx,
  { settings: { vipRange } }: ApiDependencies,
  loadBalancer: LoadBalancerDraft,
): Promise<void> {
  const outcome = await giveAddress(tx, loadBalancer, vipRange)
  if (outcome === 'given') return
  const why =
    outcome === 'none: range'
      ? `all ${vipRange.size} addresses of ${vipRange.text} are taken`
      : `this project has its share of the addresses of ${vipRange.text}`
  throw new DomainError('CONFLICT', `No more IP addresses available: ${why}. Name one as vip_address.`)
}

/** What the checks of the tree ask for. */
function demandOf(tree: LoadBalancerTree): ProbeDemand {
  const members = membersByPool(tree)
  return tree.monitors.reduce(
    (sum, monitor) => plus(sum, memberDemand(monitor), members.get(monitor.poolId)?.length ?? 0),
    memberDemand(undefined),
  )
}

function membersByPool({ members }: LoadBalancerTree): ReadonlyMap<string, readonly MemberDraft[]> {
  const pools = new Map<string, MemberDraft[]>()
  for (const member of members) {
    const siblings = pools.get(member.poolId)
    if (siblings === undefined) pools.set(member.poolId, [member])
    else siblings.push(member)
  }
  return pools
}

/** What a tree became. */
export async function readTree(tx: Tx, tree: LoadBalancerTree): Promise<CreatedBelow> {
  const below = [tree.loadBalancer.id]
  const poolIds = tree.pools.map((pool) => pool.id)
  const { pools, members, monitors, listeners } = tree
  return {
    pools: inOrder(pools, await listPools(tx, within('loadbalancer_id', below, pools.length))),
    members: inOrder(members, await readMembers(tx, members)),
    monitors: inOrder(monitors, await listHealthMonitors(tx, within('pool_id', poolIds, monitors.length))),
    listeners: inOrder(
      listeners,
      await listListeners(tx, within('loadbalancer_id', below, listeners.length)),
    ),
  }
}

const within = (attribute: string, values: readonly string[], limit: number): ListQuery => ({
  filters: [{ attribute, values }],
  sort: [],
  limit,
  reverse: false,
  // As large as the body made it.
  bytesMax: Number.MAX_SAFE_INTEGER,
})

/** Reads the members of a tree, some at a time: the rows of a statement are converted in one piece. */
async function readMembers(tx: Tx, members: readonly MemberDraft[]): Promise<MemberView[]> {
  const read: MemberView[] = []
  for (let at = 0; at < members.length; at += TREE_MEMBERS_PER_STATEMENT) {
    const values = members.slice(at, at + TREE_MEMBERS_PER_STATEMENT).map(({ id }) => id)
    read.push(...(await listMembers(tx, within('id', values, values.length))))
  }
  return read
}

interface Identified {
  readonly id: string
}

function inOrder<Item extends Identified>(drafts: readonly Identified[], items: readonly Item[]): Item[] {
  const byId = new Map(items.map((item) => [item.id, item]))
  return drafts.flatMap(({ id }) => byId.get(id) ?? [])
}
