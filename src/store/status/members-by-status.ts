/**
 * Members that may have a status, found by the counts of their pools: a filter by status must not look at every member of
 * a project, wherever those that match stand in the order of the list. The filter itself decides; this only names sets
 * that together hold all that match it.
 *
 * A list in the order of ids is walked by windows of ids: a window is as wide as it takes to find a page, if the ids of
 * those that match are spread evenly, as random ids are. Where they are not, the next window is wider. What is read of a
 * window are entries of an index; only as many members as a page needs are looked at.
 */
import {
  STATUS_CANDIDATES_GROWTH,
  STATUS_CANDIDATES_MAX,
  STATUS_CANDIDATES_SPARE,
  STATUS_POOLS_MAX,
} from '../../domain/limits.ts'
import type { MemberState } from '../../domain/status/member-status.ts'
import { isUuid } from '../../domain/uuid.ts'
import { type Bindings, collectBindings } from '../connection/bindings.ts'
import { type Db, query } from '../connection/database.ts'
import type { ListQuery, Narrowed } from '../configuration/lists.ts'
import { type IdWindow, idWindows } from './id-windows.ts'

/** What can have one word of a dialect. */
interface Sources {
  readonly states: readonly MemberState[]
  /** Also members that are switched off, whatever their state. */
  readonly switchedOff?: true
}

/** Attribute of the list → word → what can have it: `operatingStatus` and `memberWord` of the domain, backwards. */
const SOURCES: Readonly<Record<string, Readonly<Record<string, Sources>>>> = {
  operating_status: {
    ONLINE: { states: ['ONLINE'] },
    OFFLINE: { states: ['OFFLINE', 'UNKNOWN', 'DISABLED'] },
    NO_MONITOR: { states: ['NO_MONITOR'] },
  },
  rolled_up_status: {
    ONLINE: { states: ['ONLINE'] },
    DRAINING: { states: ['ONLINE'] },
    ERROR: { states: ['OFFLINE'] },
    OFFLINE: { states: ['UNKNOWN', 'DISABLED'], switchedOff: true },
    NO_MONITOR: { states: ['NO_MONITOR'] },
  },
}

const nobody = (): string => 'false'

/** A window has so many pages, if ids are spread evenly: of two, nearly all have one. */
const WINDOW_OF_PAGES = 2

/**
 * Predicates over members `m`, in the order of the list: every member that matches meets one of them, and those that meet
 * an earlier one come first. `undefined` is met by all. There is at least one.
 */
export async function* candidatesByStatus(db: Db, list: ListQuery): AsyncGenerator<Narrowed, void> {
  const filter = list.filters.find(({ attribute }) => SOURCES[attribute] !== undefined)
  if (filter === undefined) return yield undefined
  const kinds = kindsOf(filter.values.flatMap((word) => SOURCES[filter.attribute]?.[word] ?? []))
  const counted = await countCandidates(db, list, kinds)
  if (counted.sources.length === 0) return yield nobody
  if (counted.pools > STATUS_POOLS_MAX) return yield undefined
  if (isWalkedById(list, filter.attribute)) return yield* candidatesById(db, list, counted)
  if (counted.members > STATUS_CANDIDATES_MAX) return yield undefined
  yield (bind) => `m.id = any(array(${candidates(list, counted, { bind })}))`
}

/** Ordered by id, and with no other condition that candidates might not meet. */
function isWalkedById({ sort, filters, tagFilters = [] }: ListQuery, status: string): boolean {
  const known = new Set([status, 'pool_id', 'project_id', 'tenant_id'])
  const isById = sort.every(({ attribute }) => attribute === 'id')
  return isById && tagFilters.length === 0 && filters.every(({ attribute }) => known.has(attribute))
}

