/**
 * Statements of retention on the sums of days: which objects come next, what their sums are computed from, and the sums with the
 * progress in one statement, so that no day of an object is summed twice and none is missed.
 */
import {
  UPTIME_CHANGES_PER_STATEMENT,
  UPTIME_DAY_CLOSES_AFTER_MS,
  UPTIME_GONE_PER_STATEMENT,
} from '../../domain/limits.ts'
import { DAY_MS, type SummedDay } from '../../domain/status/uptime-days.ts'
import { UPTIME_KINDS } from '../../domain/status/uptime.ts'
import { type Db, query } from '../connection/database.ts'
import { forgetAsides } from './uptime-asides.ts'
import { type ObjectFacts, readFacts, type UptimeKindOfObject } from './uptime-facts.ts'
import { SUM_COLUMNS, summedOf, type SumsRow } from './uptime.ts'

/** An object of which a day is to be summed, from where `before` ends. */
export interface ObjectToSum extends ObjectFacts {
  readonly before?: SummedDay
  /** From here on: where `before` ends, or where the object begins to exist in the day. */
  readonly fromMs: number
}

/** How far all objects are summed. */
export interface SumProgress {
  /** The day that is being summed, or that runs: its beginning. */
  readonly dayMs: number
  /** Objects up to this one are summed for the day; undefined = none is. */
  readonly after: string | undefined
  /** Since then nothing was deleted that was not summed. */
  readonly keptFromMs: number
  /** The day is over, and what was decided in it is written. */
  readonly isClosed: boolean
}

/** `nowMs`: milliseconds since 1970; absent = the clock of PostgreSQL. */
export async function readSumProgress(db: Db, nowMs?: number): Promise<SumProgress> {
  const [row] = await query<{ day: Date; walk_after: string | null; kept_from: Date; is_closed: boolean }>(
    db,
    `select (day + 1)::timestamp at time zone 'UTC' as day, walk_after::text, kept_from,
       coalesce($1, now()) >= (day + 2)::timestamp at time zone 'UTC' + $2 * interval '1 millisecond' as is_closed
     from uptime_progress`,
    [nowMs === undefined ? null : new Date(nowMs), UPTIME_DAY_CLOSES_AFTER_MS],
  )
  if (row === undefined) throw new Error('uptime_progress has no row')
  return {
    dayMs: row.day.getTime(),
    after: row.walk_after ?? undefined,
    keptFromMs: row.kept_from.getTime(),
    isClosed: row.is_closed,
  }
}

interface WalkedRow extends Partial<SumsRow> {
  readonly id: string
  readonly kind: UptimeKindOfObject
  readonly created_at: Date
  readonly summed_to: Date | null
  readonly day: Date
  readonly is_summed: boolean
}

const SUMS = Object.values(SUM_COLUMNS)

/** Members and pools in the order of their ids, which are random: no project comes before another one. */
export async function readObjectsToSum(
  db: Db,
  { dayMs, after, keptFromMs }: SumProgress,
  count: number,
): Promise<{ readonly objects: readonly ObjectToSum[]; readonly last: string | undefined }> {
  const walked = await query<WalkedRow>(
    db,
    `select o.*, p.summed_to, p.day::timestamp at time zone 'UTC' as day,
       ${SUMS.map((column) => `p.${column}`).join(', ')},
       exists (select from uptime_day d where d.object_id = o.id and d.day = $3::date) as is_summed
     from (
       (select id, 'member' as kind, created_at from member where $1::uuid is null or id > $1 order by id limit $2)
       union all
       (select id, 'pool', created_at from pool where $1::uuid is null or id > $1 order by id limit $2)
       order by id limit $2
     ) o
     left join uptime_part p on p.object_id = o.id and p.day = $3::date
     order by o.id`,
    [after ?? null, count, dateOf(dayMs)],
  )
  const due = walked.filter((row) => !row.is_summed && row.created_at.getTime() < dayMs + DAY_MS)
  const objects = await readToSum(db, due, { dayMs, keptFromMs, toMs: dayMs + DAY_MS })
  return { objects, last: walked.at(-1)?.id }
}

