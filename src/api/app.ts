/**
 * The API as a Koa application. A request goes one way: id → observation → error boundary → guard of the
 * no-identity mode → route → identity. Dialects are mounted by prefix; the bare path speaks the default one.
 */
import Router from '@koa/router'
import Koa, { type Middleware } from 'koa'
import { DomainError } from '../domain/errors.ts'
import { type ApiContext, type ApiDependencies, type ApiState, type Route } from './context.ts'
import type { ErrorWords } from './dialect/dialect.ts'
import { elbErrors } from './dialect/elb/errors.ts'
import { elbRoutes } from './dialect/elb/routes.ts'
import { errorBoundary } from './errors.ts'
import { developmentIdentityRoutes } from './development-identity.ts'
import { assertAllowed, assertPathProject, noIdentityGuard } from './guards.ts'
import { networkReads } from './network-reads.ts'
import { observation } from './observation.ts'
import { requestId } from './request-id.ts'
import { requestTarget } from './request-target.ts'
import { serviceRouter } from './service-routes.ts'

/** Builds the application; the caller listens. */
export function createApp(deps: ApiDependencies): Koa<ApiState> {
  const app = new Koa<ApiState>()
  app.silent = true
  app.use(requestId)
  app.use(requestTarget)
  app.use(observation(deps))
  // What is outside of the dialects refuses in elb's words.
  app.use(errorBoundary(elbErrors, deps.log))
  app.use(serviceRouter(deps))
  app.use(developmentIdentityRoutes(deps))
  app.use(networkReads(deps))
  app.use(mount('/elb', deps, { errors: elbErrors, routes: elbRoutes(deps) }))
  return app
}

interface MountedDialect {
  readonly errors: ErrorWords
  readonly routes: readonly Route[]
}

/** Serves a dialect below its prefix and, as nothing else is left, on the bare path. */
function mount(prefix: string, deps: ApiDependencies, dialect: MountedDialect): Middleware<ApiState> {
  const boundary = errorBoundary(dialect.errors, deps.log)
  const router = routerOf(dialect.routes, deps)
  const guard = noIdentityGuard(deps.settings)
  return async (ctx, next) => {
    const mounted = ctx.path === prefix || ctx.path.startsWith(`${prefix}/`)
    ctx.state.mount = mounted ? prefix : ''
    if (mounted) ctx.path = ctx.path.slice(prefix.length) || '/'
    await boundary(ctx, async () => {
      guard(ctx)
      await router(ctx, next)
    })
  }
}

function routerOf(routes: readonly Route[], deps: ApiDependencies): Middleware<ApiState> {
  const router = new Router<ApiState>({ exclusive: false })
  for (const route of routes) {
    router.register([...route.paths], [route.method], async (ctx) => {
      if (route.open !== true) {
        ctx.state.identity = await deps.identify(ctx.headers)
        assertPathProject(ctx as ApiContext)
        assertAllowed(ctx as ApiContext, route.method, route.paths[0] ?? '')
      }
      await route.handler(ctx as ApiContext)
    })
  }
  const dispatch = router.routes() as unknown as Middleware<ApiState>
  return async (ctx, next) => {
    await dispatch(ctx, next)
    if (ctx['routerPath'] !== undefined || ctx.status !== 404 || ctx.body !== undefined) return
    refuseUnrouted(ctx as ApiContext, router)
  }
}

/** Nobody answered: the path exists with other methods (405), or not at all (404). */
function refuseUnrouted(ctx: ApiContext, router: Router<ApiState>): never {
  const allowed = router.match(ctx.path, ctx.method).path.flatMap((layer) => layer.methods)
  if (allowed.length === 0) throw new DomainError('ROUTE_NOT_FOUND', 'The path does not exist.')
  ctx.set('Allow', [...new Set(allowed)].join(', '))
  throw new DomainError('METHOD_NOT_ALLOWED', `The method ${ctx.method} is not allowed.`, {
    method: ctx.method,
  })
}
