/** What a write of a door does to checks that it does not change: nothing. And what it costs with thousands of members. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keepDoorPools, lockDoorScope } from '../../src/api/write/door-pools.ts'
import type { ApiDependencies } from '../../src/api/http/context.ts'
import type { DoorPool } from '../../src/domain/door/door-pool.ts'
import { type Database, query, transaction } from '../../src/store/connection/database.ts'
import { UNLIMITED } from '../support/api.ts'
import { migrateToLatest } from '../../src/store/connection/migrate.ts'
import { eventually, insertMembers, insertPool } from '../support/configuration.ts'
import { testDatabase, undoMigrationsFrom } from '../support/database.ts'
import { doorMember, doorMonitor, doorPool } from '../support/door-pools.ts'
import { testProber } from '../support/prober.ts'
import { startTargets } from '../support/targets.ts'

const SCOPE = { projectId: 'project-1', door: 'somewhere', key: 'zone-1' }
const DEPENDENCIES = {
  settings: { quotas: UNLIMITED, probesPerSecondPerProject: -1, inFlightPerProject: -1 },
  targetPolicy: () => undefined,
} as unknown as ApiDependencies

async function keep(db: Database, wanted: readonly DoorPool[]): Promise<void> {
  await transaction(db, async (tx) => {
    const scope = await lockDoorScope(tx, SCOPE)
    await keepDoorPools(tx, DEPENDENCIES, { scope, wanted })
  })
}

test('a write of the scope probes only what it changed: other checks keep their schedule and their counters', async (t) => {
  const database = await testDatabase(t)
  const { db } = database
  const [kept, gone, added] = await startTargets(t, 3, '127.0.0.1')
  assert.ok(kept && gone && added)
  // Once a minute: within this test each check has one turn.
  const monitor = doorMonitor({ options: { interval_ms: 60_000, timeout_ms: 1000, rise: 3, fall: 3 } })
  const pool = (key: string, ports: readonly number[]) =>
    doorPool(key, { monitor, members: ports.map((port) => doorMember(port)) })
  await keep(db, [pool('a', [kept.port]), pool('b', [gone.port])])
  testProber(database)
  await eventually('both are probed', () => kept.probedAt.length === 1 && gone.probedAt.length === 1)
  const stateOf = async (port: number) =>
    (
      await query(
        db,
        `select s.status, s.since, s.generation, s.ok_run, s.sequence from member_state s
         join member m on m.id = s.member_id where m.protocol_port = $1`,
        [port],
      )
    )[0]
  await eventually('it is ONLINE', async () => (await stateOf(kept.port)) !== undefined)
  const before = await stateOf(kept.port)
  // The pool of the first check gets a member, and another pool loses all that it had.
  await keep(db, [pool('a', [kept.port, added.port]), pool('b', [])])
  await eventually('the new one is probed', () => added.probedAt.length === 1)
  await eventually('and ONLINE', async () => (await stateOf(added.port)) !== undefined)
  assert.equal(kept.probedAt.length, 1, 'it waits for its turn')
  assert.deepEqual(await stateOf(kept.port), before)
})

test('with 2 000 members in 20 pools, a write of one member writes one pool', async (t) => {
  const { db } = await testDatabase(t)
  const pools = (changed: number) =>
    Array.from({ length: 20 }, (_, p) =>
      doorPool(`service-${p}`, {
        members: Array.from({ length: 100 }, (__, m) =>
          doorMember(8000, {
            address: `10.1.${p}.${m + 1}`,
            tags: [{ key: 'version', value: String(p === 0 && m === 0 ? changed : 0) }],
          }),
        ),
      }),
    )
  await keep(db, pools(0))
  const versions = async () =>
    await query<{ key: string; version: number; written: string }>(
      db,
      'select door_key as key, config_version as version, xmin::text as written from pool order by 1',
    )
  const times: number[] = []
  for (let turn = 1; turn <= 5; turn++) {
    const before = await versions()
    const start = performance.now()
    await keep(db, pools(turn))
    times.push(performance.now() - start)
    const after = await versions()
    const changed = after.filter((row, i) => row.written !== before[i]?.written).map(({ key }) => key)
    assert.deepEqual(changed, ['service-0'])
  }
  const members = await query<{ n: number }>(db, 'select count(*) as n from member')
  assert.equal(members[0]?.n, 2000)
  const [, , median = 0] = times.toSorted((a, b) => a - b)
  t.diagnostic(`ms: ${times.map((ms) => ms.toFixed(0)).join(', ')}`)
  // On a busy host; the cost is measured apart.
  assert.ok(median < 2000, String(median))
})

test('going back to a release without doors deletes what they keep, and nothing else', async (t) => {
  const { db, url } = await testDatabase(t)
  const { poolId } = await insertPool(db)
  const [memberId] = await insertMembers(db, poolId, [{ address: '10.0.0.1', port: 80 }])
  await keep(db, [doorPool('a'), doorPool('b', { monitor: null })])
  await undoMigrationsFrom(url, '0034-doors')
  const left = async (table: string) =>
    (await query<{ id: string }>(db, `select id from ${table}`)).map(({ id }) => id)
  assert.deepEqual(await left('pool'), [poolId])
  assert.deepEqual(await left('member'), [memberId])
  assert.equal((await left('load_balancer')).length, 1)
  assert.equal((await left('health_monitor')).length, 1)
  const rolledUp = await query(db, 'select pool_id, members from pool_roll_up')
  assert.deepEqual(rolledUp, [{ pool_id: poolId, members: 1 }])
  await query(db, `delete from knex_migrations where name >= '0034-'`)
  await migrateToLatest(db, url)
  await keep(db, [doorPool('a')])
})
