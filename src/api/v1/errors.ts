/**
 * Refusals of our own API as problem details (RFC 9457): `code` is stable and one of the refusals of the domain, `detail` is a
 * sentence for people.
 */
import { STATUS_CODES } from 'node:http'
import type { ErrorAnswer, ErrorWords } from '../dialect/dialect.ts'
import { REFUSAL_STATUSES } from '../http/refusal-statuses.ts'

export const v1Errors: ErrorWords = {
  refusal: ({ code, message }, requestId) =>
    problem(REFUSAL_STATUSES[code], { code, detail: message, requestId }),
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
