import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { type Api, startApi } from '../support/api.ts'
import { eventually, insertMembers, insertPool, PROJECT, statuses } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import { startProberProcess } from '../support/prober-process.ts'
import { testProber } from '../support/prober.ts'
import { startTargets, type Target } from '../support/targets.ts'

const BASE = '/elb/v2.0/lbaas'

/** One member, ONLINE, probed every second; one failure is enough. */
async function probed(t: TestContext) {
  const database = await testDatabase(t)
  const { db } = database
  const api = await startApi(t, { db })
  const [target] = (await startTargets(t, 1)) as [Target]
  const ids = await insertPool(db, { rise: 1, fall: 1 })
  const [id = ''] = await insertMembers(db, ids.poolId, [target])
  const state = async () => (await statuses(db)).get(id)?.state
  const transitions = async () =>
    (
      await query<{ to_state: string; at: Date; evidence: Record<string, unknown> }>(
        db,
        'select to_state, at, evidence from member_transition where member_id = $1 order by id',
        [id],
      )
    ).slice(1)
  return { ...ids, database, db, api, target, id, state, transitions }
}

const asProject = { 'x-project-id': PROJECT }
const put = (api: Api, path: string, maintenance: object) =>
  api.request('PUT', `${BASE}${path}/maintenance`, { maintenance }, asProject)
const end = (api: Api, path: string) =>
  api.request('DELETE', `${BASE}${path}/maintenance`, undefined, asProject)

/** Waits until a prober has probed the target some times more. */
async function probes(target: Target, count: number): Promise<void> {
  const before = target.probedAt.length
  await eventually('it is probed again', () => target.probedAt.length >= before + count)
}

test('in maintenance probing goes on and nothing is published; the end publishes what is true then, once', async (t) => {
  const { api, target, database, poolId, id, state, transitions } = await probed(t)
  testProber(database)
  const path = `/pools/${poolId}/members/${id}`
  await eventually('it is ONLINE', async () => (await state()) === 'ONLINE')
  const { status, body } = await put(api, path, { note: 'new kernel' })
  assert.equal(status, 200)
  const { start, ...rest } = body.maintenance
  assert.deepEqual(rest, { end: null, note: 'new kernel', active: true })

  const health = async () =>
    (await api.request('GET', `${BASE}${path}/health`, undefined, asProject)).body.health
  assert.deepEqual((await health()).maintenance, [{ of: 'member', start, ...rest }])
  await probes(target, 2)
  await target.stop()
  await eventually('health shows failed probes', async () => (await health()).last_probe.result === 'failed')
  assert.equal(await state(), 'ONLINE')
  assert.deepEqual(await transitions(), [])

  const endedAt = Date.now()
  assert.equal((await end(api, path)).status, 204)
  await eventually('what is true is published', async () => (await state()) === 'OFFLINE')
  const [told, ...more] = await transitions()
  assert.deepEqual(more, [])
  assert.ok((told?.at.getTime() ?? 0) >= endedAt, 'with the time of its publication')
  assert.ok(Date.parse(String(told?.evidence['withheld_since'])) < endedAt)
  assert.equal((await health()).maintenance, undefined)
})

test('a change that ends within a maintenance is never published', async (t) => {
  const { api, target, database, poolId, id, state, transitions } = await probed(t)
  testProber(database)
  await eventually('it is ONLINE', async () => (await state()) === 'ONLINE')
  await put(api, `/pools/${poolId}`, {})
  await probes(target, 2)
  await target.stop()
  const path = `${BASE}/pools/${poolId}/members/${id}/health`
  const outcome = async () =>
    (await api.request('GET', path, undefined, asProject)).body.health.last_probe.result
  await eventually('probes fail', async () => (await outcome()) === 'failed')
  await target.restart()
  await eventually('probes pass again', async () => (await outcome()) === 'passed')
  await end(api, `/pools/${poolId}`)
  await probes(target, 2)
  assert.deepEqual(await transitions(), [])
})

test('begin and end follow the clock, without a write, also of the monitor', async (t) => {
  const { api, target, database, monitorId, state, transitions } = await probed(t)
  testProber(database)
  await eventually('it is ONLINE', async () => (await state()) === 'ONLINE')
  const startMs = Date.now() + 1500
  const endMs = startMs + 3500
  const { body } = await put(api, `/healthmonitors/${monitorId}`, {
    start: new Date(startMs).toISOString(),
    end: new Date(endMs).toISOString(),
  })
  assert.equal(body.maintenance.active, false)
  await eventually('it begins', () => Date.now() > startMs)
  await target.stop()
  await eventually('it is OFFLINE', async () => (await state()) === 'OFFLINE')
  const [told] = await transitions()
  const lateMs = (told?.at.getTime() ?? 0) - endMs
  t.diagnostic(`published ${lateMs} ms after the end`)
  assert.ok(lateMs >= 0 && lateMs <= 1000, `${lateMs} ms`)
})

