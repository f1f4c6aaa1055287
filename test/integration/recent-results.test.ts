import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { startApi } from '../support/api.ts'
import { eventually, insertMembers, insertPool, PROJECT, statuses } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import { testProber } from '../support/prober.ts'

test('health shows the recent results of a check with each transition, and a transition shows the expected and the received answer', async (t) => {
  const database = await testDatabase(t)
  const { db } = database
  let status = 200
  const server = createServer((_request, response) => {
    response.statusCode = status
    response.end('a body that no answer shows')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => void server.close())
  const { port } = server.address() as AddressInfo
  const { poolId } = await insertPool(db, { type: 'HTTP', rise: 1, fall: 2 })
  const codes = `expected_codes = '200,204', sent_fields = sent_fields || '"expectedCodes"'`
  await query(db, `update health_monitor set ${codes} where pool_id = $1`, [poolId])
  const [id = ''] = await insertMembers(db, poolId, [{ address: '127.0.0.1', port }])
  const api = await startApi(t, { db })
  testProber(database, { checkpointMs: 60_000 })
  const isNow = (state: string) => async () => (await statuses(db)).get(id)?.state === state
  await eventually('it is ONLINE', isNow('ONLINE'))
  status = 503
  await eventually('it is OFFLINE', isNow('OFFLINE'))

  const path = `/v2.0/lbaas/pools/${poolId}/members/${id}`
  const headers = { 'x-project-id': PROJECT }
  const { health } = (await api.request('GET', `${path}/health`, undefined, headers)).body
  const results = health.recent_results as {
    at: string
    result: string
    reason: string
    latency_ms: number
  }[]
  assert.deepEqual(
    results.slice(0, 3).map(({ result, reason }) => [result, reason]),
    [
      ['failed', 'STATUS_MISMATCH'],
      ['failed', 'STATUS_MISMATCH'],
      ['passed', 'PASSED'],
    ],
  )
  const times = results.map(({ at }) => Date.parse(at))
  assert.deepEqual(
    times,
    times.toSorted((a, b) => b - a),
  )
  assert.ok(Math.abs((times[0] ?? 0) - Date.parse(health.since)) < 100, 'the decisive one is the newest')
  assert.ok(results.every(({ latency_ms }) => latency_ms > 0 && latency_ms < 1000))

  const { transitions } = (await api.request('GET', `${path}/transitions`, undefined, headers)).body
  const { phases, ...evidence } = transitions[0].evidence
  assert.deepEqual(evidence, {
    type: 'HTTP',
    address: '127.0.0.1',
    port,
    timeout_ms: 1000,
    rise: 1,
    fall: 2,
    code: 'STATUS_MISMATCH',
    expected: 'status 200,204',
    got: '503',
    status_line: 'HTTP/1.1 503 Service Unavailable',
  })
  assert.ok(phases.connect_ms > 0 && phases.first_byte_ms > 0 && phases.total_ms > 0)
  const { health: ofPool } = (
    await api.request('GET', `/v2.0/lbaas/pools/${poolId}/health`, undefined, headers)
  ).body
  assert.equal(ofPool.members[0].recent_results, undefined)
})

test('health shows the recent results of a steady check from the checkpoint', async (t) => {
  const database = await testDatabase(t)
  const { db } = database
  const { poolId } = await insertPool(db)
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => void server.close())
  const { port } = server.address() as AddressInfo
  const ids = await insertMembers(db, poolId, [
    { address: '127.0.0.1', port },
    { address: '127.0.0.2', port: 1 },
  ])
  const api = await startApi(t, { db })
  testProber(database)
  for (const [i, result] of ['passed', 'failed'].entries()) {
    const path = `/v2.0/lbaas/pools/${poolId}/members/${ids[i]}/health`
    const results = async (): Promise<{ result: string }[]> =>
      (await api.request('GET', path, undefined, { 'x-project-id': PROJECT })).body.health.recent_results ??
      []
    await eventually('three results are reported', async () => (await results()).length >= 3)
    assert.ok((await results()).every((each) => each.result === result))
  }
})
