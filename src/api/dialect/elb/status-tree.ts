/**
 * The status tree in elb's words (docs/peers/elb.md 5 and 6): parents are ONLINE, whatever their members are; a load
 * balancer that is switched off makes everything below it DISABLED. A pool that is a listener's default appears there
 * and once more below the load balancer.
 */
import { operatingStatus } from '../../../domain/status/member-status.ts'
import type { StatusTree, TreeMember, TreeNode, TreePool } from '../../../store/status/status-tree.ts'
import { membersByPool, type StatusTreeDialect } from '../../resource/status-tree.ts'
import { mapInSlices } from '../../http/slices.ts'
import { elbPaths } from './paths.ts'
import { MONITOR_TYPE_WORDS, PROVISIONING_WORDS } from './words.ts'

export const elbStatusTree: StatusTreeDialect = {
  paths: elbPaths,
  membersOf: 'every pool',
  render: renderElbStatusTree,
}

async function renderElbStatusTree(tree: StatusTree, sharer: string): Promise<Record<string, unknown>> {
  const up = tree.loadBalancer.adminStateUp
  const status = up ? 'ONLINE' : 'DISABLED'
  const upPools = new Set(tree.pools.filter((pool) => up && pool.adminStateUp).map(({ id }) => id))
  const rendered = await mapInSlices(sharer, tree.members, (member) =>
    renderMember(member, upPools.has(member.poolId)),
  )
  const members = membersByPool(tree.members, rendered)
  const pools = new Map(
    tree.pools.map((pool) => [pool.id, renderPool(pool, status, members.get(pool.id) ?? [])]),
  )
  return {
    statuses: {
      loadbalancer: {
        ...renderNode(tree.loadBalancer, status),
        listeners: tree.listeners.map((listener) => ({
          ...renderNode(listener, status),
          l7policies: [],
          pools: listener.defaultPoolId === null ? [] : [pools.get(listener.defaultPoolId)],
        })),
        pools: [...pools.values()],
      },
    },
  }
}

function renderNode(node: TreeNode, status: string): Record<string, unknown> {
  return {
    id: node.id,
    name: node.name,
    provisioning_status: PROVISIONING_WORDS[node.provisioningStatus],
    operating_status: status,
  }
}

function renderPool(
  pool: TreePool,
  status: string,
  members: readonly Record<string, unknown>[],
): Record<string, unknown> {
  const monitor = pool.healthMonitor
  return {
    ...renderNode(pool, status),
    healthmonitor:
      monitor === null
        ? {}
        : {
            id: monitor.id,
            name: monitor.name,
            type: MONITOR_TYPE_WORDS[monitor.type],
            provisioning_status: PROVISIONING_WORDS[monitor.provisioningStatus],
          },
    members,
  }
}

function renderMember(member: TreeMember, parentsUp: boolean): Record<string, unknown> {
  return {
    id: member.id,
    address: member.address,
    protocol_port: member.protocolPort,
    operating_status: memberWord(member, parentsUp),
    provisioning_status: PROVISIONING_WORDS[member.provisioningStatus],
  }
}

/** Weight 0 is OFFLINE in the tree only, and only where health is looked at: elb calls such a result unhealthy. */
function memberWord(member: TreeMember, parentsUp: boolean): string {
  if (!parentsUp || !member.adminStateUp) return 'DISABLED'
  const word = operatingStatus(member.state)
  return member.weight === 0 && word === 'ONLINE' ? 'OFFLINE' : word
}
