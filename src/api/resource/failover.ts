/** `PUT …/loadbalancers/{id}/failover`: there is nothing to move, so it is done at once; it ends ERROR. */
import { activateLoadBalancer } from '../../store/configuration/load-balancers.ts'
import { lockLoadBalancerFor } from '../write/locked-parents.ts'
import { type ApiContext, type ApiDependencies, pathId, type Route } from '../http/context.ts'
import { assertChangeable, SETTLED } from './load-balancers.ts'
import { writing } from '../write/writing.ts'

export interface FailoverDialect {
  readonly paths: (path: string) => readonly string[]
}

export function failoverRoutes(deps: ApiDependencies, dialect: FailoverDialect): Route[] {
  return [
    {
      method: 'put',
      paths: dialect.paths('/loadbalancers/:id/failover'),
      handler: (ctx) => failOver(ctx, deps),
    },
  ]
}

async function failOver(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const id = pathId(ctx, 'id', 'loadbalancer')
  await writing(ctx, deps, async (tx) => {
    const stored = await lockLoadBalancerFor(ctx, tx, id)
    assertChangeable(ctx, stored, SETTLED)
    await activateLoadBalancer(tx, id)
  })
  ctx.status = 202
  ctx.body = ''
  ctx.remove('Content-Type')
}
