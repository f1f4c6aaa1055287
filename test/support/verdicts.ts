/** Verdicts as a prober writes them. */
import type { Transition, VerdictWrite } from '../../src/domain/prober/check.ts'

/** Of generation 1, at epoch 1, with the transition that led to it. */
export function aVerdict(
  memberId: string,
  shard: number,
  sequence: number,
  more: Partial<VerdictWrite> = {},
): VerdictWrite {
  const status = more.status ?? 'ONLINE'
  const transition: Transition = {
    at: 1_700_000_000_000 + sequence,
    from: 'UNKNOWN',
    to: status,
    reason: 'PASSED',
    detail: 'quote " brace { backslash \\ comma ,',
    evidence: { port: 1 },
    generation: 1,
    dropped: 0,
    sequence,
  }
  return {
    memberId,
    projectId: 'project',
    shard,
    sequence,
    epoch: 1,
    generation: 1,
    status,
    since: transition.at,
    reason: transition.reason,
    detail: transition.detail,
    evidence: transition.evidence,
    okRun: 1,
    badRun: 0,
    transitions: [transition],
    ...more,
  }
}
