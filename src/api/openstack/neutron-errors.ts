/** Refusals in Neutron's words (docs/peers/octavia.md 8), for the reads of the network API; 401 is Keystone's. */
import type { Refusal } from '../../domain/errors.ts'
import type { ErrorAnswer, ErrorWords } from '../dialect/dialect.ts'
import { keystoneErrors } from './keystone-errors.ts'

interface Words {
  readonly status: number
  readonly type: string
}

const WORDS: Partial<Readonly<Record<Refusal, Words>>> = {
  NOT_FOUND: { status: 404, type: 'HTTPNotFound' },
  FORBIDDEN: { status: 403, type: 'PolicyNotAuthorized' },
  METHOD_NOT_ALLOWED: { status: 405, type: 'HTTPMethodNotAllowed' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, type: 'HTTPUnsupportedMediaType' },
  PROJECT_BUSY: { status: 503, type: 'HTTPServiceUnavailable' },
  IDENTITY_UNAVAILABLE: { status: 503, type: 'HTTPServiceUnavailable' },
}
const OTHERS: Words = { status: 400, type: 'HTTPBadRequest' }

function answer({ status, type }: Words, message: string): ErrorAnswer {
  return { status, body: { NeutronError: { type, message, detail: '' } } }
}

export const neutronErrors: ErrorWords = {
  refusal: (refusal, requestId) =>
    refusal.code === 'UNAUTHENTICATED'
      ? keystoneErrors.refusal(refusal, requestId)
      : answer(WORDS[refusal.code] ?? OTHERS, refusal.message),
  internal: () =>
    answer({ status: 500, type: 'HTTPInternalServerError' }, 'Request Failed: internal server error.'),
}
