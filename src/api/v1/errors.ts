/**
 * Refusals of our own API as problem details (RFC 9457): `code` is stable and one of the refusals of the domain, `detail` is a
 * sentence for people.
 */
import { STATUS_CODES } from 'node:http'
import type { Refusal } from '../../domain/errors.ts'
import type { ErrorAnswer, ErrorWords } from '../dialect/dialect.ts'

const STATUSES: Readonly<Record<Refusal, number>> = {
  INVALID_JSON: 400,
  BODY_TOO_LARGE: 413,
  BODY_TOO_COMPLEX: 400,
  UNSUPPORTED_MEDIA_TYPE: 415,
  NOT_ACCEPTABLE: 406,
  METHOD_NOT_ALLOWED: 405,
  ROUTE_NOT_FOUND: 404,
  HOST_NOT_ALLOWED: 400,
  MISSING_ENVELOPE: 400,
  MISSING_FIELD: 400,
  UNRECOGNIZED_ATTRIBUTE: 400,
  READ_ONLY_ATTRIBUTE: 400,
  TOO_LONG: 400,
  INVALID_FIELD: 400,
  INVALID_QUERY: 400,
  PROJECT_MISMATCH: 403,
  NOT_FOUND: 404,
  TYPE_DOES_NOT_FIT_POOL: 400,
  TYPE_IS_IMMUTABLE: 400,
  POOL_DOES_NOT_FIT_LISTENER: 400,
  HEALTH_MONITOR_EXISTS: 409,
  MEMBER_EXISTS: 409,
  LISTENER_EXISTS: 409,
  LISTENER_HAS_POOL: 409,
  IN_USE: 409,
  IMMUTABLE: 409,
  QUOTA_EXCEEDED: 403,
  TARGET_DENIED: 400,
  TOO_MANY_ITEMS: 400,
  UNSUPPORTED: 501,
  NOT_PROBED: 409,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  TOO_MANY_ATTEMPTS: 429,
  IDENTITY_UNAVAILABLE: 503,
  CONFLICT: 409,
  PROJECT_BUSY: 503,
  PROBE_UNANSWERED: 503,
  STORE_UNAVAILABLE: 503,
}

export const v1Errors: ErrorWords = {
  refusal: ({ code, message }, requestId) => problem(STATUSES[code], { code, detail: message, requestId }),
  internal: (requestId) =>
    problem(500, { code: 'INTERNAL', detail: 'An unexpected error occurred.', requestId }),
}

function problem(
  status: number,
  { code, detail, requestId }: { readonly code: string; readonly detail: string; readonly requestId: string },
): ErrorAnswer {
  const title = STATUS_CODES[status] ?? 'Error'
  return {
    status,
    body: { type: 'about:blank', title, status, detail, code, request_id: requestId },
    mediaType: 'application/problem+json',
  }
}
