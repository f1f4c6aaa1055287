/**
 * Which transitions of members and pools are too many, and their deletion. Nothing is deleted whose time is not summed yet
 * (migration 0028): the sums of days outlive the transitions, whatever fails in between.
 */
import { type Db, query } from '../connection/database.ts'
import type { UptimeKindOfObject } from '../status/uptime-facts.ts'

interface TransitionTable {
  readonly name: string
  readonly owner: string
  /** In this order they were decided. */
  readonly key: readonly string[]
}

const TABLES: Readonly<Record<UptimeKindOfObject, TransitionTable>> = {
  member: { name: 'member_transition', owner: 'member_id', key: ['epoch', 'sequence'] },
  pool: { name: 'pool_transition', owner: 'pool_id', key: ['id'] },
}

/** An object with too many transitions: the newest that goes, and when the oldest that stays was decided. */
export interface Excess {
  readonly id: string
  readonly key: readonly number[]
  readonly keptFromMs: number
}

/** For each object it reads at most `keep` + 1 index entries. */
export async function findExcess(
  db: Db,
  kind: UptimeKindOfObject,
  ids: readonly string[],
  keep: number,
): Promise<readonly Excess[]> {
  const { name, owner, key } = TABLES[kind]
  const newest = key.map((column) => `t.${column} desc`).join(', ')
  const rows = await query<{ id: string; at: Date; [key: string]: unknown }>(
    db,
    `select asked.id, two.* from unnest($1::uuid[]) with ordinality asked (id, place)
     cross join lateral (
       select t.at, ${key.map((column) => `t.${column} as key_${column}`).join(', ')},
         row_number() over (order by ${newest}) as n
       from ${name} t where t.${owner} = asked.id order by ${newest} offset $2 limit 2
     ) two order by asked.place, two.n`,
    [ids, keep - 1],
  )
  return rows.flatMap((kept, i): Excess[] => {
    const gone = rows[i + 1]
    if (gone === undefined || gone.id !== kept.id) return []
    return [
      {
        id: kept.id,
        key: key.map((column) => Number(gone[`key_${column}`])),
        keptFromMs: kept.at.getTime(),
      },
    ]
  })
}

/** The moment up to which the time of an object is summed. Deleted objects are not summed. */
const SUMMED_TO = (owner: string): string => `coalesce(
  (select up.summed_to from uptime_part up, uptime_progress pr where up.object_id = ${owner} and up.day = pr.day + 1),
  (select (pr.day + 1)::timestamp at time zone 'UTC' from uptime_progress pr))`

/** Deletes at most `batch` transitions: those up to the newest that goes, as far as their time is summed. */
export async function deleteExcess(
  db: Db,
  kind: UptimeKindOfObject,
  excess: readonly Excess[],
  batch: number,
): Promise<number> {
  if (excess.length === 0) return 0
  const { name, owner, key } = TABLES[kind]
  const columns = key.map((column) => `t.${column}`).join(', ')
  const [row] = await query<{ n: number }>(
    db,
    `with gone as (
       delete from ${name} where id in (
         select due.id
         from unnest($1::uuid[], ${key.map((_, i) => `$${i + 3}::bigint[]`).join(', ')})
           asked (id, ${key.map((column) => `key_${column}`).join(', ')})
         cross join lateral (
           select case when exists (select from ${kind} o where o.id = asked.id) then ${SUMMED_TO('asked.id')}
             else 'infinity' end as at
         ) summed
         cross join lateral (
           select t.id from ${name} t
           where t.${owner} = asked.id and t.at < summed.at
             and (${columns}) <= (${key.map((column) => `asked.key_${column}`).join(', ')})
           order by ${columns} limit $2
         ) due
         limit $2
       ) returning 1
     ) select count(*) as n from gone`,
    [excess.map(({ id }) => id), batch, ...key.map((_, i) => excess.map((each) => each.key[i]))],
  )
  return row?.n ?? 0
}

/** Deletes at most `batch` transitions of these members: of those beyond the newest `keep` of each that are summed. */
export async function trimTransitions(
  db: Db,
  members: readonly string[],
  { keep, batch }: { readonly keep: number; readonly batch: number },
): Promise<number> {
  return await deleteExcess(db, 'member', await findExcess(db, 'member', members, keep), batch)
}

/** Deletes at most `batch` transitions of pools that are older than `days` and summed; returns how many. */
export async function purgeOldPoolTransitions(db: Db, days: number, batch: number): Promise<number> {
  return await purgeOld(db, 'pool_transition', days, batch)
}

/** Deletes at most `batch` transitions of members that are older than `days` and summed; returns how many. */
export async function purgeOldTransitions(db: Db, days: number, batch: number): Promise<number> {
  return await purgeOld(db, 'member_transition', days, batch)
}

/** Every object is summed up to the end of the last closed day; of gone ones nothing more is summed. */
async function purgeOld(db: Db, table: string, days: number, batch: number): Promise<number> {
  const [row] = await query<{ n: number }>(
    db,
    `with gone as (
       delete from ${table} where id in (
         select id from ${table}
         where at < least(now() - $1 * interval '1 day',
           (select (pr.day + 1)::timestamp at time zone 'UTC' from uptime_progress pr))
         order by at limit $2
       ) returning 1
     ) select count(*) as n from gone`,
    [days, batch],
  )
  return row?.n ?? 0
}

/** The next `count` pools after an id. */
export async function poolsAfter(db: Db, after: string, count: number): Promise<readonly string[]> {
  const rows = await query<{ id: string }>(
    db,
    'select id::text from pool where id > $1::uuid order by id limit $2',
    [after, count],
  )
  return rows.map(({ id }) => id)
}
