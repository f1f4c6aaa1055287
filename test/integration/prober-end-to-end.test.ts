import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { eventually, insertMembers, insertPool, statuses } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import { closedPort, listen } from '../support/probing.ts'
import { testProber } from '../support/prober.ts'

test('a member that answers becomes ONLINE, one that refuses OFFLINE, and both say why and since when', async (t) => {
  const database = await testDatabase(t)
  const { db } = database
  const server = await listen(t, () => undefined)
  const { port } = server.address() as AddressInfo
  const refused = await closedPort()
  const { poolId, shard } = await insertPool(db)
  const [up, down] = await insertMembers(db, poolId, [
    { address: '127.0.0.1', port },
    { address: '127.0.0.1', port: refused },
  ])
  const prober = testProber(database)

  await eventually('both have a verdict', async () => (await count(database, 'member_state')) === 2)
  const seen = await statuses(db)
  assert.deepEqual(
    [seen.get(up ?? '')?.state, seen.get(down ?? '')?.state, seen.get(down ?? '')?.reason],
    ['ONLINE', 'OFFLINE', 'CONNECT_REFUSED'],
  )
  const transitions = await query<{ from_state: string; to_state: string; evidence: { port: number } }>(
    db,
    'select from_state, to_state, evidence from member_transition where member_id = $1',
    [down],
  )
  assert.equal(transitions.length, 1)
  assert.deepEqual(transitions[0]?.from_state, 'UNKNOWN')
  assert.equal(transitions[0]?.evidence.port, refused)

  await eventually('the checkpoint has both', async () => {
    const rows = await query<{ n: number }>(
      db,
      'select cardinality(member_ids) as n from shard_checkpoint where shard = $1',
      [shard],
    )
    return rows[0]?.n === 2
  })

  await new Promise((resolve) => server.close(resolve))
  await eventually('it is OFFLINE after two failures', async () => {
    const row = (await statuses(db)).get(up ?? '')
    return row?.state === 'OFFLINE' && row.reason === 'CONNECT_REFUSED'
  })

  await prober.close()
  const owners = await query(db, 'select 1 from shard where owner is not null')
  const rows = await query(db, 'select 1 from prober')
  assert.equal(owners.length + rows.length, 0, 'a graceful stop leaves no owner and no prober behind')
  assert.deepEqual(
    prober.log.lines.filter((line) => line.level === 'warn' || line.level === 'error'),
    [],
  )
})

test('a member that is added while probers run is probed', async (t) => {
  const database = await testDatabase(t)
  const { db } = database
  const server = await listen(t, () => undefined)
  const { port } = server.address() as AddressInfo
  testProber(database)
  const { poolId } = await insertPool(db)
  const [id = ''] = await insertMembers(db, poolId, [{ address: '127.0.0.1', port }])
  await eventually('it is probed', async () => (await statuses(db)).get(id)?.state === 'ONLINE')
})

async function count(database: { db: Parameters<typeof query>[0] }, table: string): Promise<number> {
  const [row] = await query<{ n: number }>(database.db, `select count(*) as n from ${table}`)
  return row?.n ?? 0
}
