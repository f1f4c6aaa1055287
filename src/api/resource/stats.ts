/** `…/{loadbalancers|listeners}/{id}/stats`: counters of the traffic, which is none: we carry no traffic. */
import { notFound } from '../../domain/errors.ts'
import { findListener } from '../../store/configuration/listeners.ts'
import { findLoadBalancer } from '../../store/configuration/load-balancers.ts'
import { type ApiContext, type ApiDependencies, pathId, type Route } from '../http/context.ts'

export interface StatsDialect {
  readonly paths: (path: string) => readonly string[]
}

const NO_TRAFFIC = {
  bytes_in: 0,
  bytes_out: 0,
  active_connections: 0,
  total_connections: 0,
  request_errors: 0,
} as const

export function statsRoutes(deps: ApiDependencies, dialect: StatsDialect): Route[] {
  const known = {
    loadbalancer: (id: string, projectId: string | undefined) =>
      findLoadBalancer(deps.db, { id, projectId, meaning: 'switch' }),
    listener: (id: string, projectId: string | undefined) => findListener(deps.db, id, projectId),
  }
  const kinds = ['loadbalancer', 'listener'] as const
  return kinds.map((resource) => ({
    method: 'get',
    paths: dialect.paths(`/${resource}s/:id/stats`),
    handler: async (ctx: ApiContext) => {
      const id = pathId(ctx, 'id', resource)
      const found = await known[resource](id, ctx.state.access.byId)
      if (found === undefined) throw notFound(resource, id)
      ctx.state.access.authorise(found.projectId)
      ctx.body = { stats: NO_TRAFFIC }
    },
  }))
}
