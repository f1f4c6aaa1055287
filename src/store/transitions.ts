/** Statements on the history of a member. Its rows outlive the member; they are found by the project they belong to. */
import { type Db, query } from './database.ts'
import type { MemberKey } from './members.ts'

export interface TransitionRecord {
  /** Ascending in the order of writing. */
  readonly id: number
  readonly at: Date
  readonly from: 'UNKNOWN' | 'ONLINE' | 'OFFLINE'
  readonly to: 'ONLINE' | 'OFFLINE'
  readonly reason: string
  readonly detail: string
  readonly evidence: Readonly<Record<string, unknown>>
  /** Transitions before this one that could not be kept. */
  readonly dropped: number
}

export interface TransitionPage {
  readonly limit: number
  /** Rows older than this one, newer when `reverse`. */
  readonly marker?: number
  readonly reverse: boolean
}

const OF_POOL = 't.pool_id = ? and (?::text is null or t.project_id = ?)'
const OF_MEMBER = `t.member_id = ? and ${OF_POOL}`

function ofMember(key: MemberKey): unknown[] {
  return [key.id, key.poolId, key.projectId ?? null, key.projectId ?? null]
}

/** One page, newest first. */
export async function listTransitions(
  db: Db,
  key: MemberKey,
  page: TransitionPage,
): Promise<TransitionRecord[]> {
  const beyond = page.reverse ? 't.id > ?' : 't.id < ?'
  const rows = await query<TransitionRow>(
    db,
    `select t.id, t.at, t.from_state, t.to_state, t.reason, t.detail, t.evidence, t.dropped
     from member_transition t
     where ${OF_MEMBER} ${page.marker === undefined ? '' : `and ${beyond}`}
     order by t.id ${page.reverse ? 'asc' : 'desc'} limit ?`,
    [...ofMember(key), ...(page.marker === undefined ? [] : [page.marker]), page.limit],
  )
  const records = rows.map(toTransition)
  return page.reverse ? records.reverse() : records
}

/** Whether this transition is one of the member's. */
export async function hasTransition(db: Db, key: MemberKey, id: number): Promise<boolean> {
  const rows = await query(db, `select from member_transition t where ${OF_MEMBER} and t.id = ?`, [
    ...ofMember(key),
    id,
  ])
  return rows.length > 0
}

/** The project of a member that exists, or of which there is history. */
export async function ownerOfHistory(db: Db, key: MemberKey): Promise<string | undefined> {
  const rows = await query<{ project_id: string }>(
    db,
    `(select t.project_id from member t where t.id = ? and ${OF_POOL} limit 1)
     union all
     (select t.project_id from member_transition t where ${OF_MEMBER} limit 1)
     limit 1`,
    [...ofMember(key), ...ofMember(key)],
  )
  return rows[0]?.project_id
}

interface TransitionRow {
  id: number
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
    at: row.at,
    from: row.from_state,
    to: row.to_state,
    reason: row.reason,
    detail: row.detail,
    evidence: row.evidence,
    dropped: row.dropped,
  }
}
