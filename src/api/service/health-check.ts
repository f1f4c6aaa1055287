/**
 * `GET /healthcheck`: 200 while the database answers and takes writes. However many requests come, there is one check
 * at a time, so that this path, which needs no identity, uses one connection at most.
 */
import type { Context } from 'koa'
import { RETRY_AFTER_SECONDS } from '../../domain/limits.ts'
import { takesWrites } from '../../store/connection/writability.ts'
import type { ApiDependencies } from '../http/context.ts'

type DatabaseWord = 'ok' | 'read-only' | 'unavailable'

export function healthCheck(deps: ApiDependencies): (ctx: Context) => Promise<void> {
  let look: Promise<DatabaseWord> | undefined
  return async (ctx) => {
    look ??= databaseWord(deps).finally(() => {
      look = undefined
    })
    const database = await look
    ctx.body = { status: database === 'ok' ? 'ok' : 'unavailable', database }
    if (database === 'ok') return
    ctx.status = 503
    ctx.set('Retry-After', String(RETRY_AFTER_SECONDS))
  }
}

async function databaseWord({ db, onStoreAway }: ApiDependencies): Promise<DatabaseWord> {
  try {
    return (await takesWrites(db)) ? 'ok' : 'read-only'
  } catch (error) {
    onStoreAway?.(error)
    return 'unavailable'
  }
}
