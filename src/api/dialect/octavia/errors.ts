/**
 * Refusals in Octavia's words: always `{faultcode, faultstring, debuginfo}` (docs/peers/octavia.md 6, also for what 7
 * is about; clients read `faultstring`), and Keystone's envelope for 401. The messages of Octavia's own parsers are in
 * the refusal.
 */
import type { DomainError, Facts, Refusal } from '../../../domain/errors.ts'
import type { ErrorAnswer, ErrorWords } from '../dialect.ts'

interface Row {
  readonly status: number
  /** Absent = the refusal's own sentence. */
  readonly sentence?: (facts: Facts) => string
}

const OBJECT_WORDS: Readonly<Record<string, string>> = {
  healthmonitor: 'Health Monitor',
  loadbalancer: 'Load Balancer',
  listener: 'Listener',
  pool: 'Pool',
  member: 'Member',
  flavor: 'Flavor',
  flavor_profile: 'Flavor Profile',
  availability_zone: 'Availability Zone',
  availability_zone_profile: 'Availability Zone Profile',
  l7policy: 'L7 Policy',
  amphora: 'Amphora',
  quota: 'Quota',
}

/** Octavia's name of a kind of object. */
export function octaviaObjectWord(resource: string | number | undefined): string {
  return OBJECT_WORDS[String(resource)] ?? String(resource)
}

const ROWS: Readonly<Record<Refusal, Row>> = {
  INVALID_JSON: {
    status: 400,
    sentence: (f) =>
      f['problem'] === 'syntax'
        ? 'Request is not in valid JSON format'
        : 'Request is not in valid JSON format: it contains a character that cannot be stored',
  },
  BODY_TOO_LARGE: { status: 413 },
  BODY_TOO_COMPLEX: { status: 400 },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, sentence: (f) => `Unknown mimetype: ${f['type']}` },
  NOT_ACCEPTABLE: { status: 406 },
  METHOD_NOT_ALLOWED: { status: 405 },
  ROUTE_NOT_FOUND: { status: 404, sentence: () => 'The resource could not be found.' },
  HOST_NOT_ALLOWED: { status: 400 },
  MISSING_ENVELOPE: { status: 400 },
  MISSING_FIELD: { status: 400 },
  UNRECOGNIZED_ATTRIBUTE: { status: 400 },
  READ_ONLY_ATTRIBUTE: { status: 400 },
  TOO_LONG: { status: 400 },
  INVALID_FIELD: { status: 400 },
  INVALID_QUERY: { status: 400 },
  PROJECT_MISMATCH: { status: 403, sentence: () => NOT_ALLOWED },
  NOT_FOUND: { status: 404, sentence: (f) => `${octaviaObjectWord(f['resource'])} ${f['id']} not found.` },
  TYPE_DOES_NOT_FIT_POOL: { status: 400 },
  TYPE_IS_IMMUTABLE: { status: 400 },
  POOL_DOES_NOT_FIT_LISTENER: { status: 400 },
  HEALTH_MONITOR_EXISTS: { status: 409, sentence: () => 'This pool already has a health monitor' },
  MEMBER_EXISTS: {
    status: 409,
    sentence: (f) =>
      `Another member on this pool is already using ip ${f['address']} on protocol_port ${f['port']}`,
  },
  LISTENER_EXISTS: {
    status: 409,
    sentence: (f) =>
      `Another Listener on this Load Balancer is already using protocol ${f['protocol']} and protocol_port ${f['port']}`,
  },
  LISTENER_HAS_POOL: { status: 409, sentence: () => 'This listener already has a default pool' },
  // Octavia has this refusal for load balancers only: other objects are deleted with their children.
  IN_USE: {
    status: 400,
    sentence: (f) => `Validation failure: Cannot delete Load Balancer ${f['used']} - it has children`,
  },
  IMMUTABLE: {
    status: 409,
    sentence: (f) =>
      f['state'] === undefined
        ? `${octaviaObjectWord(f['resource'])} ${f['id']} is immutable and cannot be updated.`
        : `Invalid state ${f['state']} of loadbalancer resource ${f['id']}`,
  },
  QUOTA_EXCEEDED: {
    status: 403,
    sentence: (f) => `Quota has been met for resources: ${octaviaObjectWord(f['resource'])}`,
  },
  TARGET_DENIED: {
    status: 400,
    sentence: (f) => `${f['address']} is not a valid option for member ${f['field']}`,
  },
  TOO_MANY_ITEMS: { status: 400 },
  UNSUPPORTED: { status: 501 },
  NOT_PROBED: { status: 409 },
  UNAUTHENTICATED: { status: 401 },
  FORBIDDEN: { status: 403, sentence: () => NOT_ALLOWED },
  TOO_MANY_ATTEMPTS: { status: 429 },
  IDENTITY_UNAVAILABLE: { status: 503 },
  CONFLICT: { status: 409 },
  PROJECT_BUSY: { status: 503 },
  PROBE_UNANSWERED: { status: 503 },
  STORE_UNAVAILABLE: { status: 503 },
}

const NOT_ALLOWED = 'Policy does not allow this request to be performed.'

const UNAUTHORIZED = {
  error: {
    code: 401,
    title: 'Unauthorized',
    message: 'The request you have made requires authentication.',
  },
}

export const octaviaErrors: ErrorWords = {
  refusal(refusal: DomainError): ErrorAnswer {
    if (refusal.code === 'UNAUTHENTICATED') return { status: 401, body: UNAUTHORIZED }
    const row = ROWS[refusal.code]
    return fault(row.status, row.sentence?.(refusal.facts) ?? refusal.message)
  },
  internal: () => fault(500, 'An unexpected error occurred.'),
}

function fault(status: number, faultstring: string): ErrorAnswer {
  return { status, body: { faultcode: status < 500 ? 'Client' : 'Server', faultstring, debuginfo: null } }
}
