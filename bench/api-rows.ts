/** The rows of the API's benchmarks, written by SQL: 100 000 members by the API would take minutes. */
import { randomUUID } from 'node:crypto'
import { type Db, query } from '../src/store/connection/database.ts'

export const PROJECT = 'bench'
export const MEMBERS = 100_000
export const POOLS = 200
const LOAD_BALANCERS = 20
/** Of every tenth pool, every tenth member fails. */
const EVERY = 10
/** Inserts of this many pools stay within what one statement may take. */
const POOLS_AT_ONCE = 20
const STORE_MS = 60_000

/** Pools of 500 members below twenty load balancers, each with a listener and a monitor. Gives their ids. */
export async function storeMembers(db: Db): Promise<string[]> {
  const pools = await query<{ id: string }>(
    db,
    `with lb as (
       insert into load_balancer (id, project_id, provider)
       select gen_random_uuid(), $1, 'octavia' from generate_series(1, ${LOAD_BALANCERS}) returning id
     ), p as (
       insert into pool (id, project_id, load_balancer_id, protocol, lb_algorithm, shard)
       select gen_random_uuid(), $1, lb.id, 'TCP', 'ROUND_ROBIN', n % 256
       from lb, generate_series(1, ${POOLS / LOAD_BALANCERS}) n returning id, load_balancer_id
     ), l as (
       insert into listener (id, project_id, load_balancer_id, default_pool_id, protocol, protocol_port)
       select gen_random_uuid(), $1, load_balancer_id, id, 'TCP', row_number() over () from p
     ), hm as (
       insert into health_monitor (id, project_id, pool_id, type, profile, delay_seconds, timeout_seconds, rise, fall)
       select gen_random_uuid(), $1, id, 'TCP', 'octavia', 5, 3, 3, 3 from p
     )
     select id from p`,
    [PROJECT],
  )
  const ids = pools.map(({ id }) => id)
  for (let i = 0; i < ids.length; i += POOLS_AT_ONCE) {
    await storeMembersOf(db, ids.slice(i, i + POOLS_AT_ONCE), i)
  }
  await query(db, 'analyze', [], STORE_MS)
  return ids
}

async function storeMembersOf(db: Db, poolIds: readonly string[], offset: number): Promise<void> {
  await query(
    db,
    `insert into member (id, project_id, pool_id, address, protocol_port, subnet_id)
     select gen_random_uuid(), $1, p.id, '10.0.' || n / 250 || '.' || n % 250, 80, $2
     from unnest($3::uuid[]) p (id), generate_series(1, ${MEMBERS / POOLS}) n`,
    [PROJECT, randomUUID(), poolIds],
    STORE_MS,
  )
  await query(
    db,
    `insert into member_state
       (member_id, pool_id, generation, status, since, reason, ok_run, bad_run, shard, epoch, sequence)
     select m.id, m.pool_id, greatest(lb.generation, p.generation, m.generation, hm.generation),
       case when (u.n + $1::integer) % ${EVERY} = 0 and row_number() over () % ${EVERY} = 0 then 'OFFLINE' else 'ONLINE' end,
       now(), 'PASSED', 3, 0, p.shard, 1, 1
     from unnest($2::uuid[]) with ordinality u (id, n)
     join pool p on p.id = u.id
     join member m on m.pool_id = p.id
     join load_balancer lb on lb.id = p.load_balancer_id
     join health_monitor hm on hm.pool_id = p.id`,
    [offset, poolIds],
    STORE_MS,
  )
}
