/**
 * Statements on the times that stand apart in an uptime (`set_aside`, migrations 0024 and 0037), of many objects at once. Each
 * object has a bounded number of them, and what is read of it is bounded too: by time and by rows.
 */
import { UPTIME_FACTS_DAYS, UPTIME_VERDICTS_KEPT } from '../../domain/limits.ts'
import type { Aside, FirstVerdict, NewGeneration } from '../../domain/status/uptime.ts'
import { type Db, query } from '../connection/database.ts'

interface SetAsideRow {
  readonly object_id: string
  readonly kind: 'off' | 'maintenance' | 'no_monitor' | 'generation' | 'verdict'
  readonly begin_at: Date
  readonly end_at: Date | null
  readonly generation: number
}

/** Milliseconds since 1970, and rows of each object. */
export interface AskedAsides {
  readonly fromMs: number
  readonly toMs: number
  /** At most so many times, and so many generations, of each object: the newest. */
  readonly max: number
}

export interface AsidesOfObject {
  readonly asides: readonly Aside[]
  readonly generations: readonly NewGeneration[]
  readonly firstVerdicts: readonly FirstVerdict[]
  /** Before this moment some may be missing, as there were more than are read; -infinity = none is. */
  readonly completeFromMs: number
  /** Before this moment first verdicts may be missing, as only the newest ones are kept. */
  readonly verdictsFromMs: number
}

const COLUMNS = 's.kind, s.begin_at, s.end_at, s.generation'

/** Of a member and its parents: generations ascend, so of those before `fromMs` only the last can await a verdict. */
const GENERATIONS = `
    union all
    (select ${COLUMNS} from set_aside s
      where s.object_id = asked.id and s.kind = 'generation' and s.begin_at >= $2 and s.begin_at < $3
      order by s.begin_at desc limit $4)
    union all
    (select ${COLUMNS} from set_aside s
      where s.object_id = asked.id and s.kind = 'generation' and s.begin_at < $2 order by s.begin_at desc limit 1)`

const VERDICTS = `
  union all
  select asked.id, s.* from unnest($5::uuid[]) asked (id)
  cross join lateral (
    select ${COLUMNS} from set_aside s where s.object_id = asked.id and s.kind = 'verdict'
    order by s.begin_at desc limit ${UPTIME_VERDICTS_KEPT}
  ) s`

/** What was noted, and the maintenance of now with its next occurrences, which is noted when it changes. */
const statementOf = (hasVerdicts: boolean): string => `
  select asked.id as object_id, s.* from unnest($1::uuid[]) asked (id)
  cross join lateral (
    (select ${COLUMNS} from set_aside s
      where s.object_id = asked.id and s.kind in ('off', 'maintenance', 'no_monitor')
        and s.begin_at < $3 and (s.end_at is null or s.end_at > $2)
      order by s.begin_at desc limit $4)${hasVerdicts ? GENERATIONS : ''}
  ) s${hasVerdicts ? VERDICTS : ''}
  union all
  select o.id, 'maintenance', t.begin_at, maintenance_time(each->>'end'), 0
  from (
    select id, maintenance from member where id = any($1::uuid[]) and maintenance is not null
    union all select id, maintenance from pool where id = any($1::uuid[]) and maintenance is not null
    union all select id, maintenance from health_monitor where id = any($1::uuid[]) and maintenance is not null
  ) o
  cross join lateral jsonb_array_elements(
    coalesce(nullif(o.maintenance->'occurrences', '[]'), jsonb_build_array(o.maintenance))) each
  cross join lateral (select maintenance_time(each->>'start') as begin_at) t
  where t.begin_at < $3`

