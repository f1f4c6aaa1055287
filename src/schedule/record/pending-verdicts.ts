/**
 * Verdicts that wait to be written: of each member its latest state with its first and last transition, however often it flaps
 * while PostgreSQL is away.
 */
import type { Transition, VerdictWrite } from '../../domain/prober/check.ts'
import { PendingWrites } from './pending-writes.ts'

export class PendingVerdicts extends PendingWrites<VerdictWrite> {
  constructor() {
    super(merge)
  }
}

function merge(older: VerdictWrite, newer: VerdictWrite): VerdictWrite {
  // A shard that was lost and claimed again: the fence would refuse older verdicts.
  if (older.epoch !== newer.epoch) return newer
  const recent = newer.recent ?? older.recent
  const transitions = firstAndLast([...older.transitions, ...newer.transitions])
  return { ...newer, transitions, ...(recent === undefined ? {} : { recent }) }
}

/** The first and the last transition, which counts the ones between. */
function firstAndLast(transitions: readonly Transition[]): readonly Transition[] {
  const [first, ...rest] = transitions
  const last = rest.pop()
  if (first === undefined || last === undefined) return transitions
  const dropped = rest.reduce((sum, middle) => sum + middle.dropped + 1, last.dropped)
  return [first, { ...last, dropped }]
}
