/**
 * What uptime is computed from, of many members or pools at once: transitions (migration 0028), and the times that stand apart
 * (uptime-asides.ts).
 */
import { UPTIME_FACTS_DAYS } from '../../domain/limits.ts'
import type { NewGeneration, StatusChange, UptimeFacts } from '../../domain/status/uptime.ts'
import { DAY_MS } from '../../domain/status/uptime-days.ts'
import { type Db, query } from '../connection/database.ts'
import { type AsidesOfObject, readAsides } from './uptime-asides.ts'

export type UptimeKindOfObject = 'member' | 'pool'

/** An object, and from when on its changes are wanted. */
export interface AskedUptime {
  readonly id: string
  readonly fromMs: number
}

/** Which changes of an object are read beside the last one before its `fromMs`, and which times that stand apart. */
export interface AskedChanges {
  readonly toMs: number
  /** Times that stand apart are read from here on; not after the `fromMs` of any object. */
  readonly asidesFromMs: number
  /** At most so many changes of each object: the newest of them, or the oldest; so many times that stand apart, the newest. */
  readonly max: number
  readonly end: 'newest' | 'oldest'
}

export interface ObjectFacts {
  readonly id: string
  readonly projectId: string
  /** Without `completeFromMs`, which the caller knows. */
  readonly facts: UptimeFacts
  /** There are more changes than were read. Of the newest, nothing is known before the first one then. */
  readonly isCut: boolean
  /** From this moment on no change and no time that stands apart is missing, as far as the facts say. */
  readonly exactFromMs: number
}

interface ObjectRow {
  readonly id: string
  readonly project_id: string
  readonly created_at: Date
  /** Itself and its parents, whose times stand apart for it too. */
  readonly objects: readonly string[]
  readonly status: string | null
  readonly since: Date | null
  readonly generation: number | null
}

interface ChangeRow {
  readonly id: string
  readonly at: Date
  readonly from_state: string | null
  readonly to_state: string
  readonly generation: number
}

/** Per kind of object: its row, and its changes as a table. */
const OBJECTS: Readonly<Record<UptimeKindOfObject, string>> = {
  member: `
    select m.id, m.project_id, m.created_at, array_remove(array[m.id, p.id, lb.id, hm.id], null) as objects,
      s.status, s.since, s.generation
    from member m
    join pool p on p.id = m.pool_id
    join load_balancer lb on lb.id = p.load_balancer_id
    left join health_monitor hm on hm.pool_id = p.id
    left join member_state s on s.member_id = m.id
    where m.id = any($1::uuid[])`,
  pool: `
    select p.id, p.project_id, p.created_at, array_remove(array[p.id, lb.id, hm.id], null) as objects,
      r.operating_status as status, r.since, 0::bigint as generation
    from pool p
    join load_balancer lb on lb.id = p.load_balancer_id
    left join health_monitor hm on hm.pool_id = p.id
    left join pool_roll_up r on r.pool_id = p.id
    where p.id = any($1::uuid[])`,
}
const CHANGES: Readonly<
  Record<UptimeKindOfObject, { readonly columns: string; readonly table: string; readonly key: string[] }>
> = {
  member: {
    columns: 't.at, t.from_state, t.to_state, t.generation, t.epoch, t.sequence',
    table: 'member_transition t where t.member_id',
    // Of the latest owner, whatever the clocks are.
    key: ['t.epoch', 't.sequence'],
  },
  pool: {
    columns:
      't.at, t.from_status as from_state, t.to_status as to_state, 0::bigint as generation, t.id as sequence',
    table: 'pool_transition t where t.pool_id',
    key: ['t.id'],
  },
}

/** Facts of the objects that are there. */
export async function readFacts(
  db: Db,
  kind: UptimeKindOfObject,
  asked: readonly AskedUptime[],
  changes: AskedChanges,
): Promise<readonly ObjectFacts[]> {
  const objects = await query<ObjectRow>(db, OBJECTS[kind], [asked.map(({ id }) => id)])
  const from = new Map(asked.map(({ id, fromMs }) => [id, fromMs]))
  const [changesOf, asidesOf] = await Promise.all([
    readChanges(db, kind, asked, changes),
    readAsides(
      db,
      {
        objects: [...new Set(objects.flatMap((object) => object.objects))],
        members: kind === 'member' ? objects.map(({ id }) => id) : [],
      },
      { fromMs: changes.asidesFromMs, toMs: changes.toMs, max: changes.max },
    ),
  ])
  return objects.map((object) => {
    const own = changesOf.get(object.id) ?? []
    const asides = asidesOf(object.objects)
    return factsOf(kind, object, { own, asides, fromMs: from.get(object.id) ?? 0, changes })
  })
}

