/** Retention: what is too old or too much goes, in batches that lock little. */
import { type Database, type Db, query, transaction } from './database.ts'

/** Any constant that no other application of the database uses. */
const LOCK_KEY = 4_826_017_734

/** Runs `work` unless another process is at it; returns undefined then. */
export async function withRetentionLock<Result>(
  db: Database,
  work: (db: Database) => Promise<Result>,
): Promise<Result | undefined> {
  return await transaction(db, async (tx) => {
    const [row] = await query<{ mine: boolean }>(tx, 'select pg_try_advisory_xact_lock(?) as mine', [
      LOCK_KEY,
    ])
    return row?.mine === true ? await work(db) : undefined
  })
}

/** Deletes at most `batch` transitions older than `days`; returns how many. */
export async function purgeOldTransitions(db: Db, days: number, batch: number): Promise<number> {
  return await countDeleted(
    db,
    `delete from member_transition where id in (
       select id from member_transition where at < now() - ? * interval '1 day' order by at limit ?
     ) returning id`,
    [days, batch],
  )
}

/**
 * Deletes at most `batch` transitions beyond the newest `keep` of a member. Only members with a transition in the last
 * `recentMs` are looked at, since only they can have grown; absent = all members.
 */
export async function purgeExcessTransitions(
  db: Db,
  limits: { readonly keep: number; readonly batch: number; readonly recentMs?: number },
): Promise<number> {
  const recent =
    limits.recentMs === undefined ? '' : `where at > now() - ${limits.recentMs} * interval '1 millisecond'`
  return await countDeleted(
    db,
    `delete from member_transition where id in (
       select excess.id
       from (
         select member_id from member_transition
         where member_id in (select member_id from member_transition ${recent})
         group by member_id having count(*) > ?
       ) grown
       cross join lateral (
         select id from member_transition t where t.member_id = grown.member_id
         order by epoch desc, sequence desc offset ?
       ) excess
       limit ?
     ) returning id`,
    [limits.keep, limits.keep, limits.batch],
  )
}

/** Deletes at most `batch` states of members that are gone; returns how many. */
export async function purgeOrphanedStates(db: Db, batch: number): Promise<number> {
  return await countDeleted(
    db,
    `delete from member_state where member_id in (
       select s.member_id from member_state s
       where not exists (select from member m where m.id = s.member_id) limit ?
     ) returning member_id`,
    [batch],
  )
}

async function countDeleted(db: Db, sql: string, bindings: readonly unknown[]): Promise<number> {
  return (await query(db, sql, bindings)).length
}
