/** Times of a prober whose clock is wrong, as the clock of the server has them. Nothing is ordered by them. */
import type { VerdictWrite } from '../../domain/prober/check.ts'
import { shiftedRecent } from '../../domain/result/recent-results.ts'
import type { CheckpointPart } from '../checkpoint-store.ts'

/** The evidence says by how many milliseconds they were corrected. */
export function correctedVerdict(row: VerdictWrite, byMs: number): VerdictWrite {
  const { recent } = row
  return {
    ...row,
    since: row.since + byMs,
    evidence: { ...row.evidence, clock_corrected_ms: byMs },
    transitions: row.transitions.map((transition) => ({
      ...transition,
      at: transition.at + byMs,
    })),
    ...(recent === undefined ? {} : { recent: shiftedRecent(recent, byMs) }),
  }
}

export function correctedCheckpoint(part: CheckpointPart, byMs: number): CheckpointPart {
  if (byMs === 0) return part
  return {
    ...part,
    asOf: part.asOf + byMs,
    recent: shiftedRecent(part.recent, byMs),
    entries: part.entries.map((entry) => ({
      ...entry,
      probedAt: entry.probedAt + byMs,
      nextAt: entry.nextAt + byMs,
    })),
  }
}
