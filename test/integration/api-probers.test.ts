import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Identity } from '../../src/identity/identity.ts'
import { startApi } from '../support/api.ts'
import { eventually, insertMembers, insertPool } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import { testProber } from '../support/prober.ts'

test('GET /v1/probers shows of every prober: heartbeat, shards, lag, waiting rows, inconclusive results, breaker', async (t) => {
  const database = await testDatabase(t)
  const api = await startApi(t, { db: database.db })
  assert.deepEqual((await api.request('GET', '/v1/probers')).body, { probers: [] })
  const { poolId } = await insertPool(database.db)
  await insertMembers(database.db, poolId, [{ address: '127.0.0.1', port: 9 }])
  const prober = testProber(database, { targetPolicy: () => 'for this test' })
  const told = async () => (await api.request('GET', '/v1/probers')).body.probers[0]
  await eventually('it says what was inconclusive, of all shards', async () => {
    const prober = await told()
    return (
      prober?.inconclusive.TARGET_DENIED > 0 && prober.shards.length === 256 && prober.loading.shards === 0
    )
  })
  const { inconclusive, lag, started_at, last_heartbeat_at, lease_until, host, ...rest } = await told()
  assert.deepEqual(Object.keys(inconclusive), ['TARGET_DENIED'])
  assert.ok(lag.p99_ms <= lag.max_ms)
  assert.ok(Date.parse(started_at) <= Date.parse(last_heartbeat_at))
  assert.ok(Date.parse(last_heartbeat_at) < Date.parse(lease_until))
  assert.equal(typeof host, 'string')
  const { in_flight_max, inconclusive_last, heap, ...figures } = rest
  assert.deepEqual(inconclusive_last, { TARGET_DENIED: 'the target policy forbids to probe this address' })
  assert.ok(heap.used_bytes > 0 && heap.used_bytes < heap.limit_bytes)
  assert.ok(in_flight_max > 0)
  assert.deepEqual(figures, {
    id: prober.id,
    site: 'local',
    pid: process.pid,
    alive: true,
    shards: Array.from({ length: 256 }, (_, i) => i),
    checks: 1,
    loading: { shards: 0, checks: 0 },
    in_flight: 0,
    queue: 0,
    stale: 0,
    unwritten: 0,
    breaker: {
      state: 'closed',
      canaries: 0,
      canaries_answer: null,
      mass_failures: 0,
      trips: 0,
      held: 0,
      suspect: false,
    },
  })
})

test('GET /v1/probers is for administrators', async (t) => {
  const { db } = await testDatabase(t)
  const as = async (roles: readonly string[]) => {
    const identity: Identity = {
      projectId: 'p',
      roles,
      scope: 'project',
      assumed: false,
      confined: false,
      userId: 'u',
    }
    const api = await startApi(t, { db, identity: { identify: () => Promise.resolve(identity) } })
    return (await api.request('GET', '/v1/probers')).status
  }
  assert.equal(await as(['admin']), 200)
  assert.equal(await as(['load-balancer_admin']), 200)
  assert.equal(await as(['member']), 403)
  assert.equal(await as(['reader']), 403)
})

test('GET /v1/probers without identity takes loopback Host headers only', async (t) => {
  const api = await startApi(t)
  assert.equal((await api.request('GET', '/v1/probers', undefined, { host: 'evil.example' })).status, 400)
})
