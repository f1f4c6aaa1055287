/**
 * Sites that are lost: shards without a living owner for longer than SITE_LOST_AFTER_MS. Their votes do not count, and the
 * members on which they voted are decided anew by the others; the same when they are back (ADR 38).
 */
import {
  SITE_LOOK_EVERY_MS,
  SITE_LOST_AFTER_MS,
  SITE_RECOUNT_MEMBERS,
  SITE_RECOUNT_MS,
  SITE_RECOUNT_SHARDS,
} from '../../domain/limits.ts'
import { NIL_UUID } from '../../domain/uuid.ts'
import { type Database, type Db, query, transaction } from '../connection/database.ts'
import { LOCK_KEYS } from '../connection/lock-keys.ts'
import { decideAnew } from './votes.ts'

/** Whether there is anything to look for: a monitor whose sites vote, or what is left of one. */
export async function hasVotes(db: Db): Promise<boolean> {
  const [row] = await query<{ found: boolean }>(
    db,
    'select exists (select from health_monitor where sites is not null) or exists (select from site_loss) as found',
  )
  return row?.found === true
}

const MARK = `
with owned as materialized (
  select 'local' as site, s.id as shard from shard s join prober p on p.id = s.owner and p.lease_until > now()
  union all
  select s.site, s.id from site_shard s join prober p on p.id = s.owner and p.lease_until > now()
), gone as (
  delete from site_loss l
  where not l.is_lost and l.is_counted and exists (select from owned o where o.site = l.site and o.shard = l.shard)
), back as (
  update site_loss l set is_lost = false, is_counted = false, since = now(), counting_until = null
  where l.is_lost and exists (select from owned o where o.site = l.site and o.shard = l.shard)
), lost as (
  update site_loss l set is_lost = true, is_counted = false, counting_until = null
  where not l.is_lost and l.since < now() - $1 * interval '1 millisecond'
    and not exists (select from owned o where o.site = l.site and o.shard = l.shard)
)
insert into site_loss (site, shard)
select e.site, e.shard
from (select 'local' as site, id as shard from shard union all select site, id from site_shard) e
where not exists (select from owned o where o.site = e.site and o.shard = e.shard)
on conflict do nothing`

/** Most shards of a small service: of these there is nothing to decide. */
const COUNT_WITHOUT_VOTES = `
update site_loss l set is_counted = true
where not l.is_counted
  and not exists (select from member_site_state v where v.site = l.site and v.shard = l.shard)`

/**
 * Notes which shards have no living owner, since when, and which are lost. `isAfresh`: nobody has looked for a while, so that
 * owners may not have renewed their leases yet: what was seen before does not count.
 */
export async function markLostSites(db: Database, isAfresh: boolean): Promise<void> {
  await transaction(db, async (tx) => {
    const [lock] = await query<{ mine: boolean }>(tx, 'select pg_try_advisory_xact_lock($1) as mine', [
      LOCK_KEYS.lostSites,
    ])
    if (lock?.mine !== true) return
    if (isAfresh) await query(tx, 'update site_loss set since = now() where not is_lost')
    await query(tx, MARK, [SITE_LOST_AFTER_MS])
    await query(tx, COUNT_WITHOUT_VOTES)
  })
}

export interface UncountedShard {
  readonly site: string
  readonly shard: number
  readonly isLost: boolean
}

/** Some shards whose members are to be decided anew; no other process takes these meanwhile. */
export async function takeUncounted(db: Db): Promise<readonly UncountedShard[]> {
  return await query<UncountedShard>(
    db,
    `update site_loss l set counting_until = now() + $1 * interval '1 millisecond'
     from (
       select site, shard from site_loss
       where not is_counted and coalesce(counting_until < now(), true)
       order by is_lost desc, site, shard limit $2 for update skip locked
     ) mine
     where l.site = mine.site and l.shard = mine.shard
     returning l.site, l.shard, l.is_lost as "isLost"`,
    [SITE_RECOUNT_MS, SITE_RECOUNT_SHARDS],
  )
}

/** Decides the members anew on which the site votes in this shard. What another transaction has locked is for the next look. */
export async function recount(db: Database, { site, shard, isLost }: UncountedShard): Promise<void> {
  let isDone = true
  for (let after = NIL_UUID; ; ) {
    const members = await query<{ id: string }>(
      db,
      `select member_id as id from member_site_state
       where site = $1 and shard = $2 and member_id > $3::uuid order by member_id limit $4`,
      [site, shard, after, SITE_RECOUNT_MEMBERS],
    )
    const ids = members.map(({ id }) => id)
    if (ids.length > 0) isDone = (await transaction(db, (tx) => decideAnew(tx, ids))).length === 0 && isDone
    const last = ids.at(-1)
    if (last === undefined || ids.length < SITE_RECOUNT_MEMBERS) break
    after = last
  }
  await query(
    db,
    `update site_loss set is_counted = $4,
       counting_until = case when $4 then null else now() + $5 * interval '1 millisecond' end
     where site = $1 and shard = $2 and is_lost = $3 and not is_counted`,
    [site, shard, isLost, isDone, SITE_LOOK_EVERY_MS],
  )
}
