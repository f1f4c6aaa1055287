/**
 * A session keeps its plans. Those that were made while there were a few members do not walk the tables for each row when
 * there are thousands, and nobody has analyzed the tables since.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { type Db, openDatabase, query } from '../../src/store/connection/database.ts'
import { loadPools } from '../../src/store/probing/checks.ts'
import { beat, claimShards } from '../../src/store/probing/shards.ts'
import { eventually, insertMembers, insertPool } from '../support/configuration.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'
import { PROJECT, startPoolApi } from '../support/pool-api.ts'
import { aVerdict, writeAllVerdicts } from '../support/verdicts.ts'

/** Then a generic plan is made, and kept. */
const TIMES = 8
const MEMBERS = 4000
const SUBNET = '6d6f0a35-7a2a-4a3f-8f6e-0b3f6f1b2c3d'

test('verdicts of many members are written by index, in a session that wrote those of the first', async (t) => {
  const database = await testDatabase(t)
  const { db } = database
  const session = openDatabase({
    url: database.url,
    applicationName: 'test',
    maxConnections: 1,
    isByIndex: true,
  })
  database.beforeDrop(() => session.destroy())
  const owner = randomUUID()
  await beat(db, { id: owner, host: 'test', pid: 1, leaseMs: 600_000 })
  await claimShards(db, { owner, count: 256, foreignToo: false })
  const { poolId, shard } = await insertPool(db)
  const few = await insertMembers(db, poolId, targetsOf('127.0.0.1', 20))
  await query(db, 'analyze')
  let sequence = 0
  const [pool] = await loadPools(db, [poolId])
  const generation = pool?.checks[0]?.config.generation ?? 0
  const write = async (memberIds: readonly string[]) => {
    const rows = memberIds.map((id) => aVerdict(id, shard, ++sequence, { generation }))
    await writeAllVerdicts(session, owner, rows)
  }
  for (let i = 0; i < TIMES; i++) await write(few)
  const members = await insertMembers(db, poolId, targetsOf('127.0.0.2', MEMBERS))
  const before = await walkedBefore(database, session)
  await write(members.slice(0, 200))
  assert.equal((await rowsWalked(session)) - before, 0)
})

test('members are created by index, in a session of the API that created the first', async (t) => {
  const database = await testDatabase(t)
  const session = openDatabase({
    url: database.url,
    applicationName: 'test',
    maxConnections: 1,
  })
  database.beforeDrop(() => session.destroy())
  const api = await startPoolApi(t, { db: session })
  const { poolId } = await insertPool(database.db, {}, PROJECT)
  await query(database.db, 'analyze')
  let port = 0
  const create = async () => {
    const member = { address: '192.0.2.1', protocol_port: ++port, subnet_id: SUBNET }
    const { status, body } = await api.call('POST', `/pools/${poolId}/members`, { body: { member } })
    assert.equal(status, 201, JSON.stringify(body))
  }
  for (let i = 0; i < TIMES; i++) await create()
  await query(
    database.db,
    `insert into pool (id, project_id, load_balancer_id, protocol, lb_algorithm, shard)
     select gen_random_uuid(), p.project_id, p.load_balancer_id, 'TCP', 'ROUND_ROBIN', n % 256
     from pool p, generate_series(1, $2::int) n where p.id = $1 and p.project_id = $3`,
    [poolId, MEMBERS, PROJECT],
  )
  const before = await walkedBefore(database, session)
  await create()
  assert.equal((await rowsWalked(session)) - before, 0)
})

const targetsOf = (address: string, count: number) =>
  Array.from({ length: count }, (_, n) => ({ address, port: n + 1 }))

/** Ends the other sessions, which report what they have read only now and then, and as they end. */
async function walkedBefore({ db }: TestDatabase, session: Db): Promise<number> {
  await db.destroy()
  await eventually('the session is alone', async () => {
    const [others] = await query<{ n: number }>(
      session,
      `select count(*)::int as n from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`,
    )
    return others?.n === 0
  })
  return await rowsWalked(session)
}

/** Rows of the large tables that sequential scans have read, of all sessions. */
async function rowsWalked(session: Db): Promise<number> {
  await query(session, 'select pg_stat_force_next_flush()')
  const [row] = await query<{ walked: number }>(
    session,
    `select sum(seq_tup_read)::int as walked from pg_stat_user_tables
     where relname in ('pool', 'member', 'member_state', 'pool_roll_up', 'member_transition')`,
  )
  return row?.walked ?? 0
}
