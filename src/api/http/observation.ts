/** Counts, times and logs every request; and a line of audit for every write that succeeded. */
import type { Context, Middleware } from 'koa'
import { LOGGED_PATH_MAX } from '../../domain/limits.ts'
import { auditFields } from './audit.ts'
import { clientAddress } from './client-address.ts'
import type { ApiDependencies, ApiState } from './context.ts'
import { withoutToken } from './public-link.ts'

/** Requested by machines every few seconds. */
const ROUTINE: ReadonlySet<string> = new Set(['/livez', '/healthcheck'])

/**
 * Metrics are labelled with the route's pattern, without ids and query strings. The log has the path as it was sent.
 */
export function observation(deps: ApiDependencies): Middleware<ApiState> {
  return async (ctx, next) => {
    const start = performance.now()
    try {
      await next()
    } finally {
      const seconds = (performance.now() - start) / 1000
      const { method, status } = ctx
      const route = typeof ctx['_matchedRoute'] === 'string' ? ctx['_matchedRoute'] : 'none'
      deps.observe({
        method,
        route,
        dialect: ctx.state.dialect?.name ?? ctx.state.door ?? 'none',
        status,
        seconds,
      })
      const path = withoutToken(ctx.originalUrl.split('?', 1)[0] ?? '')
      const who = callerOf(ctx, ctx.state, deps)
      const facts = {
        ...who,
        method,
        path: path.slice(0, LOGGED_PATH_MAX),
        status,
        ms: Math.round(seconds * 10_000) / 10,
      }
      if (ROUTINE.has(path)) deps.log.debug(facts, 'request')
      else deps.log.info(facts, 'request')
      const audit = auditFields({ method, status, route, params: ctx['params'], state: ctx.state })
      if (audit !== undefined) deps.log.info({ ...who, ...audit }, 'audit')
    }
  }
}

function callerOf(ctx: Context, state: Partial<ApiState>, { settings }: ApiDependencies): object {
  return {
    req_id: state.requestId,
    project_id: state.identity?.projectId,
    user_id: state.identity?.userId,
    client: clientAddress(ctx, settings.trustedProxies),
    dialect: state.dialect?.name ?? state.door,
  }
}
