/** From the result of a probe to the verdict of its check; and the results that the scheduler gives itself. */
import type { Evidence } from '../../domain/prober/check.ts'
import { isMaintained } from '../../domain/status/maintenance.ts'
import { REASONS, TROUBLES_OF_PROBES } from '../../domain/result/reasons.ts'
import { renderCodes } from '../../domain/target/expected-codes.ts'
import type { ProbeResult } from '../../domain/result/probe-result.ts'
import type { ProbeTarget } from '../../domain/target/probe-target.ts'
import { type CheckStatus, step } from '../../domain/status/state-machine.ts'
import { outcomeOf } from '../../domain/status/step-outcome.ts'
import type { Check } from '../loop/check.ts'

/** No packet was sent. */
export const TARGET_DENIED: ProbeResult = {
  outcome: 'inconclusive',
  reason: 'TARGET_DENIED',
  detail: REASONS.TARGET_DENIED.sentence,
  phases: { totalMs: 0 },
}

/** A failure that the prober itself may have caused: the event loop was blocked while the probe was in flight. */
export function overloaded(result: ProbeResult): ProbeResult {
  return { ...result, outcome: 'inconclusive', reason: 'PROBER_OVERLOAD' }
}

/** A failure among so many that the prober may be the cause. */
export function heldBack(result: ProbeResult): ProbeResult {
  return { ...result, outcome: 'inconclusive', reason: 'PROBER_MASS_FAILURE' }
}

/** Whether a result may change what is known of its check. */
export function mayCount({ config: { policy } }: Check, { outcome, reason }: ProbeResult): boolean {
  if (outcome !== 'inconclusive') return true
  return policy.inconclusive !== undefined && TROUBLES_OF_PROBES.has(reason)
}

/** Whether a check that did not pass has another reason now. */
export function isOtherReason(last: ProbeResult | undefined, result: ProbeResult): boolean {
  if (last === undefined || last.reason === result.reason) return false
  return last.outcome !== 'passed' && result.outcome !== 'passed'
}

/** What is to be written after a result: the status that was left; `same` when only a counter differs from what is written. */
export type Judged = CheckStatus | 'same' | undefined

/**
 * Steps the state machine. While a maintenance of the check lasts, a status that differs from the published one is kept
 * in `withheld` and nothing is to be written.
 */
export function judge(check: Check, result: ProbeResult, wall: () => number): Judged {
  check.state = step(check.config.policy, check.state, outcomeOf(result), check.endedMs)
  const to = check.decidedStatus
  if (check.verdict === undefined && to !== 'UNKNOWN' && to === check.publishedStatus) {
    confirm(check, to, result, wall)
    return 'same'
  }
  if (to === 'UNKNOWN' || to === check.verdict?.status) {
    check.withheld = undefined
    if (check.verdict === undefined || check.pendingRun === check.writtenRun) return undefined
    check.writtenRun = check.pendingRun
    return 'same'
  }
  const wallMs = wall()
  if (check.withheld?.status !== to) {
    const { reason, detail } = result
    check.withheld = { status: to, since: wallMs, reason, detail, evidence: evidenceOf(check, result) }
  }
  return publishWithheld(check, wallMs)
}

/** Makes what was withheld the verdict, unless a maintenance lasts. Returns the status that was left. */
export function publishWithheld(check: Check, wallMs: number): CheckStatus | undefined {
  const { withheld, publishedStatus: from } = check
  if (withheld === undefined || isMaintained(check.config.maintenance, wallMs)) return undefined
  const evidence =
    withheld.since === wallMs
      ? withheld.evidence
      : { ...withheld.evidence, withheld_since: new Date(withheld.since).toISOString() }
  check.verdict = { ...withheld, since: wallMs, evidence }
  check.withheld = undefined
  check.writtenRun = check.pendingRun
  return from
}

/** The first verdict of a generation, where the same status is published already: no transition. */
function confirm(check: Check, status: 'ONLINE' | 'OFFLINE', result: ProbeResult, wall: () => number): void {
  const since = check.oldVerdict?.since ?? wall()
  const { reason, detail } = result
  check.verdict = { status, since, reason, detail, evidence: evidenceOf(check, result) }
  check.withheld = undefined
  check.writtenRun = check.pendingRun
}

/** What a verdict rests on, as `evidence` shows it. */
export function evidenceOf(check: Check, result: ProbeResult): Evidence {
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
    got: whatCame(result.detail),
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

/** The detail without the words that the fields `got` and `expected` already have: "503" of "got 503, expected 200". */
function whatCame(detail: string): string {
  return /^got (.+?)(?:, expected .*)?$/.exec(detail)?.[1] ?? detail
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
