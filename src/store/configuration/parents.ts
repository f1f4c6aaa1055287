/**
 * Locks on parents, always in the order load balancer → pool, so that writes below one load balancer are serialised
 * and two writers can never wait for each other. A project filter of `undefined` reads every project (administrators).
 */
import { DomainError } from '../../domain/errors.ts'
import type { LoadBalancer, Pool } from '../../domain/types.ts'
import { CONFIG_CHANNEL } from '../probing/config-channel.ts'
import { type Tx, query, sqlState } from '../connection/database.ts'
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
  readonly memberCount: number
  /** Traffic was seen: the no-traffic intervals of its monitor are over for good. */
  readonly trafficSeen: boolean
  readonly shard: number
  readonly loadBalancer: LoadBalancer
}

const LOCK_NOT_AVAILABLE = '55P03'

/**
 * Locks a load balancer against other writers; undefined when it does not exist or belongs to another project. Throws
 * IMMUTABLE when the others have not finished within LOCK_TIMEOUT_MS.
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
       where lb.id = $1 and ($2::text is null or lb.project_id = $2) for no key update`,
      [id, projectId ?? null],
    )
    return rows[0] && toLoadBalancer(rows[0])
  } catch (error) {
    throw sqlState(error) === LOCK_NOT_AVAILABLE ? beingChanged(id, error) : error
  }
}

/**
 * Locks a pool and its load balancer against other writers; undefined when it does not exist or belongs to another
 * project.
 */
export async function lockPool(
  tx: Tx,
  id: string,
  projectId: string | undefined,
): Promise<LockedPool | undefined> {
  const scope = projectId ?? null
  return await lockOneOf(tx, {
    pools: 'select sp.id from pool sp where sp.id = $1 and ($2::text is null or sp.project_id = $2)',
    bindings: [id, scope],
  })
}

/** As `lockPool`, the pool of a health monitor. */
export async function lockPoolOfMonitor(
  tx: Tx,
  id: string,
  projectId: string | undefined,
): Promise<LockedPool | undefined> {
  const scope = projectId ?? null
  return await lockOneOf(tx, {
    pools:
      'select sm.pool_id from health_monitor sm where sm.id = $1 and ($2::text is null or sm.project_id = $2)',
    bindings: [id, scope],
  })
}

/**
 * Locks the one pool that a statement selects. The statements are sent together; each sees the state after the locks
 * before it. The pool, or the object that led to it, may have been deleted while we waited for its load balancer.
 */
async function lockOneOf(
  tx: Tx,
  { pools, bindings }: { readonly pools: string; readonly bindings: readonly unknown[] },
): Promise<LockedPool | undefined> {
  const ofPool = `(select p.load_balancer_id from pool p where p.id = (${pools}))`
  const parent = query<{ id: string | null }>(tx, `select ${ofPool} as id`, bindings)
  const locks = Promise.all([
    query<LoadBalancerRow>(
      tx,
      `select ${LOAD_BALANCER_COLUMNS} from load_balancer lb where lb.id = ${ofPool} for no key update`,
      bindings,
    ),
    query<PoolRow & InShard & { member_count: number; traffic_seen: boolean }>(
      tx,
      `select ${POOL_COLUMNS}, p.shard, p.member_count, p.traffic_seen_at is not null as traffic_seen
       from pool p where p.id = (${pools}) for no key update`,
      bindings,
    ),
    parent,
  ])
  const [loadBalancers, locked] = await locks.catch(async (error: unknown) => {
    throw sqlState(error) === LOCK_NOT_AVAILABLE ? beingChanged((await parent)[0]?.id ?? '', error) : error
  })
  const [loadBalancer] = loadBalancers
  const [pool] = locked
  if (loadBalancer === undefined || pool === undefined) return undefined
  return {
    pool: toPool(pool),
    memberCount: pool.member_count,
    trafficSeen: pool.traffic_seen,
    shard: pool.shard,
    loadBalancer: toLoadBalancer(loadBalancer),
  }
}

function beingChanged(id: string, error: unknown): DomainError {
  const message = `load balancer ${id} is being changed by another request`
  return new DomainError('IMMUTABLE', message, { resource: 'loadbalancer', id }, { cause: error })
}

/** Notifies probers that checks of these pools changed: raises their versions, and tells their shards after the commit. */
export async function touchPools(tx: Tx, poolIds: readonly string[]): Promise<void> {
  if (poolIds.length === 0) return
  const touched = await query<InShard>(
    tx,
    'update pool set config_version = config_version + 1 where id = any($1::uuid[]) returning shard',
    [poolIds],
  )
  tellShards(tx, touched)
}

/** As `touchPools`, for every pool of a load balancer. */
export async function touchLoadBalancer(tx: Tx, loadBalancerId: string): Promise<void> {
  const touched = await query<InShard>(
    tx,
    'update pool set config_version = config_version + 1 where load_balancer_id = $1 returning shard',
    [loadBalancerId],
  )
  tellShards(tx, touched)
}

/** What belongs to a shard. */
export interface InShard {
  readonly shard: number
}

/**
 * Tells probers, after the commit, that pools of these shards changed: were deleted, or got or lost members or a monitor, which
 * raises their versions (migration 0032).
 */
export function tellShards(tx: Tx, changed: readonly InShard[]): void {
  for (const shard of new Set(changed.map((each) => each.shard)))
    tx.tellAfterCommit(CONFIG_CHANNEL, String(shard))
}
