/**
 * The API as a Koa application. A request goes one way: id → observation → error boundary → guard of the
 * no-identity mode → route → identity. Dialects are mounted by prefix; the bare path speaks the default one.
 */
import Router from '@koa/router'
import Koa, { type Middleware } from 'koa'
import { DomainError } from '../domain/errors.ts'
import { policyOf } from '../identity/policy.ts'
import { findPublicPageByHash } from '../store/configuration/public-pages.ts'
import { query } from '../store/connection/database.ts'
import { accessOf } from './http/access.ts'
import { Admission } from './http/admission.ts'
import { BODY, LARGE_BODY } from './http/body.ts'
import { clientAddress } from './http/client-address.ts'
import type { ApiContext, ApiDependencies, ApiState, Route } from './http/context.ts'
import type { Dialect, ServedApi } from './dialect/dialect.ts'
import type { Door } from './dialect/door.ts'
import { DIALECTS, DOORS } from './dialects.ts'
import { doorOfListener } from './http/door-request.ts'
import { errorBoundary } from './http/errors.ts'
import { developmentIdentityRoutes } from './openstack/development-identity.ts'
import { assertPathProject, noIdentityGuard } from './http/guards.ts'
import { writeJson } from './http/json-body.ts'
import { networkReads } from './openstack/network-reads.ts'
import { observation } from './http/observation.ts'
import { RenderedRows } from './http/rendered-rows.ts'
import { requestId } from './http/request-id.ts'
import { requestTarget } from './http/request-target.ts'
import { PublicAnswers } from './public/answers.ts'
import { makePageAnswer } from './public/page-answer.ts'
import { serviceRouter } from './service/routes.ts'
import { V1 } from './v1/api.ts'
import { StoreWatch } from './http/store-watch.ts'
import { acceptSession } from './http/session-cookie.ts'
import { sharerOf } from './http/sharer.ts'

/** Builds the application; the caller listens. */
export function createApp(given: ApiDependencies): Koa<ApiState> {
  const storeWatch = new StoreWatch(given.log, () => query(given.db, 'select 1'))
  const admission = new Admission(given.admission)
  const publicAnswers = new PublicAnswers({
    find: (hash) => findPublicPageByHash(given.db, hash),
    make: (page) => makePageAnswer(given.db, page),
    admit: (sharer, work) => admission.admit(sharer, work),
  })
  const deps: ApiDependencies = {
    ...given,
    publicAnswers,
    onStoreAway: (error) => storeWatch.away(error),
  }
  const app = new Koa<ApiState>()
  app.silent = true
  const shared: Shared = { admission, renderedRows: new RenderedRows() }
  app.use(requestId)
  app.use(requestTarget)
  app.use(observation(deps))
  app.use(errorBoundary(DIALECTS[0].errors, deps))
  const doors = DOORS.map((door) => ({ api: door, door, router: routerOf(door, deps, shared) }))
  app.use(ownListeners(new Map(doors.map((each) => [each.door.name, mount(each, deps, '')]))))
  app.use(serviceRouter(deps))
  app.use(developmentIdentityRoutes(deps))
  app.use(networkReads(deps))
  app.use(mount({ api: V1, router: routerOf(V1, deps, shared) }, deps, V1.prefix))
  const served = DIALECTS.map((dialect) => ({
    api: dialect,
    dialect,
    router: routerOf(dialect, deps, shared),
  }))
  for (const each of [...served, ...doors]) app.use(mount(each, deps, each.api.prefix))
  const byDefault = served.find(({ dialect }) => dialect.name === deps.settings.defaultDialect) ?? served[0]
  if (byDefault !== undefined) app.use(mount(byDefault, deps, ''))
  return app
}

interface Served {
  readonly api: ServedApi
  /** Without dialect and door it is our own API: its paths have their prefix. */
  readonly dialect?: Dialect
  readonly door?: Door
  readonly router: Middleware<ApiState>
}

