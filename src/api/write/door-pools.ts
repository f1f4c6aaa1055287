/**
 * The write of a door: its objects, translated into pools, become what is stored below its scope. The same rules hold as for the
 * pools of LBaaS: quotas, target policy, probe rate.
 */
import type { DoorMember, DoorPool, DoorScope, KeptDoorPool } from '../../domain/door/door-pool.ts'
import { poolChanges, type PoolChanges } from '../../domain/door/pool-changes.ts'
import { DomainError } from '../../domain/errors.ts'
import type { Tx } from '../../store/connection/database.ts'
import { MemberExistsError } from '../../store/configuration/members.ts'
import { lockDoorPools, writePoolChanges } from '../../store/door/door-pools.ts'
import { lockScope } from '../../store/door/scopes.ts'
import type { ApiDependencies } from '../http/context.ts'
import { assertProbeRate, memberDemand, ofMembers, plus, type ProbeDemand } from './probe-rate.ts'
import { assertQuota, assertTargetAllowed } from './rules.ts'

/** A scope that this transaction has locked. */
export interface LockedScope extends DoorScope {
  readonly id: string
}

/** Locks a scope, before anything of it is read; see `lockScope`. */
export async function lockDoorScope(tx: Tx, scope: DoorScope): Promise<LockedScope> {
  return { ...scope, id: await lockScope(tx, scope) }
}

/**
 * Makes the pools of a scope what a door wants; `keys`: those that are looked at, absent = all of the scope. Of these, what is
 * not wanted is deleted. Returns what differed. Throws QUOTA_EXCEEDED, TARGET_DENIED and MEMBER_EXISTS.
 */
export async function keepDoorPools(
  tx: Tx,
  deps: ApiDependencies,
  {
    scope,
    wanted,
    keys,
  }: { readonly scope: LockedScope; readonly wanted: readonly DoorPool[]; readonly keys?: readonly string[] },
): Promise<PoolChanges> {
  const changes = poolChanges(await lockDoorPools(tx, scope.id, keys), wanted)
  await assertQuotas(tx, deps, scope.projectId, changes)
  assertTargets(deps, changes)
  try {
    await writePoolChanges(tx, scope, changes)
  } catch (error) {
    if (error instanceof MemberExistsError)
      throw new DomainError('MEMBER_EXISTS', 'two members of a pool have the same address and port', {})
    throw error
  }
  await assertProbeRate(tx, deps, { projectId: scope.projectId, raise: raisedDemand(changes) })
  return changes
}

/** Only what is added beyond what goes is claimed, kind by kind in one order. */
async function assertQuotas(
  tx: Tx,
  deps: ApiDependencies,
  projectId: string,
  { added, changed, gone }: PoolChanges,
): Promise<void> {
  const monitors = (pools: readonly DoorPool[]) => pools.filter(({ monitor }) => monitor !== null).length
  const members = (pools: readonly DoorPool[]) => pools.reduce((sum, pool) => sum + pool.members.length, 0)
  const after = [...added, ...changed.map(({ wanted }) => wanted)]
  const before = [...gone, ...changed.map(({ kept }) => kept)]
  const claims = [
    ['pool', added.length - gone.length],
    ['member', members(after) - members(before)],
    ['healthmonitor', monitors(after) - monitors(before)],
  ] as const
  // What goes is not deleted yet, and counts against what comes: the difference is what must fit.
  for (const [resource, count] of claims)
    if (count > 0) await assertQuota(tx, deps, { projectId, resource, count })
}

/**
 * Where a member is, and where it is probed, if that is new. A member that stays as it was is not asked about: the policy may
 * have changed since, and then nobody could take another member out of its pool.
 */
function assertTargets(deps: ApiDependencies, { added, changed }: PoolChanges): void {
  const assertAll = ({ monitor }: DoorPool, members: readonly DoorMember[]) => {
    for (const member of members) assertMemberTarget(deps, member, monitor?.monitorPort ?? null)
  }
  for (const pool of added) assertAll(pool, pool.members)
  for (const { wanted, addedMembers, changedMembers } of changed)
    assertAll(wanted, [
      ...addedMembers,
      ...changedMembers.filter(({ renewed }) => renewed).map(({ values }) => values),
    ])
}

function assertMemberTarget(
  deps: ApiDependencies,
  { address, protocolPort, monitorAddress, monitorPort }: DoorMember,
  portOfMonitor: number | null,
): void {
  assertTargetAllowed(deps, { address, port: protocolPort, field: 'address' })
  const probed = { address: monitorAddress ?? address, field: 'address' }
  for (const port of new Set([protocolPort, portOfMonitor, monitorPort]))
    if (port !== null) assertTargetAllowed(deps, { ...probed, port })
}

/** What the changed checks add to the load of the project. */
function raisedDemand({ added, changed, gone }: PoolChanges): ProbeDemand {
  const demand = (pool: DoorPool, trafficSeen: boolean) =>
    ofMembers(memberDemand(pool.monitor ?? undefined, trafficSeen), pool.members.length)
  const ofKept = (kept: KeptDoorPool) => demand(kept, kept.trafficSeen)
  const risen = [
    ...added.map((pool) => demand(pool, false)),
    ...changed.map(({ kept, wanted }) => demand(wanted, kept.trafficSeen)),
  ]
  const fallen = [...gone, ...changed.map(({ kept }) => kept)].map(ofKept)
  const none: ProbeDemand = { perSecond: 0, inFlight: 0 }
  return plus(
    risen.reduce((sum, each) => plus(sum, each), none),
    fallen.reduce((sum, each) => plus(sum, each), none),
    -1,
  )
}
