/** What is not part of any dialect: `/livez` (the process runs) and `/healthcheck` (and the database answers). */
import type { Middleware } from 'koa'
import { RETRY_AFTER_SECONDS } from '../domain/limits.ts'
import { query } from '../store/database.ts'
import type { ApiDependencies, ApiState } from './context.ts'

export function serviceRoutes(deps: ApiDependencies): Middleware<ApiState> {
  return async (ctx, next) => {
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') return await next()
    if (ctx.path === '/livez') {
      ctx.body = { status: 'ok' }
    } else if (ctx.path === '/healthcheck') {
      await answerHealth(ctx, deps)
    } else {
      await next()
    }
  }
}

async function answerHealth(ctx: Parameters<Middleware<ApiState>>[0], deps: ApiDependencies): Promise<void> {
  try {
    await query(deps.db, 'select 1')
    ctx.body = { status: 'ok', database: 'ok' }
  } catch (error) {
    deps.log.error({ err: error }, 'health check: database not available')
    ctx.status = 503
    ctx.set('Retry-After', String(RETRY_AFTER_SECONDS))
    ctx.body = { status: 'unavailable', database: 'unavailable' }
  }
}
