/**
 * What is exported of every pool and every member: all of them in one snapshot, by a cursor, so that no answer is large and the
 * reader may stop at any row.
 */
import { FIGURES_ROWS, FIGURES_TRANSACTION_MS } from '../../domain/limits.ts'
import type { MemberState } from '../../domain/status/member-status.ts'
import type { MemberFigures, PoolFigures } from '../../domain/status/figures.ts'
import { type Database, query, transaction, type Tx } from '../connection/database.ts'
import type { MemberCounts } from './pool-counts.ts'

/** Takes some rows; false = it wants no more. */
export type TakeFigures<Figures> = (figures: readonly Figures[]) => Promise<boolean>

/** The last probe of each check, as of the last checkpoint of its shard, where it passed. */
const LAST_PASSED = `
  select u.member_id, u.generation, u.total_us
  from shard_checkpoint c
  cross join lateral unnest(c.member_ids, c.generations, c.outcomes, c.total_us) u (member_id, generation, outcome, total_us)
  where u.outcome = 'passed' and u.total_us is not null`

/** Of the check as it is now: a probe of another target says nothing of this one. */
const LATENCIES = `
  select m.id as member_id, m.pool_id, l.total_us
  from last_passed l
  join member m on m.id = l.member_id
  join pool p on p.id = m.pool_id
  join load_balancer lb on lb.id = p.load_balancer_id
  join health_monitor hm on hm.pool_id = p.id
  where l.generation = greatest(lb.generation, p.generation, m.generation, hm.generation)`

const POOLS = `
  with last_passed as materialized (${LAST_PASSED}), latency as materialized (
    select l.pool_id, percentile_disc(0.5) within group (order by l.total_us) as p50,
      percentile_disc(0.99) within group (order by l.total_us) as p99
    from (${LATENCIES}) l group by l.pool_id
  ), transition as materialized (
    select s.pool_id, max(s.since) as last_at from member_state s group by s.pool_id
  )
  select p.id, p.name, p.project_id, coalesce(r.operating_status, 'OFFLINE') as status,
    coalesce(r.online, 0) as online, coalesce(r.offline, 0) as offline, coalesce(r.unknown, 0) as unknown,
    coalesce(r.disabled, 0) as disabled, coalesce(r.no_monitor, 0) as no_monitor, coalesce(r.pending, 0) as pending,
    l.p50, l.p99, t.last_at, c.not_after
  from pool p
  left join pool_roll_up r on r.pool_id = p.id
  left join latency l on l.pool_id = p.id
  left join transition t on t.pool_id = p.id
  left join pool_certificate c on c.pool_id = p.id
  order by p.project_id, p.id`

const MEMBERS = `
  with last_passed as materialized (${LAST_PASSED}), latency as materialized (${LATENCIES})
  select s.member_id as id, m.name, m.address, m.protocol_port, s.pool_id, p.name as pool_name, s.project_id, s.state,
    s.pending, s.stale, s.since, l.total_us
  from member_status s
  join member m on m.id = s.member_id
  join pool p on p.id = s.pool_id
  left join latency l on l.member_id = s.member_id`

interface PoolRow extends Omit<MemberCounts, 'members'> {
  readonly id: string
  readonly name: string
  readonly project_id: string
  readonly status: string
  readonly p50: number | null
  readonly p99: number | null
  readonly last_at: Date | null
  readonly not_after: Date | null
}

interface MemberRow {
  readonly id: string
  readonly name: string
  readonly address: string
  readonly protocol_port: number
  readonly pool_id: string
  readonly pool_name: string
  readonly project_id: string
  readonly state: MemberState
  readonly pending: boolean
  readonly stale: boolean
  readonly since: Date | null
  readonly total_us: number | null
}

/** Every pool, until `take` wants no more. Returns how many there are. */
export async function readPoolFigures(db: Database, take: TakeFigures<PoolFigures>): Promise<number> {
  return await readAll<PoolRow>(db, { rows: POOLS, table: 'pool' }, (rows) => take(rows.map(toPool)))
}

/** Every member, until `take` wants no more. Returns how many there are. */
export async function readMemberFigures(db: Database, take: TakeFigures<MemberFigures>): Promise<number> {
  return await readAll<MemberRow>(db, { rows: MEMBERS, table: 'member' }, (rows) => take(rows.map(toMember)))
}

/**
 * The locks on tables, all that may deadlock here, are taken by the declaration: so a transaction that is begun anew has given no
 * row yet.
 */
async function readAll<Row>(
  db: Database,
  { rows, table }: { readonly rows: string; readonly table: 'pool' | 'member' },
  take: TakeFigures<Row>,
): Promise<number> {
  return await transaction(
    db,
    async (tx) => {
      // All rows are wanted, and a loop over the elements of checkpoints would take minutes.
      await query(tx, 'set local cursor_tuple_fraction = 1; set local enable_nestloop = off')
      await query(tx, `declare figures no scroll cursor for ${rows}`)
      let isWanted = true
      while (isWanted) {
        const found = await query<Row>(tx, `fetch ${FIGURES_ROWS} from figures`)
        isWanted = found.length > 0 && (await take(found)) && found.length === FIGURES_ROWS
      }
      return await countOf(tx, table)
    },
    { timeoutMs: FIGURES_TRANSACTION_MS },
  )
}

async function countOf(tx: Tx, table: 'pool' | 'member'): Promise<number> {
  const [row] = await query<{ n: number }>(tx, `select count(*)::int as n from ${table}`)
  return row?.n ?? 0
}

function toPool(row: PoolRow): PoolFigures {
  return {
    id: row.id,
    name: row.name,
    projectId: row.project_id,
    status: row.status,
    members: {
      ONLINE: row.online,
      OFFLINE: row.offline,
      UNKNOWN: row.unknown,
      DISABLED: row.disabled,
      NO_MONITOR: row.no_monitor,
    },
    pending: row.pending,
    ...(row.p50 === null || row.p99 === null ? {} : { latencyUs: { p50: row.p50, p99: row.p99 } }),
    ...(row.last_at === null ? {} : { lastTransitionAt: row.last_at }),
    ...(row.not_after === null ? {} : { certificateExpiresAt: row.not_after }),
  }
}

function toMember(row: MemberRow): MemberFigures {
  return {
    id: row.id,
    name: row.name,
    address: row.address,
    port: row.protocol_port,
    poolId: row.pool_id,
    poolName: row.pool_name,
    projectId: row.project_id,
    state: row.state,
    pending: row.pending,
    stale: row.stale,
    ...(row.total_us === null ? {} : { latencyUs: row.total_us }),
    ...(row.since === null ? {} : { since: row.since }),
  }
}
