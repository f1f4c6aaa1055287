/**
 * Statements on the history of members. Its rows outlive the member and the pool; they are found by the project they belong to.
 */
import { type Bindings, collectBindings } from '../connection/bindings.ts'
import { isOfLbaasPool, type Reach } from '../door/lbaas-only.ts'
import { type Db, query } from '../connection/database.ts'

export interface TransitionRecord {
  /** Ascending in the order of writing. */
  readonly id: number
  readonly memberId: string
  readonly poolId: string
  readonly at: Date
  readonly from: 'UNKNOWN' | 'ONLINE' | 'OFFLINE'
  readonly to: 'ONLINE' | 'OFFLINE'
  readonly reason: string
  readonly detail: string
  readonly evidence: Readonly<Record<string, unknown>>
  /** Transitions before this one that could not be stored. */
  readonly dropped: number
}

/** Whose transitions: of a member, of a pool, of a project; what is absent is any. */
export interface TransitionScope {
  readonly memberId?: string
  readonly poolId?: string
  readonly projectId: string | undefined
  /** Absent = of members of LBaaS alone. */
  readonly reach?: Reach
}

export interface TransitionPage {
  readonly limit: number
  /** Rows older than this one, newer when `reverse`. */
  readonly marker?: number
  readonly reverse: boolean
  /** All must match; the values of one are alternatives. Ids are UUIDs. */
  readonly filters?: readonly { readonly attribute: TransitionFilter; readonly values: readonly string[] }[]
}

export type TransitionFilter = 'to' | 'member_id' | 'pool_id'

/** The column and the type of its values. */
const FILTERS: Readonly<Record<TransitionFilter, readonly [column: string, type: string]>> = {
  to: ['t.to_state', 'text[]'],
  member_id: ['t.member_id', 'uuid[]'],
  pool_id: ['t.pool_id', 'uuid[]'],
}

/** Each is an equality, so that it can be the beginning of an index. */
function within({ memberId, poolId, projectId }: TransitionScope, bind: Bindings['bind']): string {
  const conditions = [
    ['t.member_id', memberId],
    ['t.pool_id', poolId],
    ['t.project_id', projectId],
  ].filter(([, value]) => value !== undefined)
  if (conditions.length === 0) return 'true'
  return conditions.map(([column, value]) => `${column} = ${bind(value)}`).join(' and ')
}

/** One page, newest first. */
export async function listTransitions(
  db: Db,
  scope: TransitionScope,
  { limit, marker, reverse, filters = [] }: TransitionPage,
): Promise<TransitionRecord[]> {
  const { values, bind } = collectBindings()
  const conditions = [
    within(scope, bind),
    ...(scope.reach === 'all' ? [] : [isOfLbaasPool('t.pool_id')]),
    ...filters.map((filter) => {
      const [column, type] = FILTERS[filter.attribute]
      return `${column} = any(${bind(filter.values)}::${type})`
    }),
    ...(marker === undefined ? [] : [`t.id ${reverse ? '>' : '<'} ${bind(marker)}`]),
  ]
  const rows = await query<TransitionRow>(
    db,
    `select t.id, t.member_id, t.pool_id, t.at, t.from_state, t.to_state, t.reason, t.detail, t.evidence, t.dropped
     from member_transition t
     where ${conditions.join(' and ')}
     order by t.id ${reverse ? 'asc' : 'desc'} limit ${bind(limit)}`,
    values,
  )
  const records = rows.map(toTransition)
  return reverse ? records.reverse() : records
}

/** Whether this transition is one of these. */
export async function hasTransition(db: Db, scope: TransitionScope, id: number): Promise<boolean> {
  const { values, bind } = collectBindings()
  const wanted = `${within(scope, bind)} and t.id = ${bind(id)}`
  const rows = await query(db, `select from member_transition t where ${wanted}`, values)
  return rows.length > 0
}

/** The project of a member or a pool that exists, or of which there is history. */
export async function ownerOfHistory(
  db: Db,
  scope: TransitionScope & { readonly poolId: string },
): Promise<string | undefined> {
  const { memberId, poolId, projectId } = scope
  const [object, history] =
    memberId === undefined
      ? ['pool t where t.id = $1', 't.pool_id = $1']
      : ['member t where t.id = $3 and t.pool_id = $1', 't.member_id = $3 and t.pool_id = $1']
  const mine = `($2::text is null or t.project_id = $2) and ${isOfLbaasPool('$1')}`
  const rows = await query<{ project_id: string }>(
    db,
    `(select t.project_id from ${object} and ${mine} limit 1)
     union all
     (select t.project_id from member_transition t where ${history} and ${mine} limit 1)
     limit 1`,
    [poolId, projectId ?? null, ...(memberId === undefined ? [] : [memberId])],
  )
  return rows[0]?.project_id
}

/** The project of a member that exists, or of which there is history, whichever API keeps it. */
export async function projectOfMemberHistory(db: Db, memberId: string): Promise<string | undefined> {
  const [row] = await query<{ project_id: string }>(
    db,
    `(select project_id from member where id = $1)
     union all
     (select project_id from member_transition where member_id = $1 limit 1)
     limit 1`,
    [memberId],
  )
  return row?.project_id
}

interface TransitionRow {
  id: number
  member_id: string
  pool_id: string
  at: Date
  from_state: TransitionRecord['from']
  to_state: TransitionRecord['to']
  reason: string
  detail: string
  evidence: Record<string, unknown>
  dropped: number
}

function toTransition(row: TransitionRow): TransitionRecord {
  return {
    id: row.id,
    memberId: row.member_id,
    poolId: row.pool_id,
    at: row.at,
    from: row.from_state,
    to: row.to_state,
    reason: row.reason,
    detail: row.detail,
    evidence: row.evidence,
    dropped: row.dropped,
  }
}