/** Objects of one kind up to different moments, all in the day that is not summed yet. */
export async function readObjectsToCut(
  db: Db,
  kind: UptimeKindOfObject,
  ids: readonly string[],
  { dayMs, keptFromMs }: SumProgress,
): Promise<readonly ObjectToSum[]> {
  const rows = await query<WalkedRow>(
    db,
    `select o.id, $3::text as kind, o.created_at, p.summed_to, p.day::timestamp at time zone 'UTC' as day,
       ${SUMS.map((column) => `p.${column}`).join(', ')}, false as is_summed
     from ${kind} o left join uptime_part p on p.object_id = o.id and p.day = $2::date
     where o.id = any($1::uuid[])`,
    [ids, dateOf(dayMs), kind],
  )
  return await readToSum(db, rows, { dayMs, keptFromMs, toMs: dayMs + DAY_MS })
}

async function readToSum(
  db: Db,
  rows: readonly WalkedRow[],
  { dayMs, keptFromMs, toMs }: { readonly dayMs: number; readonly keptFromMs: number; readonly toMs: number },
): Promise<readonly ObjectToSum[]> {
  const starts = new Map(
    rows.map((row) => {
      const before = row.summed_to === null ? undefined : summedOf(row as Parameters<typeof summedOf>[0])
      return [row.id, { before, fromMs: before?.toMs ?? Math.max(dayMs, row.created_at.getTime()) }]
    }),
  )
  const asidesFromMs = Math.min(toMs, ...[...starts.values()].map(({ fromMs }) => fromMs))
  const changes = { toMs, asidesFromMs, max: UPTIME_CHANGES_PER_STATEMENT, end: 'oldest' } as const
  const read: ObjectFacts[] = []
  for (const kind of ['member', 'pool'] as const) {
    const asked = rows
      .filter((row) => row.kind === kind)
      .map(({ id }) => ({ id, fromMs: starts.get(id)?.fromMs ?? dayMs }))
    if (asked.length > 0) read.push(...(await readFacts(db, kind, asked, changes)))
  }
  return read.map((object) => {
    const { before, fromMs = dayMs } = starts.get(object.id) ?? {}
    const facts = { ...object.facts, completeFromMs: Math.max(keptFromMs, fromMs) }
    return { ...object, facts, fromMs, ...(before === undefined ? {} : { before }) }
  })
}

/** What was summed of objects: to the end of the day, or to an earlier moment. */
export interface Summed {
  readonly id: string
  readonly summed: SummedDay
}

export interface SumsToSave {
  readonly progress: SumProgress
  readonly whole: readonly Summed[]
  readonly parts: readonly Summed[]
  /** The walk goes on after this object; undefined = at the first. */
  readonly after: string | undefined
  readonly isDaySummed: boolean
  /** Sums of the objects that are older than so many days are deleted (HM_UPTIME_DAYS). */
  readonly keepDays: number
}

/**
 * Writes sums with the progress; nothing where another process has gone on meanwhile. Then forgets what was noted of the same
 * objects and is not needed any more.
 */
export async function saveSums(
  db: Db,
  { progress, whole, parts, after, isDaySummed, keepDays }: SumsToSave,
): Promise<void> {
  await query(
    db,
    `with advanced as (
       update uptime_progress set walk_after = $2, day = case when $5::boolean then $1::date else day end
       where day = $1::date - 1 and walk_after is not distinct from $3::uuid returning 1
     ), days as (
       insert into uptime_day (object_id, day, ${SUMS.join(', ')})
       select s.*
       from (select id, $1::date, ${SUMS.join(', ')} from ${unnested(6)} where exists (select from advanced)) s
       on conflict do nothing
     ), ended as (
       delete from uptime_part p where p.object_id = any($6::uuid[]) and exists (select from advanced)
     ), old as (
       delete from uptime_day d
       where d.object_id = any($6::uuid[]) and d.day <= $1::date - $4::int and exists (select from advanced)
     )
     insert into uptime_part as p (object_id, day, summed_to, ${SUMS.join(', ')})
     select id, $1::date, summed_to, ${SUMS.join(', ')}
     from unnest($13::uuid[], $14::timestamptz[], ${SUMS.map((_, i) => `$${15 + i}::int[]`).join(', ')})
       s (id, summed_to, ${SUMS.join(', ')})
     where exists (select from advanced)
     ${ON_PART}`,
    [
      dateOf(progress.dayMs),
      after ?? null,
      progress.after ?? null,
      keepDays,
      isDaySummed,
      ...columnsOf(whole),
      parts.map(({ id }) => id),
      parts.map(({ summed }) => new Date(summed.toMs)),
      ...sumsOf(parts),
    ],
  )
  await forgetAsides(
    db,
    whole.map(({ id }) => id),
  )
}

