import type { Middleware } from 'koa'
import type { ApiDependencies, ApiState } from './context.ts'

/** Counts, times and logs every request by its route pattern; ids and query strings stay out of metrics. */
export function observation(deps: ApiDependencies): Middleware<ApiState> {
  return async (ctx, next) => {
    const start = performance.now()
    try {
      await next()
    } finally {
      const seconds = (performance.now() - start) / 1000
      const route = typeof ctx['_matchedRoute'] === 'string' ? ctx['_matchedRoute'] : 'none'
      deps.observe({ method: ctx.method, route, status: ctx.status, seconds })
      deps.log.info(
        {
          req_id: ctx.state.requestId,
          project_id: ctx.state.identity?.projectId,
          method: ctx.method,
          path: ctx.path,
          status: ctx.status,
          ms: Math.round(seconds * 10_000) / 10,
        },
        'request',
      )
    }
  }
}
