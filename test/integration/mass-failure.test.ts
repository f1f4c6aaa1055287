/** The mass-failure breaker on real targets: ten pools in ten networks of loopback, and a canary. */
import assert from 'node:assert/strict'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { test, type TestContext } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { eventually, insertMembers, insertPool, statuses } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import { type TestProber, testProber } from '../support/prober.ts'

const NETWORKS = 10

interface Listening {
  readonly host: string
  readonly port: number
  stop(): Promise<void>
  restart(): Promise<void>
}

async function listenOn(t: TestContext, host: string): Promise<Listening> {
  let server: Server | undefined
  const start = (port: number): Promise<number> =>
    new Promise((resolve, reject) => {
      const fresh = createServer((socket) => socket.on('error', () => undefined).resume())
      fresh.on('error', reject)
      fresh.listen(port, host, () => resolve((fresh.address() as AddressInfo).port))
      server = fresh
    })
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      if (server?.listening === true) server.close(() => resolve())
      else resolve()
    })
  const port = await start(0)
  t.after(stop)
  return { host, port, stop, restart: async () => void (await start(port)) }
}

/** One member in each of ten networks, ONLINE; one failure is enough for OFFLINE. */
async function farm(t: TestContext, hasCanary: boolean, delaySeconds = 2) {
  const database = await testDatabase(t)
  const targets = await Promise.all(
    Array.from({ length: NETWORKS }, (_, i) => listenOn(t, `127.0.${10 + i}.1`)),
  )
  const canary = await listenOn(t, '127.0.99.1')
  for (const { host, port } of targets) {
    const { poolId } = await insertPool(database.db, { delaySeconds, rise: 1, fall: 1 })
    await insertMembers(database.db, poolId, [{ address: host, port }])
  }
  const prober = testProber(database, { canaries: hasCanary ? [canary] : [] })
  const online = async (): Promise<number> =>
    [...(await statuses(database.db)).values()].filter(({ state }) => state === 'ONLINE').length
  await eventually('every member is ONLINE', async () => (await online()) === NETWORKS)
  const fallen = () =>
    query<{ at: Date }>(database.db, `select at from member_transition where to_state = 'OFFLINE'`)
  return { ...database, targets, canary, prober, online, fallen }
}

const stopAll = (targets: readonly Listening[]) => Promise.all(targets.map((target) => target.stop()))
const restartAll = (targets: readonly Listening[]) => Promise.all(targets.map((target) => target.restart()))

async function massFailures(prober: TestProber, what: string): Promise<number> {
  const text = await prober.metrics.registry.metrics()
  return Number(new RegExp(`^hm_mass_failures_total\\{what="${what}"\\} (\\d+)`, 'm').exec(text)?.[1] ?? 0)
}

async function breakerState(db: Parameters<typeof query>[0]): Promise<string | undefined> {
  const [row] = await query<{ state: string }>(db, `select facts->'breaker'->>'state' as state from prober`)
  return row?.state
}

test('everything and the canary gone for less than an interval, one failure being enough: nobody is ever OFFLINE', async (t) => {
  const { db, targets, canary, prober, online, fallen } = await farm(t, true)
  await stopAll([...targets, canary])
  await eventually('the breaker holds', () =>
    prober.log.lines.some(({ message }) => /for one interval/.test(message)),
  )
  await eventually('and says so', async () => (await breakerState(db)) === 'holding')
  assert.equal(await online(), NETWORKS)
  await restartAll([...targets, canary])
  await eventually('the breaker closes', async () => (await breakerState(db)) === 'closed')
  const before = await probes(prober)
  await eventually('every target is asked again', async () => (await probes(prober)) > before + NETWORKS)
  assert.deepEqual(await fallen(), [])
  assert.equal(await online(), NETWORKS)
  assert.equal(await massFailures(prober, 'held'), 1)
  const text = await prober.metrics.registry.metrics()
  assert.match(text, /hm_probe_inconclusive_total\{reason="PROBER_MASS_FAILURE"\} \d+/)
})

test('everything and the canary gone for good: held for one interval, then published', async (t) => {
  const { targets, canary, online, fallen } = await farm(t, true, 1)
  await stopAll([...targets, canary])
  const stoppedAt = Date.now()
  await eventually('everybody is OFFLINE', async () => (await online()) === 0)
  const times = (await fallen()).map(({ at }) => at.getTime() - stoppedAt)
  t.diagnostic(`OFFLINE after ${Math.min(...times)} to ${Math.max(...times)} ms, of a delay of 1000 ms`)
  assert.equal(times.length, NETWORKS)
  assert.ok(Math.min(...times) >= 1000, 'nothing was reported within the interval of the failure')
  assert.ok(Math.max(...times) <= 5000)
})

test('everything gone and the canary up: OFFLINE is published in time', async (t) => {
  const { targets, online, fallen, prober } = await farm(t, true)
  await stopAll(targets)
  const stoppedAt = Date.now()
  await eventually('everybody is OFFLINE', async () => (await online()) === 0)
  const latestMs = Math.max(...(await fallen()).map(({ at }) => at.getTime() - stoppedAt))
  t.diagnostic(`all OFFLINE within ${latestMs} ms, of a delay of 2000 ms`)
  assert.ok(latestMs <= 3000, `${latestMs} ms`)
  assert.equal(await massFailures(prober, 'held'), 0)
  assert.equal(await massFailures(prober, 'believed'), 1)
})

test('one target gone while the canary is gone too: held for one interval at most', async (t) => {
  const { targets, canary, online, fallen } = await farm(t, true, 1)
  await canary.stop()
  await targets[0]?.stop()
  const stoppedAt = Date.now()
  await eventually('it is OFFLINE', async () => (await online()) === NETWORKS - 1)
  const [first] = await fallen()
  const tookMs = (first?.at.getTime() ?? 0) - stoppedAt
  t.diagnostic(`OFFLINE after ${tookMs} ms, of a delay of 1000 ms`)
  assert.ok(tookMs <= 3000, `${tookMs} ms`)
})

test('without a canary every failure is published, counted and logged as a warning', async (t) => {
  const { targets, online, prober } = await farm(t, false)
  await stopAll(targets)
  await eventually('everybody is OFFLINE', async () => (await online()) === 0)
  assert.equal(await massFailures(prober, 'warned'), 1)
  assert.ok(prober.log.lines.some(({ level, message }) => level === 'warn' && /no canary/.test(message)))
})

async function probes(prober: TestProber): Promise<number> {
  const text = await prober.metrics.registry.metrics()
  return [...text.matchAll(/^hm_probes_total\{.*\} (\d+)/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  )
}
