/**
 * What one result means for the member state machine. The words of docs/state-machine.md and of the vectors (`success`,
 * `status_fail`, …) appear in one table here and nowhere else.
 */
import { type FailureKind, REASONS, type ReasonRow } from '../result/reasons.ts'
import type { ProbeResult } from '../result/probe-result.ts'

/**
 * `passed`, or passed with a report of the target about itself (`draining`: HAProxy's "conditionally passed"); the kind
 * of a failure; `passive`: a failure seen on data traffic; `inconclusive`: the prober could not find out.
 */
export type StepOutcome =
  | 'passed'
  | 'degraded'
  | 'warning'
  | 'draining'
  | FailureKind
  | 'passive'
  | 'inconclusive'

/** The outcome that the state machine sees in a result of a probe. */
export function outcomeOf(result: Pick<ProbeResult, 'outcome' | 'reason' | 'flag'>): StepOutcome {
  switch (result.outcome) {
    case 'passed':
      return result.flag ?? 'passed'
    case 'failed': {
      const row: ReasonRow = REASONS[result.reason]
      return row.kind ?? 'network'
    }
    case 'inconclusive':
      return 'inconclusive'
  }
}

/** Whether the target answered as it should; false for failures of every kind and for `inconclusive`. */
export function isPass(outcome: StepOutcome): boolean {
  return outcome === 'passed' || outcome === 'degraded' || outcome === 'warning' || outcome === 'draining'
}

/** Words of docs/state-machine.md for results, as the vectors and `simulate` write them. */
export const RESULT_WORDS = {
  success: 'passed',
  degraded: 'degraded',
  warning: 'warning',
  cond_pass: 'draining',
  network_fail: 'network',
  timeout: 'timeout',
  retriable_fail: 'retriable',
  status_fail: 'status',
  payload_fail: 'payload',
  immediate_fail: 'immediate',
  passive_fail: 'passive',
  inconclusive: 'inconclusive',
} as const satisfies Record<string, StepOutcome>

/** The outcome that a word of the vectors names; undefined = no such word. */
export function outcomeOfWord(word: string): StepOutcome | undefined {
  return Object.hasOwn(RESULT_WORDS, word) ? RESULT_WORDS[word as keyof typeof RESULT_WORDS] : undefined
}
