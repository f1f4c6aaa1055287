/** From the result of a probe to the verdict of its check; and the results that the scheduler gives itself. */
import type { Evidence } from '../domain/check.ts'
import { REASONS } from '../domain/reasons.ts'
import { renderCodes } from '../domain/expected-codes.ts'
import type { ProbeResult, ProbeTarget } from '../domain/results.ts'
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

/** What is to be written after a result: the status that was left; `same` when only a counter differs from what is written. */
export type Judged = CheckStatus | 'same' | undefined

/** Steps the state machine. */
export function judge(check: Check, result: ProbeResult, wall: () => number): Judged {
  const from = check.decidedStatus
  check.state = step(check.config.policy, check.state, outcomeOf(result), check.endedMs)
  const to = check.decidedStatus
  if (to !== from && to !== 'UNKNOWN') {
    const { reason, detail } = result
    check.verdict = { status: to, since: wall(), reason, detail, evidence: evidenceOf(check, result) }
  } else if (check.verdict === undefined || check.pendingRun === check.writtenRun) return undefined
  check.writtenRun = check.pendingRun
  return to === from || to === 'UNKNOWN' ? 'same' : from
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
    code: result.reason,
    expected: expectedOf(target),
    got: result.detail,
    ...(result.statusLine === undefined ? {} : { status_line: result.statusLine }),
    ...phasesOf(result),
  }
}

/** What a probe of this target waits for, in words. */
function expectedOf({ type, http, grpc, tcp, udp }: ProbeTarget): string {
  if (grpc !== undefined) return 'SERVING'
  if (http !== undefined) {
    const status = `status ${renderCodes(http.expectedCodes)}`
    return http.expectBody === undefined ? status : `${status} with the expected bytes in the body`
  }
  if (tcp !== undefined && tcp.receive.length > 0) return 'the expected bytes'
  switch (type) {
    case 'TCP':
    case 'SCTP':
    case 'HTTP':
      return 'a connection'
    case 'TLS-HELLO':
    case 'HTTPS':
      return 'a TLS handshake'
    case 'PING':
      return 'an echo reply'
    case 'UDP-CONNECT':
      return udp?.requireReply === true ? 'a reply' : 'no ICMP unreachable'
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
