/**
 * Locks on parents, always in the order load balancer → pool, so that writes below one load balancer are serialised
 * and two writers can never wait for each other. A project filter of `undefined` reads every project (administrators).
 */
import { DomainError } from '../domain/errors.ts'
import type { LoadBalancer, Pool } from '../domain/types.ts'
import { type Tx, query, sqlState } from './database.ts'
import {
  LOAD_BALANCER_COLUMNS,
  POOL_COLUMNS,
  type LoadBalancerRow,
  type PoolRow,
  toLoadBalancer,
  toPool,
} from './rows.ts'

export interface LockedPool {
  readonly pool: Pool
  readonly loadBalancer: LoadBalancer
}

const LOCK_NOT_AVAILABLE = '55P03'

/**
 * Locks a load balancer against other writers; undefined when it is not there or is another project's. Throws IMMUTABLE
 * when the others are not done within LOCK_TIMEOUT_MS.
 */
export async function lockLoadBalancer(
  tx: Tx,
  id: string,
  projectId: string | undefined,
): Promise<LoadBalancer | undefined> {
  try {
    const rows = await query<LoadBalancerRow>(
      tx,
      `select ${LOAD_BALANCER_COLUMNS} from load_balancer lb
       where lb.id = ? and (?::text is null or lb.project_id = ?) for no key update`,
      [id, projectId ?? null, projectId ?? null],
    )
    return rows[0] && toLoadBalancer(rows[0])
  } catch (error) {
    if (sqlState(error) !== LOCK_NOT_AVAILABLE) throw error
    const message = `load balancer ${id} is being changed by another request`
    throw new DomainError('IMMUTABLE', message, { resource: 'loadbalancer', id }, { cause: error })
  }
}

/** Locks a pool and its load balancer against other writers; undefined when it is not there or another project's. */
export async function lockPool(
  tx: Tx,
  id: string,
  projectId: string | undefined,
): Promise<LockedPool | undefined> {
  const parents = await query<{ load_balancer_id: string }>(
    tx,
    'select load_balancer_id from pool where id = ? and (?::text is null or project_id = ?)',
    [id, projectId ?? null, projectId ?? null],
  )
  const parent = parents[0]
  if (parent === undefined) return undefined
  const loadBalancer = await lockLoadBalancer(tx, parent.load_balancer_id, undefined)
  const pools = await query<PoolRow>(
    tx,
    `select ${POOL_COLUMNS} from pool p where p.id = ? for no key update`,
    [id],
  )
  const pool = pools[0]
  // The pool may have been deleted while we waited for its load balancer.
  if (loadBalancer === undefined || pool === undefined) return undefined
  return { pool: toPool(pool), loadBalancer }
}

/** Tells probers that checks of these pools changed: raises their versions, one NOTIFY per shard at commit. */
export async function touchPools(tx: Tx, poolIds: readonly string[]): Promise<void> {
  if (poolIds.length === 0) return
  await query(
    tx,
    `with touched as (
       update pool set config_version = config_version + 1 where id = any(?::uuid[]) returning shard
     )
     select pg_notify('hm_config', shard::text) from (select distinct shard from touched) shards`,
    [poolIds],
  )
}

/** As `touchPools`, for every pool of a load balancer. */
export async function touchLoadBalancer(tx: Tx, loadBalancerId: string): Promise<void> {
  await query(
    tx,
    `with touched as (
       update pool set config_version = config_version + 1 where load_balancer_id = ? returning shard
     )
     select pg_notify('hm_config', shard::text) from (select distinct shard from touched) shards`,
    [loadBalancerId],
  )
}

/** Tells probers that a pool is gone. */
export async function notifyShard(tx: Tx, shard: number): Promise<void> {
  await query(tx, `select pg_notify('hm_config', ?::text)`, [String(shard)])
}