test('a prober that takes over in a maintenance respects it, and publishes at its end', async (t) => {
  const { api, target, database, poolId, id, state, transitions } = await probed(t)
  const first = startProberProcess(database, { HM_SHARD_LEASE_MS: '500' })
  await eventually('it is ONLINE', async () => (await state()) === 'ONLINE')
  await put(api, `/pools/${poolId}/members/${id}`, {})
  await probes(target, 2)
  await first.end('SIGKILL')
  await target.stop()
  const second = testProber(database, { leaseMs: 500 })
  await eventually('the next prober has found out', async () => {
    const text = await second.metrics.registry.metrics()
    return /hm_probes_total\{[^}]*CONNECT_REFUSED[^}]*\} [2-9]/.test(text)
  })
  assert.equal(await state(), 'ONLINE')
  await end(api, `/pools/${poolId}/members/${id}`)
  await eventually('it is OFFLINE', async () => (await state()) === 'OFFLINE')
  assert.equal((await transitions()).length, 1)
})

test('a maintenance that cannot be is refused, of what is not there too, in both dialects', async (t) => {
  const { api, poolId, id, monitorId } = await probed(t)
  const refused: readonly (readonly [object, RegExp])[] = [
    [{ start: 'tomorrow' }, /start/],
    [{ start: '2026-13-01T00:00:00Z' }, /start/],
    [{ start: '2026-02-30T10:00:00Z' }, /start/],
    [{ end: '2020-01-01T00:00:00Z' }, /end/],
    [{ start: '2030-01-02T00:00:00Z', end: '2030-01-01T00:00:00Z' }, /not after the start/],
    [{ note: 'x'.repeat(256) }, /note/],
    [{ colour: 'red' }, /colour/],
  ]
  for (const prefix of [BASE, '/load-balancer/v2.0/lbaas']) {
    for (const [maintenance, problem] of refused) {
      const path = `${prefix}/pools/${poolId}/maintenance`
      const answer = await api.request('PUT', path, { maintenance }, asProject)
      assert.equal(answer.status, 400, JSON.stringify(answer.body))
      assert.match(JSON.stringify(answer.body), problem)
    }
    for (const path of [
      `pools/${monitorId}`,
      `healthmonitors/${poolId}`,
      `pools/${poolId}/members/${poolId}`,
    ]) {
      for (const method of ['PUT', 'DELETE']) {
        const body = method === 'PUT' ? { maintenance: {} } : undefined
        const answer = await api.request(method, `${prefix}/${path}/maintenance`, body, asProject)
        assert.equal(answer.status, 404)
      }
    }
    const answer = await api.request(
      'PUT',
      `${prefix}/pools/${poolId}/members/${id}/maintenance`,
      {
        maintenance: { end: '2030-01-01T00:00:00+02:00' },
      },
      { 'x-project-id': 'another' },
    )
    assert.equal(answer.status, 404)
  }
})

test('GET shows what was set, before it starts and while it lasts, in both dialects, and 404 when nothing is set', async (t) => {
  const database = await testDatabase(t)
  const api = await startApi(t, { db: database.db })
  const { poolId, monitorId } = await insertPool(database.db, {})
  const [id = ''] = await insertMembers(database.db, poolId, [{ address: '127.0.0.1', port: 9 }])
  const get = (base: string, path: string, headers: Record<string, string> = asProject) =>
    api.request('GET', `${base}${path}/maintenance`, undefined, headers)
  const objects = [
    ['member', `/pools/${poolId}/members/${id}`, id],
    ['pool', `/pools/${poolId}`, poolId],
    ['healthmonitor', `/healthmonitors/${monitorId}`, monitorId],
  ] as const
  for (const [kind, path, objectId] of objects) {
    const none = await get(BASE, path)
    assert.equal(none.status, 404)
    assert.equal(none.body.error_msg, `maintenance of ${kind} ${objectId} could not be found.`)
    assert.equal((await get('/load-balancer/v2.0/lbaas', path)).status, 404)
    const start = new Date(Date.now() + 3_600_000).toISOString()
    for (const sent of [{ start, note: 'later' }, { note: 'now' }]) {
      const { body } = await put(api, path, sent)
      for (const base of [BASE, '/load-balancer/v2.0/lbaas']) {
        const shown = await get(base, path)
        assert.deepEqual([shown.status, shown.body], [200, body])
      }
      assert.equal(body.maintenance.active, !('start' in sent))
    }
    assert.equal((await get(BASE, path, { 'x-project-id': 'another' })).status, 404)
    assert.equal((await end(api, path)).status, 204)
    assert.equal((await get(BASE, path)).status, 404)
  }
  const other = await insertPool(database.db, {})
  for (const path of [`/pools/${other.poolId}/members/${id}`, `/pools/${id}`, `/healthmonitors/${id}`]) {
    assert.equal((await get(BASE, path)).status, 404)
  }
})