/** In the order in which they were decided. */
async function readChanges(
  db: Db,
  kind: UptimeKindOfObject,
  asked: readonly AskedUptime[],
  { toMs, max, end }: AskedChanges,
): Promise<ReadonlyMap<string, readonly ChangeRow[]>> {
  const { columns, table, key } = CHANGES[kind]
  const newest = key.map((column) => `${column} desc`).join(', ')
  const rows = await query<ChangeRow>(
    db,
    `select asked.id, c.* from unnest($1::uuid[], $2::timestamptz[]) asked (id, since)
     cross join lateral (
       (select ${columns} from ${table} = asked.id and t.at < asked.since order by ${newest} limit 1)
       union all
       (select ${columns} from ${table} = asked.id and t.at >= asked.since and t.at < $3
         order by ${end === 'newest' ? newest : key.join(', ')} limit $4)
     ) c
     order by asked.id, ${key.map((column) => column.replace('t.id', 'c.sequence').replace('t.', 'c.')).join(', ')}`,
    [
      asked.map(({ id }) => id),
      asked.map(({ fromMs }) => new Date(fromMs)),
      new Date(toMs),
      // One more says whether there are more.
      end === 'newest' ? max + 1 : max,
    ],
  )
  return grouped(rows, ({ id }) => id)
}

function grouped<Row>(rows: readonly Row[], keyOf: (row: Row) => string): Map<string, Row[]> {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const group = groups.get(keyOf(row))
    if (group === undefined) groups.set(keyOf(row), [row])
    else group.push(row)
  }
  return groups
}

interface Read {
  readonly own: readonly ChangeRow[]
  readonly asides: AsidesOfObject
  readonly fromMs: number
  readonly changes: AskedChanges
}

function factsOf(
  kind: UptimeKindOfObject,
  object: ObjectRow,
  { own, asides, fromMs, changes: asked }: Read,
): ObjectFacts {
  const { kept, isCut } = keptOf(own, fromMs, asked)
  const changes = changesOf(kind, object, kept).filter(({ atMs }) => atMs < asked.toMs)
  const first = changes[0]
  const asidesKeptMs = Date.now() - UPTIME_FACTS_DAYS * DAY_MS
  const generations = kind === 'pool' ? [] : generationsOf(object, asides, { fromMs, asidesKeptMs })
  const firstMs = first === undefined ? fromMs : Math.max(first.atMs, fromMs)
  return {
    id: object.id,
    projectId: object.project_id,
    isCut,
    exactFromMs: Math.max(asidesKeptMs, asides.completeFromMs, asides.verdictsFromMs, firstMs),
    facts: {
      createdMs: object.created_at.getTime(),
      changes,
      asides: asides.asides,
      generations,
      firstVerdicts: generations.length === 0 ? [] : asides.firstVerdicts,
    },
  }
}

/** Between the change before `fromMs` and the newest ones some may be missing: then nothing is said of that time. */
function keptOf(
  own: readonly ChangeRow[],
  fromMs: number,
  { max, end }: AskedChanges,
): { readonly kept: readonly ChangeRow[]; readonly isCut: boolean } {
  const within = own.filter(({ at }) => at.getTime() >= fromMs)
  if (end === 'oldest') return { kept: own, isCut: within.length >= max }
  if (within.length <= max) return { kept: own, isCut: false }
  const newest = within.slice(-max)
  return { kept: newest.map((row, i) => (i === 0 ? { ...row, from_state: null } : row)), isCut: true }
}

/** Where all transitions were deleted, the state of now is the one since its last one. */
function changesOf(kind: UptimeKindOfObject, object: ObjectRow, own: readonly ChangeRow[]): StatusChange[] {
  if (own.length === 0 && object.status !== null && object.since !== null) {
    const to = statusOf(kind, object.status)
    return [{ atMs: object.since.getTime(), from: undefined, to, generation: object.generation ?? 0 }]
  }
  return own
    .map(({ at, from_state: from, to_state: to, generation }) => ({
      atMs: at.getTime(),
      from: fromOf(kind, from),
      to: statusOf(kind, to),
      generation,
    }))
    .toSorted((a, b) => a.atMs - b.atMs)
}

/** A pool is up while it serves. Its OFFLINE says that nothing is known of its members, or that it is switched off. */
const POOL_STATUSES: Readonly<Record<string, StatusChange['to']>> = {
  ONLINE: 'ONLINE',
  DEGRADED: 'ONLINE',
  ERROR: 'OFFLINE',
}

function statusOf(kind: UptimeKindOfObject, status: string): StatusChange['to'] {
  return kind === 'member' ? (status as StatusChange['to']) : (POOL_STATUSES[status] ?? 'UNKNOWN')
}

function fromOf(kind: UptimeKindOfObject, status: string | null): StatusChange['from'] {
  if (kind === 'member') return status === null ? undefined : (status as StatusChange['from'])
  const from = statusOf(kind, status ?? '')
  // No verdict of a pool is awaited.
  return from === 'UNKNOWN' ? undefined : from
}

/**
 * Generations that matter from `fromMs` on. They ascend, so of those before only the last one can still await a verdict. One
 * whose verdict is noted no longer, as that is too long ago or there were too many since, awaits none.
 */
function generationsOf(
  object: ObjectRow,
  { generations, verdictsFromMs }: AsidesOfObject,
  { fromMs, asidesKeptMs }: { readonly fromMs: number; readonly asidesKeptMs: number },
): readonly NewGeneration[] {
  const all = generations.toSorted((a, b) => a.atMs - b.atMs)
  const later = all.findIndex(({ atMs }) => atMs >= fromMs)
  const notedFromMs = Math.max(asidesKeptMs, verdictsFromMs)
  return all
    .slice(later === -1 ? -1 : Math.max(0, later - 1))
    .filter(({ atMs, generation }) => atMs >= notedFromMs || (object.generation ?? 0) < generation)
}
