/** Statements on maintenances that recur: those whose occurrence is over get the times of the next one (ADR 29). */
import type { MaintainedKind, Maintenance } from '../../domain/status/maintenance.ts'
import { type Database, query, transaction, type Tx } from '../connection/database.ts'
import { MAINTAINED_TABLES } from './maintenance.ts'
import { touchPools } from './parents.ts'

/** Any constant that no other application of the database uses. */
const LOCK_KEY = 4_826_017_742

/** Maintenances, moved on to a time in milliseconds, in their order. */
export type MoveOn = (maintenances: readonly Maintenance[], nowMs: number) => Promise<readonly Maintenance[]>

/** How a project column, an end and a next occurrence are found: the indexes of migration 0027. */
const RECURS = `maintenance->'occurrences'->1 is not null`
const END = `(maintenance->>'end') collate "C"`
const POOL_ID: Readonly<Record<MaintainedKind, string>> = {
  member: 'pool_id',
  pool: 'id',
  healthmonitor: 'pool_id',
}

interface DueRow {
  readonly id: string
  readonly pool_id: string
  readonly before: string
  readonly maintenance: Maintenance
  readonly now_ms: number
}

/**
 * Moves on what is due, of each kind of object at most `batch`: the first of each project before the second of any. Returns how
 * many it moved; 0 also while another process does it. What a request changes at the same time is left for the next call.
 */
export async function moveRecurringMaintenances(
  db: Database,
  { batch, moveOn }: { readonly batch: number; readonly moveOn: MoveOn },
): Promise<number> {
  return await transaction(db, async (tx) => {
    const [lock] = await query<{ mine: boolean }>(tx, 'select pg_try_advisory_xact_lock($1) as mine', [
      LOCK_KEY,
    ])
    if (lock?.mine !== true) return 0
    let moved = 0
    for (const kind of Object.keys(MAINTAINED_TABLES) as MaintainedKind[]) {
      const due = await query<DueRow>(tx, dueOf(kind), [batch])
      if (due.length === 0) continue
      const next = await moveOn(
        due.map(({ maintenance }) => maintenance),
        due[0]?.now_ms ?? 0,
      )
      moved += await write(tx, { kind, due, next })
    }
    return moved
  })
}

/**
 * $1 are the most rows. Projects are found one by one, each by one step in the index, and only if anything is due. The clock is
 * that of PostgreSQL, which all processes share.
 */
function dueOf(kind: MaintainedKind): string {
  const table = MAINTAINED_TABLES[kind]
  const isOver = `${END} <= to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
  return `
    with recursive project as (
      (select project_id from ${table} where ${RECURS} and exists (select from ${table} where ${RECURS} and ${isOver})
        order by project_id limit 1)
      union all
      select (select t.project_id from ${table} t where ${RECURS} and t.project_id > p.project_id
        order by t.project_id limit 1)
      from project p where p.project_id is not null
    ), due as (
      select d.id from project p cross join lateral (
        select t.id, row_number() over (order by ${END}) as turn from ${table} t
        where ${RECURS} and t.project_id = p.project_id and ${isOver} order by ${END} limit $1
      ) d order by d.turn limit $1
    )
    select id, ${POOL_ID[kind]} as pool_id, maintenance::text as before, maintenance,
      (extract(epoch from now()) * 1000)::float8 as now_ms
    from ${table} where id in (select due.id from due)`
}

interface Moved {
  readonly kind: MaintainedKind
  readonly due: readonly DueRow[]
  readonly next: readonly Maintenance[]
}

/** The pool is locked first, as every writer does; one that is locked is left. */
async function write(tx: Tx, { kind, due, next }: Moved): Promise<number> {
  const pools = await query<{ id: string }>(
    tx,
    'select id from pool where id = any($1::uuid[]) order by id for no key update skip locked',
    [[...new Set(due.map((row) => row.pool_id))]],
  )
  const locked = pools.map(({ id }) => id)
  const written = await query<{ pool_id: string }>(
    tx,
    `update ${MAINTAINED_TABLES[kind]} t set maintenance = moved.after
     from unnest($1::uuid[], $2::jsonb[], $3::jsonb[]) moved(id, before, after)
     where t.id = moved.id and t.maintenance = moved.before and moved.after <> moved.before and t.${POOL_ID[kind]} = any($4::uuid[])
     returning t.${POOL_ID[kind]} as pool_id`,
    [
      due.map(({ id }) => id),
      due.map(({ before }) => before),
      next.map((each) => JSON.stringify(each)),
      locked,
    ],
  )
  await touchPools(tx, [...new Set(written.map((row) => row.pool_id))])
  return written.length
}
