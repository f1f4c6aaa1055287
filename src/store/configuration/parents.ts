/**
 * Locks on parents, always in the order load balancer → pool, so that writes below one load balancer are serialised
 * and two writers can never wait for each other. A project filter of `undefined` reads every project (administrators).
 */
import { DomainError } from '../../domain/errors.ts'
import type { LoadBalancer, Pool } from '../../domain/types.ts'
import { isLbaas, type Reach } from '../door/lbaas-only.ts'
import { CONFIG_CHANNEL } from '../probing/config-channel.ts'
import { type Db, type Tx, query, sqlState } from '../connection/database.ts'
import type { SetQuotas } from './quotas.ts'
import {
  LOAD_BALANCER_COLUMNS,
  POOL_COLUMNS,
  type LoadBalancerRow,
  type PoolRow,
  toLoadBalancer,
  toPool,
} from './rows.ts'

/** What writes below it need of a load balancer. */
export type ParentLoadBalancer = Pick<LoadBalancer, 'id' | 'projectId' | 'provisioningStatus' | 'vipAddress'>

export interface LockedPool {
  readonly pool: Pool
  readonly memberCount: number
  /** Traffic was seen: the no-traffic intervals of its monitor are over for good. */
  readonly trafficSeen: boolean
  readonly shard: number
  readonly loadBalancer: ParentLoadBalancer
}

/** A pool that gets a monitor. */
export interface LockedForMonitor extends LockedPool {
  /** The monitor that it has already. */
  readonly monitorId: string | null
  readonly setQuotas: SetQuotas
}

const LOCK_NOT_AVAILABLE = '55P03'

/**
 * Others have not finished changing a load balancer. Its id is looked up by whoever names it, after the transaction: one
 * look-up less for each write.
 */
export class ParentIsLockedError extends Error {
  readonly #idOf: (db: Db) => Promise<string>

  constructor(idOf: (db: Db) => Promise<string>, cause: unknown) {
    super('a load balancer is being changed by another request', { cause })
    this.#idOf = idOf
  }

  /** As a refusal: IMMUTABLE. */
  async refusal(db: Db): Promise<DomainError> {
    return beingChanged(await this.#idOf(db), this)
  }
}

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
       where lb.id = $1 and ($2::text is null or lb.project_id = $2) and ${isLbaas('lb')} for no key update`,
      [id, projectId ?? null],
    )
    return rows[0] && toLoadBalancer(rows[0])
  } catch (error) {
    throw sqlState(error) === LOCK_NOT_AVAILABLE ? beingChanged(id, error) : error
  }
}

/**
 * Locks a pool and its load balancer against other writers; undefined when it does not exist or belongs to another
 * project. `reach`: whether one of a door is found too. Throws ParentIsLockedError when the others have not finished
 * within LOCK_TIMEOUT_MS.
 */
export async function lockPool(
  tx: Tx,
  id: string,
  projectId: string | undefined,
  reach: Reach = 'lbaas',
): Promise<LockedPool | undefined> {
  const locked = await lockOneOf(tx, poolWithin(reach), [id, projectId ?? null])
  return locked && toLocked(locked)
}

/**
 * As `lockPool`, with what a new monitor needs to be known. Of a writer that it waited for, it may miss the monitor: then the
 * constraint refuses the new one.
 */
export async function lockPoolForMonitor(
  tx: Tx,
  id: string,
  projectId: string | undefined,
): Promise<LockedForMonitor | undefined> {
  const locked = await lockOneOf<{ monitor_id: string | null; set_quotas: SetQuotas }>(
    tx,
    poolWithin('lbaas'),
    [id, projectId ?? null],
    `, (select hm.id from health_monitor hm where hm.pool_id = p.id) as monitor_id,
      coalesce((select json_object_agg(q.resource, q.quota) from quota q where q.project_id = p.project_id), '{}')
        as set_quotas`,
  )
  if (locked === undefined) return undefined
  const { monitor_id: monitorId, set_quotas: setQuotas } = locked
  return { ...toLocked(locked), monitorId, setQuotas }
}

/** As `lockPool`, the pool of a health monitor; a writer that it waited for may have deleted the monitor. */
export async function lockPoolOfMonitor(
  tx: Tx,
  id: string,
  projectId: string | undefined,
): Promise<LockedPool | undefined> {
  const pools = `select sm.pool_id from health_monitor sm join pool sp on sp.id = sm.pool_id
    where sm.id = $1 and ($2::text is null or sm.project_id = $2) and ${isLbaas('sp')}`
  const locked = await lockOneOf(tx, pools, [id, projectId ?? null])
  return locked && toLocked(locked)
}

function poolWithin(reach: Reach): string {
  return `select sp.id from pool sp where sp.id = $1 and ($2::text is null or sp.project_id = $2)
    ${reach === 'all' ? '' : `and ${isLbaas('sp')}`}`
}

type LockedPoolRow = PoolRow &
  InShard & {
    member_count: number
    traffic_seen: boolean
    lb_project_id: string
    lb_provisioning_status: LoadBalancer['provisioningStatus']
    lb_vip_address: string | null
  }

/**
 * Locks the one pool that a statement selects, and its load balancer first, which the pool is joined to. What is locked is
 * read as it is after the lock, the rest (`pools`, `more`) as it was when the statement began. The pool may have been
 * deleted while we waited for its load balancer.
 */
async function lockOneOf<More = object>(
  tx: Tx,
  pools: string,
  bindings: readonly unknown[],
  more = '',
): Promise<(LockedPoolRow & More) | undefined> {
  const ofPool = `(select p.load_balancer_id from pool p where p.id = (${pools}))`
  const locked = query<LockedPoolRow & More>(
    tx,
    `with lb as materialized (
       select lb.project_id, lb.provisioning_status, lb.vip_address
       from load_balancer lb where lb.id = ${ofPool} for no key update
     )
     select ${POOL_COLUMNS}, p.shard, p.member_count, p.traffic_seen_at is not null as traffic_seen,
       lb.project_id as lb_project_id, lb.provisioning_status as lb_provisioning_status,
       lb.vip_address as lb_vip_address${more}
     from lb cross join pool p where p.id = (${pools}) for no key update of p`,
    bindings,
  )
  const [pool] = await locked.catch((error: unknown) => {
    if (sqlState(error) !== LOCK_NOT_AVAILABLE) throw error
    throw new ParentIsLockedError(async (db) => {
      const rows = await query<{ id: string | null }>(db, `select ${ofPool} as id`, bindings)
      return rows[0]?.id ?? ''
    }, error)
  })
  return pool
}

function toLocked(row: LockedPoolRow): LockedPool {
  return {
    pool: toPool(row),
    memberCount: row.member_count,
    trafficSeen: row.traffic_seen,
    shard: row.shard,
    loadBalancer: {
      id: row.load_balancer_id,
      projectId: row.lb_project_id,
      provisioningStatus: row.lb_provisioning_status,
      vipAddress: row.lb_vip_address,
    },
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
