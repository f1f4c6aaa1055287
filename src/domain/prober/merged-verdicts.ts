/** Of a member whose verdicts wait: its latest state, with its first and last transition, however often it flaps meanwhile. */
import type { Transition, VerdictWrite } from './check.ts'

/** What is left of two verdicts on a member. */
export function mergedVerdicts(older: VerdictWrite, newer: VerdictWrite): VerdictWrite {
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
