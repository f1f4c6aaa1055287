/** The error boundary: the only place where a refusal becomes HTTP. */
import type { Middleware } from 'koa'
import { DomainError, type Refusal } from '../../domain/errors.ts'
import { RETRY_AFTER_SECONDS } from '../../domain/limits.ts'
import { storeRefusal } from '../../store/connection/database.ts'
import type { ApiDependencies, ApiState } from './context.ts'
import type { ErrorWords } from '../dialect/dialect.ts'

/** Refusals after which a retry may succeed. */
const LATER: ReadonlySet<Refusal> = new Set([
  'IDENTITY_UNAVAILABLE',
  'PROJECT_BUSY',
  'PROBE_UNANSWERED',
  'STORE_UNAVAILABLE',
])

/**
 * Answers every error in the form of the request's dialect; an unexpected error is logged, and its details are not
 * sent.
 */
export function errorBoundary(
  words: ErrorWords,
  { log, onStoreAway }: Pick<ApiDependencies, 'log' | 'onStoreAway'>,
): Middleware<ApiState> {
  return async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      const refusal = error instanceof DomainError ? error : storeRefusal(error)
      const { requestId } = ctx.state
      const answer = refusal === undefined ? words.internal(requestId) : words.refusal(refusal, requestId)
      if (refusal === undefined) log.error({ req_id: requestId, err: error }, 'request failed')
      if (refusal?.code === 'UNAUTHENTICATED' && refusal.facts['identityUrl'] !== undefined) {
        ctx.set('WWW-Authenticate', `Keystone uri="${refusal.facts['identityUrl']}"`)
      }
      if (refusal !== undefined && LATER.has(refusal.code)) {
        ctx.set('Retry-After', String(RETRY_AFTER_SECONDS))
      }
      const retryAfter = refusal?.facts['retryAfterSeconds']
      if (retryAfter !== undefined) ctx.set('Retry-After', String(retryAfter))
      if (refusal?.code === 'STORE_UNAVAILABLE') onStoreAway?.(refusal.cause)
      ctx.status = answer.status
      ctx.body = answer.body
      if (answer.mediaType !== undefined) ctx.type = answer.mediaType
    }
  }
}
