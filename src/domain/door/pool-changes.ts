/**
 * From the pools of a door as they are stored to those that it wants: only what differs. What stays the same is in no change, so
 * its checks go on with their counters and their places in the interval.
 */
import { invalidatesResults } from '../options/monitor-options.ts'
import { probeEndpoint } from '../target/monitor-target.ts'
import type { DoorMember, DoorMonitor, DoorPool, KeptDoorMember, KeptDoorPool } from './door-pool.ts'
import { isSameValue } from './same-value.ts'

/** A stored object with the values that it shall have. */
export interface ChangedObject<Values> {
  readonly id: string
  readonly values: Values
  /** A new generation of its checks: earlier results do not count. */
  readonly renewed: boolean
}

/** What changes in a pool that stays. */
export interface PoolChange {
  readonly kept: KeptDoorPool
  readonly wanted: DoorPool
  /** Null: nothing of the pool itself differs. */
  readonly pool: ChangedObject<DoorPool> | null
  readonly monitor: MonitorChange
  readonly addedMembers: readonly DoorMember[]
  readonly changedMembers: readonly ChangedObject<DoorMember>[]
  readonly goneMembers: readonly KeptDoorMember[]
}

export type MonitorChange =
  | { readonly kind: 'none' }
  | { readonly kind: 'added'; readonly monitor: DoorMonitor }
  | ({ readonly kind: 'changed' } & ChangedObject<DoorMonitor>)
  | { readonly kind: 'gone'; readonly id: string }

export interface PoolChanges {
  readonly added: readonly DoorPool[]
  readonly changed: readonly PoolChange[]
  readonly gone: readonly KeptDoorPool[]
}

const POOL_FIELDS = ['name', 'adminStateUp', 'protocol', 'tags', 'echo'] as const
const MONITOR_FIELDS = [
  'name',
  'adminStateUp',
  'type',
  'profile',
  'delaySeconds',
  'timeoutSeconds',
  'rise',
  'fall',
  'monitorPort',
  'domainName',
  'urlPath',
  'httpMethod',
  'httpVersion',
  'expectedCodes',
  'options',
  'sentFields',
  'tags',
  'echo',
] as const satisfies readonly (keyof DoorMonitor)[]
const MEMBER_FIELDS = [
  'name',
  'adminStateUp',
  'weight',
  'monitorAddress',
  'monitorPort',
  'tags',
  'echo',
] as const satisfies readonly (keyof DoorMember)[]

/** `kept`: the stored pools among which the wanted ones are looked for; those that are not wanted are gone. */
export function poolChanges(kept: readonly KeptDoorPool[], wanted: readonly DoorPool[]): PoolChanges {
  const byKey = new Map(kept.map((pool) => [pool.key, pool]))
  const added: DoorPool[] = []
  const changed: PoolChange[] = []
  for (const pool of wanted) {
    const stored = byKey.get(pool.key)
    if (stored === undefined) {
      added.push(pool)
      continue
    }
    byKey.delete(pool.key)
    const change = changeOf(stored, pool)
    if (change !== undefined) changed.push(change)
  }
  return { added, changed, gone: [...byKey.values()] }
}

/** Undefined = nothing differs. */
function changeOf(kept: KeptDoorPool, wanted: DoorPool): PoolChange | undefined {
  const monitor = monitorChange(kept, wanted)
  const members = memberChanges(kept, wanted)
  const differs = !isAlike(POOL_FIELDS, kept, wanted)
  const pool = differs
    ? { id: kept.id, values: wanted, renewed: wanted.adminStateUp && !kept.adminStateUp }
    : null
  const { addedMembers, changedMembers, goneMembers } = members
  const isSame =
    !differs &&
    monitor.kind === 'none' &&
    addedMembers.length + changedMembers.length + goneMembers.length === 0
  return isSame ? undefined : { kept, wanted, pool, monitor, ...members }
}

function monitorChange({ monitor: before }: KeptDoorPool, { monitor: after }: DoorPool): MonitorChange {
  if (before === null) return after === null ? { kind: 'none' } : { kind: 'added', monitor: after }
  if (after === null) return { kind: 'gone', id: before.id }
  if (isAlike(MONITOR_FIELDS, before, after)) return { kind: 'none' }
  return { kind: 'changed', id: before.id, values: after, renewed: startsAnew(before, after) }
}

/** Another type, switched on again, or another question: what was found before does not answer it. */
function startsAnew(before: DoorMonitor, after: DoorMonitor): boolean {
  if (before.type !== after.type || before.profile !== after.profile) return true
  if (after.adminStateUp && !before.adminStateUp) return true
  return invalidatesResults(before.options, after.options)
}

function memberChanges(
  kept: KeptDoorPool,
  wanted: DoorPool,
): Pick<PoolChange, 'addedMembers' | 'changedMembers' | 'goneMembers'> {
  const byTarget = new Map(kept.members.map((member) => [targetOf(member), member]))
  const addedMembers: DoorMember[] = []
  const changedMembers: ChangedObject<DoorMember>[] = []
  for (const member of wanted.members) {
    const target = targetOf(member)
    const stored = byTarget.get(target)
    if (stored === undefined) {
      addedMembers.push(member)
      continue
    }
    byTarget.delete(target)
    const renewed = isRenewed(kept, wanted, { before: stored, after: member })
    if (renewed || !isAlike(MEMBER_FIELDS, stored, member))
      changedMembers.push({ id: stored.id, values: member, renewed })
  }
  return { addedMembers, changedMembers, goneMembers: [...byTarget.values()] }
}

/** Switched on again, or probed elsewhere, also because the port of the monitor changed. */
function isRenewed(
  { monitor: from }: KeptDoorPool,
  { monitor: to }: DoorPool,
  { before, after }: { readonly before: DoorMember; readonly after: DoorMember },
): boolean {
  if (after.adminStateUp && !before.adminStateUp) return true
  const ports = { from: from?.monitorPort ?? null, to: to?.monitorPort ?? null }
  const isNamedAlike =
    before.monitorAddress === after.monitorAddress &&
    before.monitorPort === after.monitorPort &&
    ports.from === ports.to
  if (isNamedAlike) return false
  // Of the type that it has now: another type is a new generation of the monitor.
  const type = to?.type ?? 'TCP'
  const earlier = probeEndpoint({ type, monitorPort: ports.from }, before)
  const later = probeEndpoint({ type, monitorPort: ports.to }, after)
  return earlier.address !== later.address || earlier.port !== later.port
}

function targetOf({ address, protocolPort }: DoorMember): string {
  return `${address} ${protocolPort}`
}

function isAlike<Values extends object>(fields: readonly (keyof Values)[], a: Values, b: Values): boolean {
  return fields.every((field) => isSameValue(a[field], b[field]))
}
