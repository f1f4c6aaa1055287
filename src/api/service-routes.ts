/**
 * What is not part of any dialect: `/livez` (the process runs), `/healthcheck` (and the database answers), `/docs`,
 * without identity and before the guards of the dialects; and `/v1/probers`, for administrators.
 */
import type { Context, Middleware } from 'koa'
import { DomainError } from '../domain/errors.ts'
import { RETRY_AFTER_SECONDS } from '../domain/limits.ts'
import { query } from '../store/database.ts'
import type { ApiDependencies, ApiState, ServiceRoute } from './context.ts'
import { docsRoutes, isForPeople } from './docs.ts'
import { answerProbers, PROBERS_PATH } from './probers.ts'

export function serviceRoutes(deps: ApiDependencies): readonly ServiceRoute[] {
  return [
    { path: '/livez', answer: (ctx) => void (ctx.body = { status: 'ok' }) },
    { path: '/healthcheck', answer: (ctx) => answerHealth(ctx, deps) },
    { path: PROBERS_PATH, answer: (ctx) => answerProbers(ctx, deps) },
    ...docsRoutes(),
  ]
}

/** Answers the service's own routes and leaves everything else to the dialects. Throws METHOD_NOT_ALLOWED. */
export function serviceRouter(deps: ApiDependencies): Middleware<ApiState> {
  const routes = new Map(serviceRoutes(deps).map((route) => [route.path, route]))
  return async (ctx, next) => {
    if (isForPeople(ctx)) {
      ctx.vary('Accept')
      ctx.redirect('/docs')
      return
    }
    const route = routes.get(ctx.path)
    if (route === undefined) return await next()
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') {
      const { method } = ctx
      ctx.set('Allow', 'GET, HEAD')
      throw new DomainError('METHOD_NOT_ALLOWED', `The method ${method} is not allowed.`, { method })
    }
    await route.answer(ctx)
  }
}

async function answerHealth(ctx: Context, deps: ApiDependencies): Promise<void> {
  try {
    await query(deps.db, 'select 1')
    ctx.body = { status: 'ok', database: 'ok' }
  } catch (error) {
    deps.storeAway?.(error)
    ctx.status = 503
    ctx.set('Retry-After', String(RETRY_AFTER_SECONDS))
    ctx.body = { status: 'unavailable', database: 'unavailable' }
  }
}
