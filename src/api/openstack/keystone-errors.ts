/** Refusals in Keystone's form, for requests that are refused before they reach the development identity. */
import { STATUS_CODES } from 'node:http'
import type { Refusal } from '../../domain/errors.ts'
import type { ErrorAnswer, ErrorWords } from '../dialect/dialect.ts'

const STATUS: Partial<Readonly<Record<Refusal, number>>> = {
  BODY_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  TOO_MANY_ATTEMPTS: 429,
  NOT_FOUND: 404,
  ROUTE_NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  IDENTITY_UNAVAILABLE: 503,
  PROJECT_BUSY: 503,
  STORE_UNAVAILABLE: 503,
}

function answer(status: number, message: string): ErrorAnswer {
  return { status, body: { error: { code: status, message, title: STATUS_CODES[status] ?? 'Error' } } }
}

export const keystoneErrors: ErrorWords = {
  refusal: ({ code, message }) => answer(STATUS[code] ?? 400, message),
  internal: () => answer(500, 'An unexpected error prevented the server from fulfilling your request.'),
}
