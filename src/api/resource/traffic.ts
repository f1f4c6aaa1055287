/**
 * `POST …/pools/{id}/traffic`: the component that carries the traffic of a pool reports that there is some. We see none
 * ourselves.
 */
import { notFound } from '../../domain/errors.ts'
import { ownerOfPool } from '../../store/configuration/members.ts'
import { noteTraffic } from '../../store/configuration/traffic.ts'
import { type ApiContext, type ApiDependencies, pathId, type Route } from '../http/context.ts'

export interface TrafficDialect {
  readonly paths: (path: string) => readonly string[]
}

export function trafficRoutes(deps: ApiDependencies, dialect: TrafficDialect): Route[] {
  return [{ method: 'post', paths: dialect.paths('/pools/:id/traffic'), handler: (ctx) => note(ctx, deps) }]
}

async function note(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const poolId = pathId(ctx, 'id', 'pool')
  const owner = await ownerOfPool(deps.db, poolId, ctx.state.access.byId)
  if (owner === undefined) throw notFound('pool', poolId)
  ctx.state.access.authorise(owner)
  await noteTraffic(deps.db, poolId)
  ctx.status = 204
}
