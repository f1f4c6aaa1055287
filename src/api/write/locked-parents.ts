/** Parents of what a request writes, locked: load balancer before pool. */
import { notFound } from '../../domain/errors.ts'
import type { LoadBalancer } from '../../domain/types.ts'
import type { Tx } from '../../store/connection/database.ts'
import { type LockedPool, lockLoadBalancer, lockPool } from '../../store/configuration/parents.ts'
import type { ApiContext } from '../http/context.ts'

/** Locks a load balancer for an identity. Throws NOT_FOUND, FORBIDDEN and IMMUTABLE. */
export async function lockLoadBalancerFor(ctx: ApiContext, tx: Tx, id: string): Promise<LoadBalancer> {
  const loadBalancer = await lockLoadBalancer(tx, id, ctx.state.access.byId)
  if (loadBalancer === undefined) throw notFound('loadbalancer', id)
  ctx.state.access.authorise(loadBalancer.projectId)
  return loadBalancer
}

/** Locks a pool and its load balancer for an identity. Throws NOT_FOUND and FORBIDDEN. */
export async function lockPoolFor(ctx: ApiContext, tx: Tx, id: string): Promise<LockedPool> {
  const parents = await lockPool(tx, id, ctx.state.access.byId)
  if (parents === undefined) throw notFound('pool', id)
  ctx.state.access.authorise(parents.pool.projectId)
  return parents
}