/** A page of candidates after the other, until there are no more. */
async function* candidatesById(db: Db, list: ListQuery, counted: Counted): AsyncGenerator<Narrowed, void> {
  const isAscending = (list.sort[0]?.direction !== 'desc') !== list.reverse
  const named = (ids: readonly string[]): Narrowed => {
    return (bind) => `m.id = any(${bind(ids)}::uuid[])`
  }
  let most = list.limit + STATUS_CANDIDATES_SPARE
  let { marker } = list
  let isFirst = true
  if (isUsual(list, counted)) {
    // Nearly all of the next members match, if ids are spread evenly.
    const count = Math.ceil((most * counted.all) / counted.members)
    const ids = await nextMembers(db, list, { isAscending, count })
    yield named(ids)
    if (ids.length < count) return
    marker = ids.at(-1)
    isFirst = false
  }
  const share = WINDOW_OF_PAGES * (most / Math.max(counted.members, 1))
  const windows = idWindows({ isAscending, marker, share })
  for (let window = windows.next(); window !== undefined; ) {
    const ids = await candidatesIn(db, list, counted, { window, most })
    if (ids.length > 0 || isFirst) yield named(ids)
    isFirst = false
    if (ids.length < most) {
      window = windows.next()
    } else {
      window = windows.after(ids.at(-1) ?? '')
      // Many did not match: those of pools whose verdicts are older than their configuration.
      most = Math.max(most, Math.min(most * STATUS_CANDIDATES_GROWTH, STATUS_CANDIDATES_MAX))
    }
  }
}

/** At least half of all members match: those of no pool have to be looked for. */
function isUsual({ filters }: ListQuery, { members, all }: Counted): boolean {
  return members >= all / 2 && filters.every(({ attribute }) => attribute !== 'pool_id')
}

/** The members after the marker, whatever their status. */
async function nextMembers(
  db: Db,
  list: ListQuery,
  { isAscending, count }: { readonly isAscending: boolean; readonly count: number },
): Promise<string[]> {
  const { values, bind } = collectBindings()
  const where = [
    ...(list.projectId === undefined ? [] : [`m.project_id = ${bind(list.projectId)}`]),
    ...(list.marker === undefined ? [] : [`m.id ${isAscending ? '>' : '<'} ${bind(list.marker)}::uuid`]),
  ]
  const rows = await query<{ id: string }>(
    db,
    `select m.id from member m ${where.length === 0 ? '' : `where ${where.join(' and ')}`}
     order by m.id ${isAscending ? 'asc' : 'desc'} limit ${bind(count)}`,
    values,
  )
  return rows.map(({ id }) => id)
}

interface WindowPage {
  readonly window: IdWindow
  readonly most: number
}

async function candidatesIn(
  db: Db,
  list: ListQuery,
  counted: Counted,
  { window, most }: WindowPage,
): Promise<string[]> {
  const { values, bind } = collectBindings()
  const direction = window.isAscending ? 'asc' : 'desc'
  const rows = await query<{ member_id: string }>(
    db,
    // Materialized: in the order of all ids, a plan would walk the members of every project.
    `with candidate as materialized (${candidates(list, counted, { bind, window })})
     select member_id from candidate order by member_id ${direction} limit ${bind(most)}`,
    values,
  )
  return rows.map((row) => row.member_id)
}

/** A set of candidates: those of the pools whose counts `r` meet a condition. */
interface Source {
  readonly pools: string
  /** Statement: ids of the candidates of the pools that a predicate names, as far as a condition on ids holds. */
  readonly members: (pools: string, within: (id: string) => string) => string
}

interface Kinds {
  /** How many members of a pool match, at most. */
  readonly wanted: string
  readonly sources: readonly Source[]
}

function kindsOf(words: readonly Sources[]): Kinds {
  const states = new Set(words.flatMap((word) => word.states))
  const isSwitchedOff = words.some((word) => word.switchedOff === true)
  const some = (among: readonly MemberState[]): string =>
    either(among.filter((state) => states.has(state)).map((state) => `r.${state.toLowerCase()} > 0`))
  const sum = [...states].map((state) => `r.${state.toLowerCase()}`).join(' + ') || '0'
  // What has no monitor and what its provider does not probe is so in the whole pool, and never pending.
  const whole = either([`r.members = ${sum}`, `r.pending = 0 and ${some(['UNKNOWN', 'NO_MONITOR'])}`])
  const verdicts = (['ONLINE', 'OFFLINE'] as const).filter((status) => states.has(status))
  const off = either([some(['DISABLED']), ...(isSwitchedOff ? ['r.no_monitor > 0'] : [])])
  return {
    wanted: `case when ${whole} or ${isSwitchedOff ? 'r.no_monitor > 0' : 'false'} then r.members else ${sum} end`,
    sources: [
      { pools: whole, members: wholePools },
      ...verdicts.flatMap((status) => [
        { pools: `not ${whole} and ${some([status])} and r.disabled = 0`, members: verdictsOf(status) },
        {
          pools: `not ${whole} and ${some([status])} and r.disabled > 0`,
          members: verdictsOfSwitchedOn(status),
        },
      ]),
      // A member that is probed and has no published verdict is pending, whatever it begins as.
      {
        pools: `not ${whole} and r.pending > 0 and ${some(['UNKNOWN', 'NO_MONITOR', 'ONLINE'])}`,
        members: withoutVerdict,
      },
      { pools: `not ${whole} and ${off}`, members: switchedOff },
    ],
  }
}

