/**
 * The status tree in Octavia's words (docs/peers/octavia.md 25): load balancer, listeners, the default pool of each,
 * its monitor and members. A pool that is no listener's default is absent. Statuses are rolled up here, from the
 * members that the tree holds anyway, by the rules that the lists follow in SQL.
 */
import {
  isPassing,
  listenerStatus,
  loadBalancerStatus,
  memberWord,
  poolStatus,
  type MemberWord,
  type RolledUpStatus,
} from '../../../domain/status/roll-up.ts'
import type { StatusTree, TreeMember, TreeNode, TreePool } from '../../../store/status/status-tree.ts'
import { membersByPool, type StatusTreeDialect } from '../../resource/status-tree.ts'
import { mapInSlices } from '../../http/slices.ts'
import { octaviaPaths } from './paths.ts'
import { MONITOR_TYPE_WORDS, PROVISIONING_WORDS, STATUS_WORDS } from './words.ts'

export const octaviaStatusTree: StatusTreeDialect = {
  paths: octaviaPaths,
  // A pool without a listener is not shown, and is OFFLINE whatever its members are.
  membersOf: 'listened pools',
  render: renderOctaviaStatusTree,
}

interface JudgedPool {
  readonly pool: TreePool
  readonly members: readonly TreeMember[]
  readonly status: RolledUpStatus
}

async function renderOctaviaStatusTree(tree: StatusTree, sharer: string): Promise<Record<string, unknown>> {
  const { provider, adminStateUp: loadBalancerUp } = tree.loadBalancer
  const pools = new Map(judgedPools(tree).map((judged) => [judged.pool.id, judged]))
  const statuses = [...pools.values()].map((judged) => judged.status)
  const rendered = await mapInSlices(sharer, tree.members, (member) => renderMember(member, provider))
  const members = membersByPool(tree.members, rendered)
  return {
    statuses: {
      loadbalancer: {
        ...node(tree.loadBalancer, loadBalancerStatus({ provider, loadBalancerUp, pools: statuses })),
        listeners: tree.listeners.map((listener) => {
          const pool = pools.get(listener.defaultPoolId ?? '')
          const facts = { provider, loadBalancerUp, listenerUp: listener.adminStateUp }
          return {
            ...node(listener, listenerStatus(facts)),
            pools: pool === undefined ? [] : [renderPool(pool, members.get(pool.pool.id) ?? [])],
          }
        }),
      },
    },
  }
}

function judgedPools(tree: StatusTree): readonly JudgedPool[] {
  const members = membersByPool(tree.members, tree.members)
  return tree.pools.map((pool) => {
    const own = members.get(pool.id) ?? []
    return { pool, members: own, status: statusOf(pool, own, tree) }
  })
}

function statusOf(pool: TreePool, members: readonly TreeMember[], tree: StatusTree): RolledUpStatus {
  const up = members.filter((member) => member.adminStateUp)
  return poolStatus({
    provider: tree.loadBalancer.provider,
    loadBalancerUp: tree.loadBalancer.adminStateUp,
    poolUp: pool.adminStateUp,
    listened: tree.listeners.some((l) => l.adminStateUp && l.defaultPoolId === pool.id),
    monitored: pool.healthMonitor?.adminStateUp === true,
    hasMembers: members.length > 0,
    hasWeight: up.some((member) => member.weight > 0),
    hasPassing: up.some(isPassing),
    hasFailing: up.some((member) => member.state === 'OFFLINE'),
  })
}

function node(
  { id, name, provisioningStatus }: TreeNode,
  status: RolledUpStatus | MemberWord,
): Record<string, unknown> {
  return {
    id,
    name,
    operating_status: STATUS_WORDS[status],
    provisioning_status: PROVISIONING_WORDS[provisioningStatus],
  }
}

function renderPool(
  { pool, status }: JudgedPool,
  members: readonly Record<string, unknown>[],
): Record<string, unknown> {
  const monitor = pool.healthMonitor
  return {
    ...node(pool, status),
    // Absent, not null, without a monitor.
    ...(monitor === null
      ? {}
      : {
          health_monitor: {
            ...node(monitor, monitor.adminStateUp ? 'ONLINE' : 'OFFLINE'),
            type: MONITOR_TYPE_WORDS[monitor.type],
          },
        }),
    members,
  }
}

function renderMember(member: TreeMember, provider: string): Record<string, unknown> {
  const { state, adminStateUp: memberUp, weight } = member
  return {
    ...node(member, memberWord({ state, memberUp, weight, provider })),
    address: member.address,
    protocol_port: member.protocolPort,
  }
}
