/**
 * What is not part of any API: `/livez` (the process runs), `/healthcheck` (and the database takes writes), `/docs` and the
 * files of `/ui/`, and the pages for strangers; without identity and before the guards of the dialects.
 */
import type { Middleware } from 'koa'
import { DomainError } from '../../domain/errors.ts'
import type { ApiDependencies, ApiState, ServiceRoute } from '../http/context.ts'
import { docsRoutes, isForPeople } from './docs.ts'
import { assertOneHost } from '../http/guards.ts'
import { healthCheck } from './health-check.ts'
import { publicPattern, publicServiceRoutes } from '../public/routes.ts'
import { UI_ASSETS, UiFiles, uiRoutes } from './ui.ts'

export function serviceRoutes(deps: ApiDependencies): readonly ServiceRoute[] {
  const files = new UiFiles()
  return [
    { path: '/livez', answer: (ctx) => void (ctx.body = { status: 'ok' }) },
    { path: '/healthcheck', answer: healthCheck(deps) },
    ...docsRoutes(),
    ...uiRoutes(files),
    ...publicServiceRoutes(deps, files),
  ]
}

/** Answers the service's own routes and leaves everything else to the dialects. Throws METHOD_NOT_ALLOWED. */
export function serviceRouter(deps: ApiDependencies): Middleware<ApiState> {
  const routes = new Map(serviceRoutes(deps).map((route) => [route.path, route]))
  return async (ctx, next) => {
    if (isForPeople(ctx)) {
      assertOneHost(ctx)
      ctx.vary('Accept')
      ctx.redirect('ui/')
      // Koa would say the same once more, in a body.
      ctx.body = ''
      return
    }
    const pattern = ctx.path.startsWith('/ui/assets/') ? UI_ASSETS : (publicPattern(ctx.path) ?? ctx.path)
    const route = routes.get(pattern)
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
