/**
 * Rolled-up statuses. Those of pools and load balancers are kept (migration 0019); those of listeners and members are
 * expressions over the rows that a statement shows. Each takes the alias of its table. The rules are those of
 * src/domain/status/roll-up.ts; a test compares the two.
 */
import { type Db, query, Tx } from './database.ts'

/**
 * Reads statuses as others will read them. What a transaction has changed is counted when it commits; here it is counted
 * before it reads its own changes. From then on nobody else can write verdicts of these pools until it ends.
 */
export async function readCounted<Result>(db: Db, read: () => Promise<Result>): Promise<Result> {
  if (!(db instanceof Tx)) return await read()
  const [, result] = await Promise.all([
    query(db, 'set constraints all immediate'),
    read(),
    query(db, 'set constraints all deferred'),
  ])
  return result
}

/** operating_status of the pool `alias`. */
export const poolStatusOf = (alias: string): string =>
  `(select ps.operating_status from pool_status ps where ps.pool_id = ${alias}.id)`

/** operating_status of a listener; its load balancer is joined anyway, so nothing is looked up again. */
export const listenerStatusOf = (listener: string, loadBalancer: string): string =>
  `(case
    when ${loadBalancer}.provider = 'noop_driver' then 'OFFLINE'
    when not ${loadBalancer}.admin_state_up or not ${listener}.admin_state_up then 'OFFLINE'
    else 'ONLINE'
  end)`

/** operating_status of the load balancer `alias`. */
export const loadBalancerStatusOf = (alias: string): string =>
  `(select lbs.operating_status from load_balancer_status lbs where lbs.load_balancer_id = ${alias}.id)`

/** operating_status of a member, a row of `member_detail`, as it counts above it: the rules of `memberWord` in SQL. */
export const memberStatusOf = (member: string): string =>
  `(case
    when not ${member}.admin_state_up and ${member}.provider <> 'noop_driver' then 'OFFLINE'
    when ${member}.state = 'NO_MONITOR' then 'NO_MONITOR'
    when ${member}.state = 'ONLINE' and ${member}.weight = 0 then 'DRAINING'
    when ${member}.state = 'ONLINE' then 'ONLINE'
    when ${member}.state = 'OFFLINE' then 'ERROR'
    else 'OFFLINE'
  end)`
