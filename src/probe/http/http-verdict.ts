/**
 * What a response means, whatever version it came in, in Envoy's order (docs/peers/probing.md 10): expected bytes of
 * the body before the status, then the status as expected, warning, draining, retriable, or wrong; what passes by its
 * status also has to come from the expected service.
 *
 * `x-envoy-immediate-health-check-fail`: a passing answer passes with it, as in Envoy (docs/peers/probing.md 7); with a
 * wrong status that is not retriable, it means that the target itself asks to be taken out of service.
 */
import { type CodeSet, isExpectedCode, renderCodes } from '../../domain/target/expected-codes.ts'
import type { HttpRequest } from '../../domain/target/probe-target.ts'
import type { Verdict } from '../wire/conversation.ts'

/** The header by which a target asks to be taken out, in lower case. */
export const IMMEDIATE_FAIL_HEADER = 'x-envoy-immediate-health-check-fail'

/** The header that names the service which answered, in lower case. */
export const SERVICE_HEADER = 'x-envoy-upstream-healthchecked-cluster'

/** What a verdict needs of a response. */
export interface ResponseFacts {
  readonly status: number
  /** Whether the response had the request's `degradedHeader`, and `IMMEDIATE_FAIL_HEADER`. */
  readonly saysDegraded: boolean
  readonly asksToFail: boolean
  /** Value of `SERVICE_HEADER`; empty without it. */
  readonly service: string
  /** Whether the body has what is expected of it; undefined = nothing is. */
  readonly bodyMatches: boolean | undefined
}

export function judgeResponse(request: HttpRequest, response: ResponseFacts): Verdict {
  const { status } = response
  if (response.bodyMatches === false) {
    return { reason: 'BODY_MISMATCH', detail: `got ${status} without the expected bytes in the body` }
  }
  const has = (codes: CodeSet | undefined): boolean => codes !== undefined && isExpectedCode(codes, status)
  const detail = `got ${status}`
  const passes = has(request.expectedCodes) || has(request.warningCodes) || has(request.drainingCodes)
  if (passes && request.serviceName !== undefined && !response.service.startsWith(request.serviceName)) {
    const who = response.service === '' ? 'nobody who says so' : 'another service'
    return { reason: 'IDENTITY_MISMATCH', detail: `${detail} from ${who}, expected ${request.serviceName}` }
  }
  if (has(request.expectedCodes)) {
    return response.saysDegraded
      ? { reason: 'PASSED', detail: `${detail}, degraded`, flag: 'degraded' }
      : { reason: 'PASSED', detail }
  }
  if (has(request.warningCodes)) return { reason: 'PASSED', detail: `${detail}, a warning`, flag: 'warning' }
  if (has(request.drainingCodes)) return { reason: 'PASSED', detail: `${detail}, draining`, flag: 'draining' }
  const unexpected = `${detail}, expected ${renderCodes(request.expectedCodes)}`
  if (has(request.retriableCodes)) return { reason: 'STATUS_RETRIABLE', detail: unexpected }
  return { reason: response.asksToFail ? 'IMMEDIATE_FAIL' : 'STATUS_MISMATCH', detail: unexpected }
}
