/** A site without a database: what it probes, what it says, and who sees it. */
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test, type TestContext } from 'node:test'
import { memberHealth } from '../../src/domain/status/member-health.ts'
import { type Db, query } from '../../src/store/connection/database.ts'
import { findMemberFacts } from '../../src/store/status/health.ts'
import { eventually, insertMembers, insertPool } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import { natsServerOrSkip, startNatsServer } from '../support/nats-server.ts'
import { testNatsProber, testRelay } from '../support/nats-site.ts'
import { OWN_LOOPBACK } from '../support/ports.ts'
import { testProber } from '../support/prober.ts'

/** A pool whose member these sites probe. */
async function watched(db: Db, sites: readonly string[], port: number) {
  const { poolId, monitorId, shard } = await insertPool(db)
  const [memberId = ''] = await insertMembers(db, poolId, [{ address: OWN_LOOPBACK, port }])
  await query(db, 'update health_monitor set sites = $2, options = $3 where id = $1', [
    monitorId,
    JSON.stringify(sites),
    JSON.stringify({ sites, quorum: 'majority' }),
  ])
  await query(db, 'update pool set config_version = config_version + 1 where id = $1', [poolId])
  const health = async () => {
    const facts = await findMemberFacts(db, { id: memberId, poolId, projectId: undefined })
    assert.ok(facts !== undefined)
    return memberHealth(facts)
  }
  return {
    poolId,
    memberId,
    shard,
    health,
    seen: async () =>
      Object.fromEntries(
        ((await health()).sites ?? []).map(({ site, status, votes }) => [site, votes ? status : 'no vote']),
      ),
  }
}

/** A target that listens until it is told not to. */
async function target(t: TestContext) {
  const server = createServer((socket) => socket.destroy())
  const listen = (port: number): Promise<void> =>
    new Promise((resolve) => void server.listen(port, OWN_LOOPBACK, resolve))
  await listen(0)
  const { port } = server.address() as { port: number }
  t.after(() => server.close())
  return { port, close: () => new Promise((resolve) => server.close(resolve)), open: () => listen(port) }
}

test('local by PostgreSQL and fra over NATS decide together, and health says who sees what', async (t) => {
  const binary = natsServerOrSkip(t)
  if (binary === undefined) return
  const database = await testDatabase(t)
  const nats = await startNatsServer(t, { binary })
  const { port, close, open } = await target(t)
  const { seen, health } = await watched(database.db, ['local', 'fra'], port)
  const relay = testRelay(database, nats.url, ['fra'])
  const local = testProber(database)
  const fra = testNatsProber(database, nats.url, 'fra')
  const all = () =>
    JSON.stringify({ relay: relay.log.lines, fra: fra.log.lines }, undefined, 1).slice(0, 4000)
  await eventually(
    'both see it ONLINE',
    async () => JSON.stringify(await seen()) === '{"local":"ONLINE","fra":"ONLINE"}',
    20_000,
  ).catch((error: unknown) => {
    throw new Error(all(), { cause: error })
  })
  assert.equal((await health()).state, 'ONLINE')
  await close()
  await eventually(
    'both see it OFFLINE',
    async () => JSON.stringify(await seen()) === '{"local":"OFFLINE","fra":"OFFLINE"}',
    20_000,
  )
  await eventually('it is OFFLINE', async () => (await health()).state === 'OFFLINE')
  await open()
  await eventually('it is ONLINE again', async () => (await health()).state === 'ONLINE', 20_000)
  assert.deepEqual(relay.working(), ['fra'])
  const rows = await query<{ site: string }>(database.db, 'select site from prober order by site')
  assert.deepEqual(
    rows.map(({ site }) => site),
    ['fra', 'local'],
  )
  await local.close()
})
