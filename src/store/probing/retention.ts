/** Retention: deletes what is too old or too much, in statements that each read and delete a limited number of rows. */
import { type Database, type Db, query } from '../connection/database.ts'
import { LOCK_KEYS } from '../connection/lock-keys.ts'

/**
 * Runs `work` unless another process is running it; returns undefined then. The lock belongs to the session, so that no
 * transaction is open meanwhile and vacuum can work: `db` must have one connection, which only `work` uses, and which stays
 * open however long `work` asks nothing (`idleMs` infinite): the lock would go with it.
 */
export async function withRetentionLock<Result>(
  db: Database,
  work: (db: Database) => Promise<Result>,
): Promise<Result | undefined> {
  const [row] = await query<{ mine: boolean }>(db, 'select pg_try_advisory_lock($1) as mine', [
    LOCK_KEYS.retention,
  ])
  if (row?.mine !== true) return undefined
  try {
    return await work(db)
  } finally {
    await query(db, 'select pg_advisory_unlock($1)', [LOCK_KEYS.retention])
  }
}

/** The progress of retention (the one row of `retention_progress`). */
export interface StoredProgress {
  readonly position: number
  readonly walkAfter?: string
  readonly passedMsAgo: number
  readonly walkedMsAgo: number
}

export async function readRetentionProgress(db: Db): Promise<StoredProgress> {
  const [row] = await query<{ position: number; walk_after: string | null; passed: number; walked: number }>(
    db,
    `select position, walk_after::text,
       extract(epoch from now() - passed_at)::float8 * 1000 as passed,
       extract(epoch from now() - walked_at)::float8 * 1000 as walked
     from retention_progress`,
  )
  if (row === undefined) throw new Error('retention_progress has no row')
  return {
    position: row.position,
    passedMsAgo: row.passed,
    walkedMsAgo: row.walked,
    ...(row.walk_after === null ? {} : { walkAfter: row.walk_after }),
  }
}

/** Stores that a pass has ended, and its progress. */
export async function saveRetentionProgress(
  db: Db,
  progress: { readonly position: number; readonly walkAfter?: string; readonly walkBegins: boolean },
): Promise<void> {
  await query(
    db,
    `update retention_progress set position = $1, walk_after = $2, passed_at = now(),
       walked_at = case when $3 then now() else walked_at end`,
    [progress.position, progress.walkAfter ?? null, progress.walkBegins],
  )
}

/** The members of the next `rows` transitions after an id, and the id of the last of them; undefined = there is none. */
export async function writersAfter(
  db: Db,
  position: number,
  rows: number,
): Promise<{ readonly members: readonly string[]; readonly position: number } | undefined> {
  const [row] = await query<{ members: string[] | null; position: number | null }>(
    db,
    `select array_agg(distinct member_id::text) as members, max(id) as position
     from (select id, member_id from member_transition where id > $1 order by id limit $2) t`,
    [position, rows],
  )
  if (row === undefined || row.position === null) return undefined
  return { members: row.members ?? [], position: row.position }
}

/** The next `count` members that have transitions: each is one look into an index, however many transitions it has. */
export async function membersAfter(db: Db, member: string, count: number): Promise<readonly string[]> {
  const rows = await query<{ member_id: string }>(
    db,
    `with recursive walk (member_id) as (
       (select member_id from member_transition where member_id > $1::uuid order by member_id limit 1)
       union all
       select (select t.member_id from member_transition t where t.member_id > walk.member_id
               order by t.member_id limit 1)
       from walk where walk.member_id is not null
     )
     select member_id::text from walk where member_id is not null limit $2`,
    [member, count],
  )
  return rows.map((row) => row.member_id)
}

/** Deletes at most `batch` states of members that are gone; returns how many. */
export async function purgeOrphanedStates(db: Db, batch: number): Promise<number> {
  return await purgeOrphans(db, 'member_state', batch)
}

/** Deletes at most `batch` votes of sites on members that are gone; returns how many. */
export async function purgeOrphanedVotes(db: Db, batch: number): Promise<number> {
  return await purgeOrphans(db, 'member_site_state', batch)
}

/** Deletes at most `batch` rows of members that are gone; returns how many. */
export async function purgeOrphans(
  db: Db,
  table: 'member_state' | 'member_site_state' | 'member_certificate',
  batch: number,
): Promise<number> {
  return await countDeleted(
    db,
    `with gone as (
       delete from ${table} where member_id in (
         select o.member_id from ${table} o
         where not exists (select from member m where m.id = o.member_id) limit $1
       ) returning 1
     ) select count(*) as n from gone`,
    [batch],
  )
}

async function countDeleted(db: Db, sql: string, bindings: readonly unknown[]): Promise<number> {
  const [row] = await query<{ n: number }>(db, sql, bindings)
  return row?.n ?? 0
}
