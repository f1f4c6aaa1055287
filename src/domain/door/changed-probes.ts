/**
 * What a write of a door changes for those who probe: pool by pool, and nothing of what is only shown. Doors answer with it, so
 * that whoever applies a file reads what the service does, and not what a client expects of it.
 */
import type { MonitorType } from '../types.ts'
import type { DoorMember, DoorMonitor, DoorPool } from './door-pool.ts'
import type { PoolChange, PoolChanges } from './pool-changes.ts'

export interface ChangedProbes {
  /** The door's own name of the pool. */
  readonly pool: string
  /** `added`: nobody probed it before. `gone`: nobody probes it from now on. */
  readonly change: 'added' | 'changed' | 'gone'
  readonly type: MonitorType
  readonly options: DoorMonitor['options']
  /** `10.0.0.1:80`, `[fd00::1]:80`: those of the pool then, of one that is gone those of before. */
  readonly members: readonly string[]
}

/** A pool without a monitor is not probed, and is in none of them. */
export function changedProbes({ added, changed, gone }: PoolChanges): readonly ChangedProbes[] {
  return [
    ...added.flatMap((pool) => probesOf(pool, 'added')),
    ...changed.flatMap(changeOf),
    ...gone.flatMap((pool) => probesOf(pool, 'gone')),
  ]
}

function changeOf(change: PoolChange): readonly ChangedProbes[] {
  const { kept, wanted } = change
  if (kept.monitor === null) return probesOf(wanted, 'added')
  if (wanted.monitor === null) return probesOf(kept, 'gone')
  return isProbedOtherwise(change) ? probesOf(wanted, 'changed') : []
}

/** Names and tags change no probe. */
function isProbedOtherwise({ monitor, addedMembers, changedMembers, goneMembers }: PoolChange): boolean {
  return (
    monitor.kind !== 'none' ||
    addedMembers.length + goneMembers.length > 0 ||
    changedMembers.some(({ renewed }) => renewed)
  )
}

function probesOf(
  { key, monitor, members }: DoorPool,
  change: ChangedProbes['change'],
): readonly ChangedProbes[] {
  if (monitor === null) return []
  const { type, options } = monitor
  return [{ pool: key, change, type, options, members: members.map(placeOf) }]
}

function placeOf({ address, protocolPort }: DoorMember): string {
  return address.includes(':') ? `[${address}]:${protocolPort}` : `${address}:${protocolPort}`
}
