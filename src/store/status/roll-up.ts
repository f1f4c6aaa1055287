/**
 * Rolled-up statuses. Those of pools and load balancers are kept (migration 0019); those of listeners and members are
 * expressions over the rows that a statement shows. Each takes the alias of its table. The rules are those of
 * src/domain/status/roll-up.ts; a test compares the two.
 */
import { type Database, type Db, query, transaction, Tx } from '../connection/database.ts'

/**
 * Reads statuses as others will read them. What a transaction has changed is counted when it commits; here it is
 * counted before it reads its own changes. From then until it ends, no other transaction can write verdicts of these
 * pools.
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

const COUNTS =
  `in_service monitored members able passing online offline unknown disabled no_monitor pending switched_on able_backup
  passing_backup at_least percent when_too_few overprovisioning_percent`.split(/\s+/)
const countsOf = (alias: string): string => `row(${COUNTS.map((column) => `${alias}.${column}`).join(', ')})`

/** What a step of a walk over all load balancers, in the order of their ids, has found. */
export interface CheckedRollUps {
  /** Load balancers of which something was wrong: their pools, or themselves. They were counted again. */
  readonly wrong: readonly string[]
  /** The last one that was looked at; undefined = there are no more. */
  readonly last: string | undefined
}

/**
 * Compares what is kept of the next load balancers with a count: at least of one, and as many as have `membersMax` members
 * together. A statement sees one moment, in which both agree: a difference is a fault, and no write in between.
 */
export async function checkRollUps(db: Database, after: string, membersMax: number): Promise<CheckedRollUps> {
  const checked = await query<{ id: string; is_wrong: boolean }>(
    db,
    `with next as (
       select lb.id, coalesce((select sum(p.member_count) from pool p where p.load_balancer_id = lb.id), 0) + 1 as size
       from load_balancer lb where lb.id > $1::uuid order by lb.id limit $2
     ), checked as (
       select id from (select id, sum(size) over (order by id) - size as before from next) s where s.before < $2
     )
     select k.id, coalesce(lr.operating_status <> c.operating_status, true) or exists (
         select from counted_pool c left join pool_roll_up r on r.pool_id = c.pool_id
         where c.load_balancer_id = k.id and ${countsOf('r')} is distinct from ${countsOf('c')}
       ) as is_wrong
     from checked k
     join counted_load_balancer c on c.load_balancer_id = k.id
     left join load_balancer_roll_up lr on lr.load_balancer_id = k.id
     order by k.id`,
    [after, membersMax],
  )
  const wrong = checked.filter((row) => row.is_wrong).map((row) => row.id)
  for (const id of wrong) {
    await transaction(db, async (tx) => {
      await query(tx, 'update pool set status_version = status_version + 1 where load_balancer_id = $1', [id])
      await query(tx, 'select count_load_balancer($1)', [id])
    })
  }
  return { wrong, last: checked.at(-1)?.id }
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