/** Times of objects, by their ids. Verdicts are noted of members alone: `members` are some of the objects, or none. */
export async function readAsides(
  db: Db,
  { objects, members }: { readonly objects: readonly string[]; readonly members: readonly string[] },
  asked: AskedAsides,
): Promise<(ids: readonly string[]) => AsidesOfObject> {
  const hasVerdicts = members.length > 0
  const rows = await query<SetAsideRow>(db, statementOf(hasVerdicts), [
    objects,
    new Date(asked.fromMs),
    new Date(asked.toMs),
    asked.max,
    ...(hasVerdicts ? [members] : []),
  ])
  const byObject = new Map<string, SetAsideRow[]>()
  for (const row of rows) {
    const own = byObject.get(row.object_id)
    if (own === undefined) byObject.set(row.object_id, [row])
    else own.push(row)
  }
  const known = new Map([...byObject].map(([id, own]) => [id, ofObject(own, asked)]))
  return (ids) => together(ids.flatMap((id) => known.get(id) ?? []))
}

/** Of one object. */
function ofObject(rows: readonly SetAsideRow[], { fromMs, max }: AskedAsides): AsidesOfObject {
  const asides = rows.flatMap(asideOf)
  const [generations, firstVerdicts] = [marksOf(rows, 'generation'), marksOf(rows, 'verdict')]
  const within = generations.filter(({ atMs }) => atMs >= fromMs)
  return {
    asides,
    generations,
    firstVerdicts,
    completeFromMs: Math.max(
      asides.length < max ? Number.NEGATIVE_INFINITY : earliest(asides.map(({ beginMs }) => beginMs)),
      within.length < max ? Number.NEGATIVE_INFINITY : earliest(within.map(({ atMs }) => atMs)),
    ),
    verdictsFromMs:
      firstVerdicts.length < UPTIME_VERDICTS_KEPT
        ? Number.NEGATIVE_INFINITY
        : earliest(firstVerdicts.map(({ atMs }) => atMs)),
  }
}

/** Of a member or a pool and its parents. */
function together(all: readonly AsidesOfObject[]): AsidesOfObject {
  const last = (of: (each: AsidesOfObject) => number) => Math.max(Number.NEGATIVE_INFINITY, ...all.map(of))
  return {
    asides: all.flatMap(({ asides }) => asides),
    generations: all.flatMap(({ generations }) => generations),
    firstVerdicts: all.flatMap(({ firstVerdicts }) => firstVerdicts),
    completeFromMs: last(({ completeFromMs }) => completeFromMs),
    verdictsFromMs: last(({ verdictsFromMs }) => verdictsFromMs),
  }
}

const earliest = (moments: readonly number[]): number =>
  moments.reduce((first, ms) => Math.min(first, ms), Number.POSITIVE_INFINITY)

function asideOf({ kind, begin_at: begin, end_at: end }: SetAsideRow): readonly Aside[] {
  if (kind === 'generation' || kind === 'verdict') return []
  const endMs = end?.getTime() ?? Number.POSITIVE_INFINITY
  return [{ kind: kind === 'no_monitor' ? 'noMonitor' : kind, beginMs: begin.getTime(), endMs }]
}

function marksOf(rows: readonly SetAsideRow[], kind: 'generation' | 'verdict'): NewGeneration[] {
  return rows
    .filter((row) => row.kind === kind)
    .map((row) => ({ atMs: row.begin_at.getTime(), generation: row.generation }))
}

/**
 * Deletes first verdicts beyond the newest UPTIME_VERDICTS_KEPT of each object, and what ended more than UPTIME_FACTS_DAYS ago.
 * Rows that somebody has locked are left: they go with the next call, or with their object.
 */
export async function forgetAsides(db: Db, objects: readonly string[]): Promise<void> {
  await query(
    db,
    `with object as materialized (
       select o.id, (
         select k.begin_at from set_aside k where k.object_id = o.id and k.kind = 'verdict'
         order by k.begin_at desc offset $2 limit 1
       ) as too_old_at
       from unnest($1::uuid[]) o (id)
     )
     delete from set_aside where ctid = any(array(
       select s.ctid from object o join set_aside s on s.object_id = o.id
       where s.kind = 'verdict' and s.begin_at <= o.too_old_at
         or case when s.kind = 'verdict' then s.begin_at else s.end_at end < now() - $3 * interval '1 day'
       for update of s skip locked))`,
    [objects, UPTIME_VERDICTS_KEPT, UPTIME_FACTS_DAYS],
  )
}
