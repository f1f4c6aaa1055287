/** Statements of the overview on members: those of a pool with the worst first, and the search among all of a project. */
import { SEARCH_CANDIDATES_MAX } from '../../domain/limits.ts'
import { collectBindings } from '../connection/bindings.ts'
import { type Db, query } from '../connection/database.ts'
import { foundIn, searchOf } from './overview.ts'

/** The order: OFFLINE, stale, without a verdict, ONLINE, not probed; and within each, those that changed last first. */
const RANK = `case
    when s.state = 'OFFLINE' then 0
    when s.stale then 1
    when s.state = 'UNKNOWN' then 2
    when s.pending then 3
    when s.state = 'ONLINE' then 4
    when s.state = 'NO_MONITOR' then 5
    else 6
  end`
/** In microseconds: a time in JavaScript has milliseconds, and would be another one on the next page. */
const SINCE = `coalesce(-(extract(epoch from s.since) * 1000000)::bigint, 0)`
const FOUND_BY = ['name', 'address']
const ORDER = `${RANK}, ${SINCE}, s.member_id`

export interface PoolMembersPage {
  readonly poolId: string
  readonly limit: number
  /** The id of the last member of the page before. */
  readonly marker?: string
  /** Part of a name, the beginning of an id or of an address. */
  readonly search?: string
}

/** The ids of one page of the members of a pool, the worst first; undefined when the member of the marker is gone. */
export async function listPoolMembersWorstFirst(
  db: Db,
  { poolId, limit, marker, search }: PoolMembersPage,
): Promise<readonly string[] | undefined> {
  const { values, bind } = collectBindings()
  const where = [`s.pool_id = ${bind(poolId)}`]
  if (marker !== undefined) {
    const [key] = await query<{ a: number; b: string; c: string }>(
      db,
      `select k.a, k.b::text, k.c from member_status s cross join lateral (select ${ORDER}) k (a, b, c)
       where s.pool_id = $1 and s.member_id = $2`,
      [poolId, marker],
    )
    if (key === undefined) return undefined
    where.push(`(${ORDER}) > (${bind(key.a)}::int, ${bind(key.b)}::bigint, ${bind(key.c)}::uuid)`)
  }
  if (search !== undefined) {
    const found = foundIn('m', searchOf(search, bind), FOUND_BY).join(' or ')
    where.push(`s.member_id in (select m.id from member m where m.pool_id = $1 and (${found}))`)
  }
  const rows = await query<{ id: string }>(
    db,
    `select s.member_id as id from member_status s where ${where.join(' and ')} order by ${ORDER} limit ${bind(limit)}`,
    values,
  )
  return rows.map(({ id }) => id)
}

export interface FoundMember {
  readonly id: string
  readonly name: string
  readonly address: string
  readonly protocol_port: number
  readonly pool_id: string
  readonly pool_name: string
  readonly project_id: string
  readonly state: string
  readonly pending: boolean
  readonly stale: boolean
  readonly since: Date | null
  readonly reason: string
}

/**
 * Members with this part of a name or this beginning of an id or an address, the worst of the first
 * SEARCH_CANDIDATES_MAX first.
 */
export async function searchMembers(
  db: Db,
  wanted: { readonly projectId: string | undefined; readonly search: string; readonly limit: number },
): Promise<readonly FoundMember[]> {
  const { values, bind } = collectBindings()
  const found = foundIn('m', searchOf(wanted.search, bind), FOUND_BY).join(' or ')
  const project = wanted.projectId === undefined ? '' : `and m.project_id = ${bind(wanted.projectId)}`
  return await query<FoundMember>(
    db,
    `with candidate as materialized (
       select m.id, m.name, m.address, m.protocol_port, m.pool_id, m.project_id from member m
       where (${found}) ${project}
       limit ${SEARCH_CANDIDATES_MAX}
     )
     select c.id, c.name, c.address, c.protocol_port, c.pool_id, p.name as pool_name, c.project_id, s.state, s.pending,
       s.stale, s.since, s.reason
     from candidate c
     -- One by one: a join would read the status of every member.
     cross join lateral (select ms.* from member_status ms where ms.member_id = c.id offset 0) s
     join pool p on p.id = c.pool_id
     order by ${ORDER} limit ${bind(wanted.limit)}`,
    values,
  )
}

/** Members of a pool whose status is too old to trust. */
export async function countStaleMembers(db: Db, poolId: string): Promise<number> {
  const [row] = await query<{ n: number }>(
    db,
    'select count(*)::int as n from member_status s where s.pool_id = $1 and s.stale',
    [poolId],
  )
  return row?.n ?? 0
}

/** The pool and the project of a member; undefined = unknown. */
export async function findPoolOfMember(
  db: Db,
  id: string,
): Promise<{ readonly pool_id: string; readonly project_id: string } | undefined> {
  const [row] = await query<{ pool_id: string; project_id: string }>(
    db,
    'select pool_id, project_id from member where id = $1',
    [id],
  )
  return row
}
