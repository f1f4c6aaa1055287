/** The status, code and text of every refusal of Grey Matter's control API (docs/peers/greymatter.md 10). */
import type { DomainError, Refusal } from '../../../domain/errors.ts'
import type { Problem } from '../../../domain/greymatter/problem.ts'
import type { ErrorAnswer, ErrorWords } from '../dialect.ts'
import { ControlRefusal, type ErrorCode } from './refusal.ts'

const REFUSALS: Readonly<Record<Refusal, readonly [status: number, code: ErrorCode]>> = {
  INVALID_JSON: [400, 'UnknownDecodingCode'],
  BODY_TOO_LARGE: [413, 'UnknownDecodingCode'],
  BODY_TOO_COMPLEX: [400, 'UnknownDecodingCode'],
  UNSUPPORTED_MEDIA_TYPE: [415, 'UnknownDecodingCode'],
  NOT_ACCEPTABLE: [406, 'BadParameterErrorCode'],
  METHOD_NOT_ALLOWED: [405, 'UnknownUnclassifiedCode'],
  ROUTE_NOT_FOUND: [404, 'NotFound'],
  HOST_NOT_ALLOWED: [400, 'BadParameterErrorCode'],
  MISSING_ENVELOPE: [400, 'UnknownNoBodyCode'],
  MISSING_FIELD: [400, 'InvalidObjectCode'],
  UNRECOGNIZED_ATTRIBUTE: [400, 'InvalidObjectCode'],
  READ_ONLY_ATTRIBUTE: [400, 'KeyImmutable'],
  TOO_LONG: [400, 'InvalidObjectCode'],
  INVALID_FIELD: [400, 'InvalidObjectCode'],
  INVALID_QUERY: [400, 'BadParameterErrorCode'],
  PROJECT_MISMATCH: [403, 'UnknownUnauthorizedCode'],
  NOT_FOUND: [404, 'NotFound'],
  TYPE_DOES_NOT_FIT_POOL: [400, 'InvalidObjectCode'],
  TYPE_IS_IMMUTABLE: [400, 'InvalidObjectCode'],
  POOL_DOES_NOT_FIT_LISTENER: [400, 'InvalidObjectCode'],
  HEALTH_MONITOR_EXISTS: [409, 'DataConstraintErrorCode'],
  MEMBER_EXISTS: [409, 'DataConstraintErrorCode'],
  LISTENER_EXISTS: [409, 'DataConstraintErrorCode'],
  LISTENER_HAS_POOL: [409, 'DataConstraintErrorCode'],
  IN_USE: [409, 'DataConstraintErrorCode'],
  IMMUTABLE: [409, 'UnknownModificationConflict'],
  QUOTA_EXCEEDED: [403, 'DataConstraintErrorCode'],
  TARGET_DENIED: [400, 'InvalidObjectCode'],
  TOO_MANY_ITEMS: [400, 'InvalidObjectCode'],
  UNSUPPORTED: [501, 'MiscCode'],
  NOT_PROBED: [409, 'MiscCode'],
  UNAUTHENTICATED: [401, 'UnknownUnauthorizedCode'],
  FORBIDDEN: [403, 'UnknownUnauthorizedCode'],
  TOO_MANY_ATTEMPTS: [429, 'MiscBackpressure'],
  IDENTITY_UNAVAILABLE: [503, 'UnknownTransportCode'],
  CONFLICT: [409, 'UnknownModificationConflict'],
  PROJECT_BUSY: [503, 'MiscBackpressure'],
  PROBE_UNANSWERED: [503, 'MiscBackpressure'],
  STORE_UNAVAILABLE: [503, 'UnknownTransportCode'],
}

export const greymatterErrors: ErrorWords = {
  refusal: (refusal) => {
    const [status, code] = REFUSALS[refusal.code]
    if (!(refusal instanceof ControlRefusal)) return answer(status, { code, message: messageOf(refusal) })
    return answer(status, {
      code: refusal.controlCode,
      message: refusal.message,
      problems: refusal.problems,
    })
  },
  internal: () => answer(500, { code: 'UnknownUnclassifiedCode', message: 'An unexpected error occurred.' }),
}

/** The target policy says which address it refuses, and the object is that of the API. */
function messageOf({ code, message, facts }: DomainError): string {
  return code === 'TARGET_DENIED'
    ? `instance ${facts['address']} may not be probed: ${facts['reason']}`
    : message
}

interface Words {
  readonly code: ErrorCode
  readonly message: string
  readonly problems?: readonly Problem[]
}

function answer(status: number, { code, message, problems = [] }: Words): ErrorAnswer {
  const details = problems.length === 0 ? {} : { details: { errors: problems } }
  return { status, body: { error: { message, code, ...details } } }
}