/** Rows of ids with their sums, whose first binding is `$first`. */
const unnested = (first: number): string =>
  `unnest($${first}::uuid[], ${SUMS.map((_, i) => `$${first + 1 + i}::int[]`).join(', ')}) s (id, ${SUMS.join(', ')})`

const ON_PART = `on conflict (object_id) do update set day = excluded.day, summed_to = excluded.summed_to,
       ${SUMS.map((column) => `${column} = excluded.${column}`).join(', ')}`

/** Writes what was summed of the day that runs; nothing where that day has ended meanwhile. */
export async function saveParts(db: Db, progress: SumProgress, parts: readonly Summed[]): Promise<void> {
  await query(
    db,
    `insert into uptime_part as p (object_id, day, summed_to, ${SUMS.join(', ')})
     select s.id, $1::date, s.summed_to, ${SUMS.map((column) => `s.${column}`).join(', ')}
     from unnest($2::uuid[], $3::timestamptz[], ${SUMS.map((_, i) => `$${4 + i}::int[]`).join(', ')})
       s (id, summed_to, ${SUMS.join(', ')})
     where exists (select from uptime_progress where day = $1::date - 1)
     ${ON_PART}`,
    [
      dateOf(progress.dayMs),
      parts.map(({ id }) => id),
      parts.map(({ summed }) => new Date(summed.toMs)),
      ...sumsOf(parts),
    ],
  )
}

const columnsOf = (rows: readonly Summed[]): unknown[] => [rows.map(({ id }) => id), ...sumsOf(rows)]

const sumsOf = (rows: readonly Summed[]): number[][] =>
  UPTIME_KINDS.map((kind) => rows.map(({ summed }) => summed.sums[kind]))

/** A day of UTC as a date, whatever the zone of this process is. */
const dateOf = (dayMs: number): string => new Date(dayMs).toISOString().slice(0, 10)

export interface PurgedUptimes {
  readonly rows: number
  /** There are more due objects, or more rows of them. */
  readonly isMore: boolean
}

/**
 * Deletes at most `batch` sums of members and pools that are gone, and of pools as many transitions: of a number of objects,
 * the first of each project before the second of any.
 */
export async function purgeGoneUptimes(db: Db, batch: number): Promise<PurgedUptimes> {
  const [row] = await query<{ due: string[] | null; days: number; changes: number }>(db, PURGE_GONE, [
    batch,
    UPTIME_GONE_PER_STATEMENT,
  ])
  const { due, days = 0, changes = 0 } = row ?? {}
  if (due === undefined || due === null) return { rows: 0, isMore: false }
  // Another statement: one does not see what it deletes itself.
  await query(
    db,
    `delete from uptime_gone g where g.object_id = any($1::uuid[])
       and (select d.object_id from uptime_day d where d.object_id = g.object_id limit 1) is null
       and (select t.pool_id from pool_transition t where t.pool_id = g.object_id limit 1) is null`,
    [due],
  )
  const isMore = due.length >= UPTIME_GONE_PER_STATEMENT || days >= batch || changes >= batch
  return { rows: days + changes, isMore }
}

/** $1 rows of a table, $2 objects. Projects, and the rows of each object, are found by steps in an index. */
const PURGE_GONE = `
  with recursive project (id) as (
    (select g.project_id from uptime_gone g order by g.project_id limit 1)
    union all
    select (select g.project_id from uptime_gone g where g.project_id > p.id order by g.project_id limit 1)
    from project p where p.id is not null
  ), due as materialized (
    select d.object_id from project p cross join lateral (
      select g.object_id, row_number() over (order by g.object_id) as turn from uptime_gone g
      where g.project_id = p.id order by g.object_id limit $2
    ) d order by d.turn, d.object_id limit $2
  ), days as (
    delete from uptime_day d using (
      select t.object_id, t.day from due cross join lateral (
        select t.object_id, t.day from uptime_day t where t.object_id = due.object_id limit $1
      ) t limit $1
    ) old where d.object_id = old.object_id and d.day = old.day returning 1
  ), parts as (
    delete from uptime_part p using due where p.object_id = due.object_id
  ), changes as (
    delete from pool_transition where id in (
      select t.id from due cross join lateral (
        select t.id from pool_transition t where t.pool_id = due.object_id limit $1
      ) t limit $1
    ) returning 1
  )
  select (select array_agg(object_id::text) from due) as due, (select count(*) from days) as days,
    (select count(*) from changes) as changes`
