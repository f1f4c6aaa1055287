/**
 * Refusals in elb's words: always `{error_msg, error_code, request_id}`. Codes the ELB reference documents for shared
 * load balancers are used where it documents them; everything else is Neutron's sentence as ELB.9899 (409: ELB.8907).
 */
import type { DomainError, Facts, Refusal } from '../../../domain/errors.ts'
import type { ErrorAnswer, ErrorWords } from '../dialect.ts'

interface Row {
  readonly status: number
  readonly code: string
  /** Absent = the refusal's own sentence. */
  readonly sentence?: (facts: Facts) => string
}

const ENVELOPE_WORDS: Readonly<Record<string, string>> = {
  healthmonitor: 'healthmonitor is null,request is invalid.',
  pool: 'Pool is null, request is invalid.',
  member: 'Member is null, request is invalid.',
  members: 'Member is null, request is invalid.',
  listener: 'Listener is null, request is invalid.',
  loadbalancer: 'RequestBody is null or empty,request is invalid.',
}

const NOT_PUBLISHED = 'The API does not exist or has not been published in the environment'

const ROWS: Readonly<Record<Refusal, Row>> = {
  INVALID_JSON: { status: 400, code: 'ELB.8902' },
  BODY_TOO_LARGE: { status: 413, code: 'ELB.8902' },
  BODY_TOO_COMPLEX: { status: 400, code: 'ELB.8902' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, code: 'ELB.8902' },
  NOT_ACCEPTABLE: { status: 406, code: 'ELB.8902' },
  METHOD_NOT_ALLOWED: {
    status: 405,
    code: 'APIGW.0101',
    sentence: (f) => `The method ${f['method']} is not allowed.`,
  },
  ROUTE_NOT_FOUND: { status: 404, code: 'APIGW.0101', sentence: () => NOT_PUBLISHED },
  HOST_NOT_ALLOWED: { status: 400, code: 'ELB.8902' },
  MISSING_ENVELOPE: {
    status: 400,
    code: 'ELB.0002',
    sentence: (f) =>
      ENVELOPE_WORDS[f['resource'] ?? ''] ?? 'RequestBody is null or empty,request is invalid.',
  },
  MISSING_FIELD: {
    status: 400,
    code: 'ELB.9805',
    sentence: (f) =>
      f['otherField'] === undefined
        ? `RequestBody ${f['resource']}[${f['field']}] is null, this is a required parameter.`
        : `RequestBody ${f['resource']}[${f['field']}] and ${f['resource']}[${f['otherField']}] both are null, this has at least one parameter.`,
  },
  UNRECOGNIZED_ATTRIBUTE: {
    status: 400,
    code: 'ELB.9899',
    sentence: (f) => `Unrecognized attribute(s) '${f['field']}'`,
  },
  READ_ONLY_ATTRIBUTE: { status: 400, code: 'ELB.9899' },
  TOO_LONG: {
    status: 400,
    code: 'ELB.9805',
    sentence: (f) =>
      `RequestBody ${f['resource']}[${f['field']}]'s length is ${f['length']}, greater than ${f['max']}.`,
  },
  INVALID_FIELD: {
    status: 400,
    code: 'ELB.9899',
    sentence: (f) => `Invalid input for ${f['field']}. Reason: ${f['reason']}.`,
  },
  INVALID_QUERY: { status: 400, code: 'ELB.9899' },
  PROJECT_MISMATCH: { status: 400, code: 'ELB.9808' },
  NOT_FOUND: {
    status: 404,
    code: 'ELB.8904',
    sentence: (f) => `${f['resource']} ${f['id']} could not be found.`,
  },
  TYPE_DOES_NOT_FIT_POOL: { status: 400, code: 'ELB.9899' },
  TYPE_IS_IMMUTABLE: {
    status: 400,
    code: 'ELB.9899',
    sentence: () =>
      'Can only update type of the healthmonitor with TCP or HTTP which binds to TCP or HTTP pool.',
  },
  POOL_DOES_NOT_FIT_LISTENER: { status: 400, code: 'ELB.9899' },
  HEALTH_MONITOR_EXISTS: {
    status: 409,
    code: 'ELB.8907',
    // Two spaces, as Neutron says it.
    sentence: (f) =>
      `Only one health monitor per pool allowed.  Pool ${f['pool']} is already using Health Monitor ${f['monitor']}.`,
  },
  MEMBER_EXISTS: {
    status: 409,
    code: 'ELB.8907',
    sentence: (f) =>
      `Member with address ${f['address']} and protocol_port ${f['port']} already present in pool ${f['pool']}.`,
  },
  LISTENER_EXISTS: {
    status: 400,
    code: 'ELB.6200',
    // "Balaner": the ELB reference's own spelling.
    sentence: (f) =>
      `Load Balaner ${f['loadbalancer']} already has a listener with protocol_port of ${f['port']}.`,
  },
  LISTENER_HAS_POOL: { status: 409, code: 'ELB.8907' },
  IN_USE: { status: 409, code: 'ELB.8907' },
  IMMUTABLE: { status: 409, code: 'ELB.8907' },
  QUOTA_EXCEEDED: {
    status: 400,
    code: 'ELB.9807',
    sentence: (f) => `Quota exceeded for resources:['${f['resource']}'].`,
  },
  TARGET_DENIED: {
    status: 400,
    code: 'ELB.9899',
    sentence: (f) => `Invalid input for ${f['field']}. Reason: ${f['reason']}.`,
  },
  TOO_MANY_ITEMS: { status: 400, code: 'ELB.8902' },
  UNSUPPORTED: { status: 501, code: 'ELB.8902' },
  NOT_PROBED: { status: 409, code: 'ELB.8907' },
  UNAUTHENTICATED: {
    status: 401,
    code: 'ELB.1102',
    sentence: () => 'Token is error, Authentication required.',
  },
  FORBIDDEN: { status: 403, code: 'ELB.9802' },
  TOO_MANY_ATTEMPTS: { status: 429, code: 'ELB.8906' },
  IDENTITY_UNAVAILABLE: { status: 503, code: 'ELB.8906' },
  CONFLICT: { status: 409, code: 'ELB.8907' },
  PROJECT_BUSY: { status: 503, code: 'ELB.8906' },
  PROBE_UNANSWERED: { status: 503, code: 'ELB.8906' },
  STORE_UNAVAILABLE: { status: 503, code: 'ELB.8906' },
}

function answer(status: number, words: { code: string; message: string; requestId: string }): ErrorAnswer {
  return { status, body: { error_msg: words.message, error_code: words.code, request_id: words.requestId } }
}

export const elbErrors: ErrorWords = {
  refusal(refusal: DomainError, requestId: string): ErrorAnswer {
    const row = ROWS[refusal.code]
    const message = row.sentence?.(refusal.facts) ?? refusal.message
    return answer(row.status, { code: row.code, message, requestId })
  },
  internal(requestId: string): ErrorAnswer {
    return answer(500, { code: 'ELB.8906', message: 'Internal server error.', requestId })
  },
}