/** What came in by the listener of a door is for that door alone. */
function ownListeners(mounts: ReadonlyMap<string, Middleware<ApiState>>): Middleware<ApiState> {
  return async (ctx, next) => {
    const name = doorOfListener(ctx.req)
    if (name === undefined) return await next()
    const alone = mounts.get(name)
    if (alone === undefined) throw new DomainError('ROUTE_NOT_FOUND', 'The path does not exist.')
    await alone(ctx, next)
  }
}

/** Serves an API below its prefix; an empty prefix is everything that is left. */
function mount(
  { api, dialect, door, router }: Served,
  deps: ApiDependencies,
  prefix: string,
): Middleware<ApiState> {
  const boundary = errorBoundary(api.errors, deps)
  const guard = noIdentityGuard(deps.settings)
  return async (ctx, next) => {
    if (prefix !== '' && ctx.path !== prefix && !ctx.path.startsWith(`${prefix}/`)) return await next()
    if (dialect !== undefined) ctx.state.dialect = dialect
    if (door !== undefined) ctx.state.door = door.name
    if (dialect !== undefined || door !== undefined) {
      ctx.state.mount = prefix
      ctx.path = ctx.path.slice(prefix.length) || '/'
    }
    await boundary(ctx, async () => {
      guard(ctx)
      api.guard?.(ctx as ApiContext)
      acceptSession(ctx as ApiContext, deps)
      await router(ctx, next)
      writeJson(ctx)
    })
  }
}

function routerOf(
  api: ServedApi & Pick<Door, 'headers'>,
  deps: ApiDependencies,
  shared: Shared,
): Middleware<ApiState> {
  const router = new Router<ApiState>({ exclusive: false })
  const ruleFor = policyOf(api.policy)
  const headersOf = api.headers ?? ((headers) => headers)
  for (const route of api.routes(deps)) {
    router.register([...route.paths], [route.method], async (ctx) => {
      if (route.reach !== undefined) ctx.state.reach = route.reach
      if (route.open !== true) {
        ctx.state.identity = await deps.identify(
          headersOf(ctx.headers),
          clientAddress(ctx, deps.settings.trustedProxies),
        )
        assertPathProject(ctx as ApiContext)
        ctx.state.access = accessOf(api.access, {
          ruleFor,
          identity: ctx.state.identity,
          rbac: deps.settings.rbac,
          method: route.method,
          path: route.paths[0] ?? '',
        })
      }
      await handled(route, ctx as ApiContext, shared)
    })
  }
  const dispatch = router.routes()
  return async (ctx) => {
    // This is the last handler: what it does not know is an unknown path.
    await dispatch(ctx as Parameters<typeof dispatch>[0], () => Promise.resolve())
    if (ctx['routerPath'] !== undefined || ctx.status !== 404 || ctx.body !== undefined) return
    answerUnrouted(ctx as ApiContext, api, router)
  }
}

/** What all requests of the application share. */
type Shared = Pick<ApiState, 'admission' | 'renderedRows'>

/** Receives the body, then does the work with the database: both within the limits of the project. */
async function handled(route: Route, ctx: ApiContext, shared: Shared): Promise<void> {
  const { admission } = Object.assign(ctx.state, shared)
  if (route.open === true) return await route.handler(ctx)
  const share = sharerOf(ctx.state.identity)
  if (route.admitsItself === true) return await route.handler(ctx)
  const work = () => admission.admit(share, () => route.handler(ctx))
  if (route.method !== 'post' && route.method !== 'put') return await work()
  await admission.withBody(ctx, share, route.largeBody === true ? LARGE_BODY : BODY, async (body) => {
    ctx.state.received = body
    await work()
  })
}

/** No route matched: the path exists with other methods (405), or not at all (404). */
function answerUnrouted(ctx: ApiContext, api: ServedApi, router: Router<ApiState>): void {
  const allowed = new Set(router.match(ctx.path, ctx.method).path.flatMap((layer) => layer.methods))
  if (allowed.size === 0) throw new DomainError('ROUTE_NOT_FOUND', 'The path does not exist.')
  ctx.set('Allow', [...allowed].join(', '))
  if (api.otherMethod?.(ctx, allowed) === true) return
  throw new DomainError('METHOD_NOT_ALLOWED', `The method ${ctx.method} is not allowed.`, {
    method: ctx.method,
  })
}
