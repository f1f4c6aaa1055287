/**
 * Refusals as both generations of Kuma's clients read them (docs/peers/kuma.md 5): `details` and `causes` are the words of
 * version 1, `detail` and `invalid_parameters` those of version 2.
 */
import type { DomainError, Refusal } from '../../../domain/errors.ts'
import { REFUSAL_STATUSES } from '../../http/refusal-statuses.ts'
import type { ErrorAnswer, ErrorWords } from '../dialect.ts'
import { type Finding, findingsOf } from './findings.ts'

/** A mesh that has proxies is a resource that is not valid (docs/peers/kuma.md 4). */
const STATUSES: Readonly<Record<Refusal, number>> = { ...REFUSAL_STATUSES, IN_USE: 400 }

/** Titles of refusals that do not bring one. */
const TITLES: Readonly<Partial<Record<Refusal, string>>> = {
  INVALID_JSON: 'Bad Request',
  METHOD_NOT_ALLOWED: 'Method not allowed',
  ROUTE_NOT_FOUND: 'Page Not Found',
  NOT_FOUND: 'Could not retrieve a resource',
  UNAUTHENTICATED: 'Invalid authentication data',
  FORBIDDEN: 'Access Denied',
}

export const kumaErrors: ErrorWords = {
  refusal: (error, requestId) => {
    const title = error.facts['title'] ?? TITLES[error.code] ?? 'Could not process a resource'
    const problem = { title: String(title), detail: error.message, findings: shownFindings(error) }
    return answerOf(STATUSES[error.code], problem, requestId)
  },
  internal: (requestId) =>
    answerOf(
      500,
      { title: 'Could not process a resource', detail: 'Internal Server Error', findings: [] },
      requestId,
    ),
}

/** A rule of the whole service names one field; rules of this dialect bring their findings. */
function shownFindings(error: DomainError): readonly Finding[] {
  const { field, reason } = error.facts
  if (error.facts['findings'] !== undefined || field === undefined) return findingsOf(error)
  return [{ field: String(field), message: String(reason ?? error.message) }]
}

interface Problem {
  readonly title: string
  readonly detail: string
  readonly findings: readonly Finding[]
}

function answerOf(status: number, { title, detail, findings }: Problem, requestId: string): ErrorAnswer {
  return {
    status,
    body: {
      type: '/std-errors',
      status,
      title,
      detail,
      instance: requestId,
      details: detail,
      ...(findings.length === 0
        ? {}
        : {
            invalid_parameters: findings.map(({ field, message }) => ({ field, reason: message })),
            causes: findings,
          }),
    },
  }
}
