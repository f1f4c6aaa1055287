/**
 * Members that may have a status, found by the counts of their pools: a filter by a rare status must not look at every
 * member of a project. The filter itself decides; this only names a set that holds all that match it.
 */
import { STATUS_CANDIDATES_MAX } from '../../domain/limits.ts'
import type { MemberState } from '../../domain/status/member-status.ts'
import { isUuid } from '../../domain/uuid.ts'
import type { Bindings } from '../connection/bindings.ts'
import { type Db, query } from '../connection/database.ts'
import type { ListQuery } from '../configuration/lists.ts'
import type { MemberCounts } from './pool-counts.ts'

/** A predicate over members `m`; undefined = so many may match that a walk over all members finds them sooner. */
export type Candidates = ((bind: Bindings['bind']) => string) | undefined

const nobody = (): string => 'false'

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

interface CountedPool extends Omit<MemberCounts, 'pending'> {
  readonly id: string
}

export async function candidatesByStatus(db: Db, list: ListQuery): Promise<Candidates> {
  const filter = list.filters.find(({ attribute }) => SOURCES[attribute] !== undefined)
  if (filter === undefined) return undefined
  const sources = filter.values.flatMap((word) => SOURCES[filter.attribute]?.[word] ?? [])
  if (sources.length === 0) return nobody
  const states = new Set(sources.flatMap((source) => source.states))
  const pools = await countsOfPools(db, list)
  return candidatesIn(
    pools,
    states,
    sources.some((source) => source.switchedOff === true),
  )
}

/**
 * Three kinds of pools, each with its own index: failing members by their verdicts, members that are switched off, and pools of
 * which every member may match.
 */
function candidatesIn(
  pools: readonly CountedPool[],
  states: ReadonlySet<MemberState>,
  switchedOff: boolean,
): Candidates {
  const failing: string[] = []
  const off: string[] = []
  const whole: string[] = []
  let candidates = 0
  for (const pool of pools) {
    const isWhole =
      (states.has('ONLINE') && pool.online > 0) ||
      (states.has('UNKNOWN') && pool.unknown > 0) ||
      (states.has('NO_MONITOR') && pool.no_monitor > 0) ||
      (states.has('DISABLED') && pool.disabled === pool.members && pool.members > 0)
    if (isWhole) {
      whole.push(pool.id)
      candidates += pool.members
      continue
    }
    if (states.has('OFFLINE') && pool.offline > 0) failing.push(pool.id)
    if ((states.has('DISABLED') && pool.disabled > 0) || (switchedOff && pool.no_monitor > 0))
      off.push(pool.id)
    candidates += pool.offline + pool.disabled
  }
  if (failing.length + off.length + whole.length === 0) return nobody
  if (candidates > STATUS_CANDIDATES_MAX) return undefined
  return (bind) => `m.id = any(array(
    select s.member_id from member_state s where s.pool_id = any(${bind(failing)}::uuid[]) and s.status = 'OFFLINE'
    union all select o.id from member o where o.pool_id = any(${bind(off)}::uuid[]) and not o.admin_state_up
    union all select w.id from member w where w.pool_id = any(${bind(whole)}::uuid[])))`
}

/** Of the project, and of the pool when the list is of one. */
async function countsOfPools(db: Db, list: ListQuery): Promise<readonly CountedPool[]> {
  const ofPool = list.filters.find(({ attribute, values }) => attribute === 'pool_id' && values.length === 1)
  const poolId = ofPool?.values[0]
  return await query<CountedPool>(
    db,
    `select pool_id as id, members, online, offline, unknown, disabled, no_monitor from pool_roll_up
     where ($1::text is null or project_id = $1) and ($2::uuid is null or pool_id = $2)`,
    [list.projectId ?? null, poolId !== undefined && isUuid(poolId) ? poolId : null],
  )
}
