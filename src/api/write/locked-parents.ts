/** Parents of what a request writes, locked: load balancer before pool. */
import { notFound } from '../../domain/errors.ts'
import type { LoadBalancer } from '../../domain/types.ts'
import type { Tx } from '../../store/connection/database.ts'
import {
  type LockedForMonitor,
  type LockedPool,
  lockLoadBalancer,
  lockPool,
  lockPoolForMonitor,
} from '../../store/configuration/parents.ts'
import type { ApiContext } from '../http/context.ts'

/** Locks a load balancer for an identity. Throws NOT_FOUND, FORBIDDEN and IMMUTABLE. */
export async function lockLoadBalancerFor(ctx: ApiContext, tx: Tx, id: string): Promise<LoadBalancer> {
  const loadBalancer = await lockLoadBalancer(tx, id, ctx.state.access.byId)
  if (loadBalancer === undefined) throw notFound('loadbalancer', id)
  ctx.state.access.authorise(loadBalancer.projectId)
  return loadBalancer
}

/** Locks a pool and its load balancer for an identity, and the reach of the route. Throws NOT_FOUND and FORBIDDEN. */
export async function lockPoolFor(ctx: ApiContext, tx: Tx, id: string): Promise<LockedPool> {
  return lockedFor(ctx, id, await lockPool(tx, id, ctx.state.access.byId, ctx.state.reach))
}

/** As `lockPoolFor`, with what a new monitor needs to be known. */
export async function lockPoolForNewMonitor(ctx: ApiContext, tx: Tx, id: string): Promise<LockedForMonitor> {
  return lockedFor(ctx, id, await lockPoolForMonitor(tx, id, ctx.state.access.byId))
}

function lockedFor<Locked extends LockedPool>(
  ctx: ApiContext,
  id: string,
  parents: Locked | undefined,
): Locked {
  if (parents === undefined) throw notFound('pool', id)
  ctx.state.access.authorise(parents.pool.projectId)
  return parents
}