const either = (conditions: readonly string[]): string =>
  conditions.length === 0 ? 'false' : `(${conditions.join(' or ')})`

const wholePools: Source['members'] = (pools, within) =>
  `select w.id as member_id from member w where w.pool_id = ${pools} and ${within('w.id')}`

const verdictsOf =
  (status: 'ONLINE' | 'OFFLINE'): Source['members'] =>
  (pools, within) =>
    `select s.member_id from member_state s
     where s.pool_id = ${pools} and s.status = '${status}' and ${within('s.member_id')}`

/** A member that is switched off keeps its verdict. */
const verdictsOfSwitchedOn =
  (status: 'ONLINE' | 'OFFLINE'): Source['members'] =>
  (pools, within) =>
    `select s.member_id from member_state s join member o on o.id = s.member_id
     where s.pool_id = ${pools} and s.status = '${status}' and ${within('s.member_id')} and o.admin_state_up`

const withoutVerdict: Source['members'] = (pools, within) =>
  `select u.id as member_id from member u
   join pool p on p.id = u.pool_id
   join load_balancer lb on lb.id = p.load_balancer_id
   join health_monitor hm on hm.pool_id = u.pool_id
   left join member_state s on s.member_id = u.id
     and s.generation >= greatest(lb.published_from, p.published_from, u.published_from, hm.published_from)
   where u.pool_id = ${pools} and s.member_id is null and ${within('u.id')}`

const switchedOff: Source['members'] = (pools, within) =>
  `select o.id as member_id from member o
   where o.pool_id = ${pools} and not o.admin_state_up and ${within('o.id')}`

/** What is there of each kind, and how much: a statement that reads what is not there takes long to plan. */
async function countCandidates(db: Db, list: ListQuery, { wanted, sources }: Kinds): Promise<Counted> {
  const { values, bind } = collectBindings()
  const [row] = await query<{ pools: number[]; members: number; total: number }>(
    db,
    `select array[${sources.map(({ pools }) => `count(*) filter (where ${pools})`).join(', ')}]::int[] as pools,
       coalesce(sum(${wanted}), 0)::int as members, coalesce(sum(r.members), 0)::int as total
     from pool_roll_up r where ${scopeOf(list, bind)} and r.members > 0`,
    values,
  )
  const { pools, members, total: all } = row ?? { pools: [], members: 0, total: 0 }
  return {
    sources: sources.filter((_, i) => (pools[i] ?? 0) > 0),
    pools: pools.reduce((sum, count) => sum + count, 0),
    members,
    all,
  }
}

/** The kinds of candidates that there are. */
interface Counted {
  readonly sources: readonly Source[]
  /** Pools that have some, once for each kind. */
  readonly pools: number
  /** About how many candidates there are. */
  readonly members: number
  /** How many members there are. */
  readonly all: number
}

interface CandidatesOptions {
  readonly bind: Bindings['bind']
  readonly window?: IdWindow
}

/** Statement: ids of all that may match, each kind by its own index. */
function candidates(list: ListQuery, { sources }: Counted, { bind, window }: CandidatesOptions): string {
  const scope = scopeOf(list, bind)
  const within = (id: string): string => (window === undefined ? 'true' : window.contains(id, bind))
  return sources
    .map(({ pools, members }) =>
      members(`any(array(select r.pool_id from pool_roll_up r where ${scope} and ${pools}))`, within),
    )
    .join('\n union all ')
}

/** The pools of the project, and the one pool when the list is of one. */
function scopeOf(list: ListQuery, bind: Bindings['bind']): string {
  const ofPool = list.filters.find(({ attribute, values }) => attribute === 'pool_id' && values.length === 1)
  const poolId = ofPool?.values[0]
  const conditions = [
    ...(list.projectId === undefined ? [] : [`r.project_id = ${bind(list.projectId)}`]),
    ...(poolId !== undefined && isUuid(poolId) ? [`r.pool_id = ${bind(poolId)}::uuid`] : []),
  ]
  return conditions.length === 0 ? 'true' : conditions.join(' and ')
}
