/** From the result of a probe to the verdict of its check; and the results that the scheduler gives itself. */
import type { Evidence } from '../domain/check.ts'
import { REASONS } from '../domain/reasons.ts'
import type { ProbeResult } from '../domain/results.ts'
import { type CheckStatus, step } from '../domain/state-machine.ts'
import { outcomeOf } from '../domain/step-outcome.ts'
import type { Check } from './check.ts'

/** No packet was sent. */
export const TARGET_DENIED: ProbeResult = {
  outcome: 'inconclusive',
  reason: 'TARGET_DENIED',
  detail: REASONS.TARGET_DENIED.sentence,
  phases: { totalMs: 0 },
}

/** A failure that may be our own doing: the event loop stood still while the probe was in flight. */
export function overloaded(result: ProbeResult): ProbeResult {
  return { ...result, outcome: 'inconclusive', reason: 'PROBER_OVERLOAD' }
}

/** A failure among so many that the prober doubts itself. */
export function heldBack(result: ProbeResult): ProbeResult {
  return { ...result, outcome: 'inconclusive', reason: 'PROBER_MASS_FAILURE' }
}

/** Steps the state machine. Returns the status that was left when the status changed, else undefined. */
export function judge(check: Check, result: ProbeResult, wall: () => number): CheckStatus | undefined {
  const from = check.decidedStatus
  check.state = step(check.config.policy, check.state, outcomeOf(result), check.endedMs)
  const to = check.decidedStatus
  if (to === from || to === 'UNKNOWN') return undefined
  check.verdict = {
    status: to,
    since: wall(),
    reason: result.reason,
    detail: result.detail,
    evidence: evidenceOf(check, result),
  }
  return from
}

function evidenceOf(check: Check, result: ProbeResult): Evidence {
  const { target, policy } = check.config
  return {
    type: target.type,
    address: target.address,
    port: target.port,
    timeout_ms: target.timeoutMs,
    rise: policy.rise,
    fall: policy.fall,
    ...(policy.invert === true ? { inverted: true } : {}),
    ...phasesOf(result),
  }
}

function phasesOf({ phases }: ProbeResult): Evidence {
  const { echoMs, connectMs, tlsMs, firstByteMs, totalMs } = phases
  return {
    phases: {
      echo_ms: echoMs,
      connect_ms: connectMs,
      tls_ms: tlsMs,
      first_byte_ms: firstByteMs,
      total_ms: totalMs,
    },
  }
}
