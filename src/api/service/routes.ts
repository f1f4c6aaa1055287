/**
 * What is not part of any dialect: `/livez` (the process runs), `/healthcheck` (and the database takes writes), `/docs`,
 * without identity and before the guards of the dialects; and `/v1/probers`, for administrators.
 */
import type { Middleware } from 'koa'
import { DomainError } from '../../domain/errors.ts'
import type { Admission } from '../http/admission.ts'
import type { ApiDependencies, ApiState, ServiceRoute } from '../http/context.ts'
import { docsRoutes, isForPeople } from './docs.ts'
import { assertOneHost } from '../http/guards.ts'
import { healthCheck } from './health-check.ts'
import { answerProbers, PROBERS_PATH } from './probers.ts'

export function serviceRoutes(deps: ApiDependencies, admission: Admission): readonly ServiceRoute[] {
  return [
    { path: '/livez', answer: (ctx) => void (ctx.body = { status: 'ok' }) },
    { path: '/healthcheck', answer: healthCheck(deps) },
    { path: PROBERS_PATH, answer: (ctx) => answerProbers(ctx, deps, admission) },
    ...docsRoutes(),
  ]
}

/** Answers the service's own routes and leaves everything else to the dialects. Throws METHOD_NOT_ALLOWED. */
export function serviceRouter(deps: ApiDependencies, admission: Admission): Middleware<ApiState> {
  const routes = new Map(serviceRoutes(deps, admission).map((route) => [route.path, route]))
  return async (ctx, next) => {
    if (isForPeople(ctx)) {
      assertOneHost(ctx)
      ctx.vary('Accept')
      ctx.redirect('/docs')
      // Koa would say the same once more, in a body.
      ctx.body = ''
      return
    }
    const route = routes.get(ctx.path)
    if (route === undefined) return await next()
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') {
      const { method } = ctx
      ctx.set('Allow', 'GET, HEAD')
      throw new DomainError('METHOD_NOT_ALLOWED', `The method ${method} is not allowed.`, { method })
    }
    assertOneHost(ctx)
    await route.answer(ctx)
  }
}
