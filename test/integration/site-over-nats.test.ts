/** A site without a database: what it probes, what it says, and who sees it. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test, type TestContext } from 'node:test'
import { memberHealth } from '../../src/domain/status/member-health.ts'
import { type Db, query } from '../../src/store/connection/database.ts'
import { findMemberFacts } from '../../src/store/status/health.ts'
import { eventually, insertMembers, insertPool } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import { natsServerOrSkip, startNatsServer } from '../support/nats-server.ts'
import { credentialsFile, startHub, startLeaf, type User } from '../support/nats-hub.ts'
import { reachedBy, testNatsProber, testRelay } from '../support/nats-site.ts'
import { OWN_LOOPBACK } from '../support/ports.ts'
import { testProber } from '../support/prober.ts'
import { type ProberProcess, startProberProcess, startRelayProcess } from '../support/prober-process.ts'

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

/** Whether both sites say so. */
function says(seen: Readonly<Record<string, string | null>>, status: string): boolean {
  return seen['local'] === status && seen['fra'] === status
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
  testNatsProber(database, nats.url, 'fra')
  await eventually('both see it ONLINE', async () => says(await seen(), 'ONLINE'), 60_000)
  // A site that came late may have counted as lost when its vote was written: the verdict then follows the next look.
  await eventually('it is ONLINE', async () => (await health()).state === 'ONLINE')
  await close()
  await eventually('both see it OFFLINE', async () => says(await seen(), 'OFFLINE'), 60_000)
  await eventually('it is OFFLINE', async () => (await health()).state === 'OFFLINE')
  await open()
  await eventually('it is ONLINE again', async () => (await health()).state === 'ONLINE', 60_000)
  assert.deepEqual(relay.working(), ['fra'])
  const rows = await query<{ site: string }>(database.db, 'select site from prober order by site')
  assert.deepEqual(
    rows.map(({ site }) => site),
    ['fra', 'local'],
  )
  await local.close()
})

test('over accounts as they are deployed, through a leaf node that dials out by WebSocket', async (t) => {
  const binary = natsServerOrSkip(t)
  if (binary === undefined) return
  const database = await testDatabase(t)
  const hub = await startHub(t, binary, ['fra', 'ams'])
  const leaf = await startLeaf(t, { hub, site: 'fra', binary, by: 'wss' })
  const { port, close } = await target(t)
  const { seen } = await watched(database.db, ['fra'], port)
  const at = (site: string, user: User) => credentialsFile(hub.folder, site, user)
  const relay = testRelay(database, hub.server.url, ['fra'], (site) => ({
    ...reachedBy(hub.server.url),
    credentials: at(site, 'relay'),
    caFile: hub.authority.ca,
  }))
  const nats = { ...reachedBy(leaf.url), credentials: at('fra', 'prober') }
  const fra = testNatsProber(database, leaf.url, 'fra', { nats })
  await eventually('fra sees it ONLINE', async () => (await seen())['fra'] === 'ONLINE', 60_000)
  await close()
  await eventually('fra sees it OFFLINE', async () => (await seen())['fra'] === 'OFFLINE', 60_000)
  await fra.close()
  const refusals = [...relay.log.lines, ...fra.log.lines].filter(({ message }) => message === 'NATS refuses')
  assert.deepEqual(refusals, [])
})

test('a relay that ends hands over at once, and nothing is lost while none works', async (t) => {
  const binary = natsServerOrSkip(t)
  if (binary === undefined) return
  const database = await testDatabase(t)
  const nats = await startNatsServer(t, { binary })
  const { port, close, open } = await target(t)
  const { health } = await watched(database.db, ['fra'], port)
  const first = testRelay(database, nats.url, ['fra'])
  await eventually('the first one works', () => first.working().length === 1, 60_000)
  const second = testRelay(database, nats.url, ['fra'])
  testNatsProber(database, nats.url, 'fra')
  await eventually('it is ONLINE', async () => (await health()).state === 'ONLINE', 60_000)
  assert.deepEqual(second.working(), [])
  await first.close()
  // Nobody may listen to what is said meanwhile: it is stored.
  await close()
  await eventually('the second one works', () => second.working().length === 1, 60_000)
  await eventually('it is OFFLINE', async () => (await health()).state === 'OFFLINE', 60_000)
  await second.close()
  await open()
  const third = testRelay(database, nats.url, ['fra'])
  await eventually('it is ONLINE again', async () => (await health()).state === 'ONLINE', 60_000)
  assert.deepEqual(third.working(), ['fra'])
  const rows = await query<{ to_state: string }>(
    database.db,
    'select to_state from member_transition order by id',
  )
  assert.deepEqual(
    rows.map(({ to_state }) => to_state),
    ['ONLINE', 'OFFLINE', 'ONLINE'],
  )
})

test('processes as they are typed: a relay that is killed is replaced within its lease, and the site is never lost', async (t) => {
  const binary = natsServerOrSkip(t)
  if (binary === undefined) return
  const database = await testDatabase(t)
  const nats = await startNatsServer(t, { binary })
  const { port, close } = await target(t)
  const { health, seen } = await watched(database.db, ['fra'], port)
  // A prober of local looks for sites that are lost.
  testProber(database)
  const reached = { HM_NATS_URL: nats.url }
  const relays = [0, 1].map(() => startRelayProcess(database, { ...reached, HM_NATS_SITES: 'fra' }))
  startProberProcess(database, { ...reached, DATABASE_URL: '' }, [], ['--site', 'fra'])
  await eventually('it is ONLINE', async () => (await health()).state === 'ONLINE', 60_000)
  const works = (relay: ProberProcess) =>
    relay.log.some((line) => line.includes('this relay works for the site'))
  const [active] = relays.filter(works)
  assert.ok(active !== undefined && relays.filter(works).length === 1)
  await active.end('SIGKILL')
  const killedAt = performance.now()
  await eventually('the other one works', () => relays.every(works), 60_000)
  t.diagnostic(`replaced after ${Math.round(performance.now() - killedAt)} ms`)
  assert.ok(performance.now() - killedAt < 6000)
  await close()
  await eventually('it is OFFLINE', async () => (await health()).state === 'OFFLINE', 60_000)
  assert.equal((await seen())['fra'], 'OFFLINE')
  assert.deepEqual(await query(database.db, `select from event_outbox where type = 'member.stale'`), [])
})

test('what cannot work is refused with a sentence that says what to set', async (t) => {
  const database = await testDatabase(t)
  const saidBy = async (started: ProberProcess): Promise<string> => {
    await once(started.child, 'exit')
    assert.notEqual(started.child.exitCode, 0)
    return started.log.join('\n')
  }
  const reached = { HM_NATS_URL: 'nats://127.0.0.1:1' }
  const prober = (environment: NodeJS.ProcessEnv) =>
    saidBy(startProberProcess(database, { ...reached, ...environment }))
  const relay = (environment: NodeJS.ProcessEnv) => saidBy(startRelayProcess(database, environment))
  assert.match(await prober({ HM_SITE: 'fra' }), /DATABASE_URL and HM_NATS_URL are both set/)
  assert.match(await prober({ DATABASE_URL: '' }), /the site local has the database/)
  assert.match(await relay({}), /set HM_NATS_URL=/)
  assert.match(await relay(reached), /set HM_NATS_SITES=/)
  assert.match(await relay({ ...reached, HM_NATS_SITES: 'fra,local' }), /HM_NATS_SITES must be a list/)
  assert.match(
    await relay({ ...reached, HM_NATS_SITES: 'fra', HM_NATS_CREDS_DIR: '/nowhere' }),
    /fra\.creds cannot be read/,
  )
})
