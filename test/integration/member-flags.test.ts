import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { startApi } from '../support/api.ts'
import { eventually, insertMembers, insertPool, PROJECT, statuses } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import { testProber } from '../support/prober.ts'

const HEADERS = { 'x-project-id': PROJECT }
const NO_FLAGS = { degraded: false, warning: false, draining: false }

interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
}

/** One member behind a real listener whose answers the test chooses, under an HTTP monitor with these options. */
async function probed(t: TestContext, options: object) {
  const database = await testDatabase(t)
  const { db } = database
  let reply: Reply = { status: 200 }
  const paths: string[] = []
  const server = createServer((request, response) => {
    paths.push(request.url ?? '')
    response.writeHead(reply.status, { connection: 'close', ...reply.headers }).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => void server.close())
  const { port } = server.address() as AddressInfo
  const { poolId, monitorId } = await insertPool(db, { type: 'HTTP', rise: 1, fall: 1 })
  const [id = ''] = await insertMembers(db, poolId, [{ address: '127.0.0.1', port }])
  const api = await startApi(t, { db })
  const change = async (healthmonitor: object) => {
    const path = `/elb/v2.0/lbaas/healthmonitors/${monitorId}`
    const { status, body } = await api.request('PUT', path, { healthmonitor }, HEADERS)
    assert.equal(status, 200, JSON.stringify(body))
  }
  await change({ options })
  const health = async (mount = '/elb/v2.0') => {
    const path = `${mount}/lbaas/pools/${poolId}/members/${id}/health`
    const { status, body } = await api.request('GET', path, undefined, HEADERS)
    assert.equal(status, 200, JSON.stringify(body))
    return body.health
  }
  return {
    database,
    db,
    api,
    id,
    poolId,
    paths,
    change,
    health,
    answers: (next: Reply) => void (reply = next),
    state: async () => (await statuses(db)).get(id)?.state,
  }
}

const MONITORED = {
  http: {
    draining_statuses: [{ start: 404, end: 405 }],
    warning_statuses: [{ start: 429, end: 430 }],
    degraded_header: 'x-envoy-degraded',
  },
}
const DRAINING = { status: 404 }
const DEGRADED = { status: 200, headers: { 'x-envoy-degraded': '' } }
const WARNING = { status: 429 }

test('health shows in both dialects, soon and not at the next checkpoint, what a passing target says of itself', async (t) => {
  const { database, api, poolId, health, answers, state } = await probed(t, MONITORED)
  testProber(database, { checkpointMs: 600_000 })
  const tells = async (expected: typeof NO_FLAGS, status: string) => {
    for (const [mount, word] of [
      ['/elb/v2.0', status],
      ['/load-balancer/v2.0', status === 'OFFLINE' ? 'ERROR' : status],
    ] as const) {
      await eventually(`${mount} tells ${JSON.stringify(expected)} and ${word}`, async () => {
        const { degraded, warning, draining, status: told } = await health(mount)
        const isAsExpected =
          degraded === expected.degraded && warning === expected.warning && draining === expected.draining
        return isAsExpected && told === word
      })
    }
  }
  await eventually('it is ONLINE', async () => (await state()) === 'ONLINE')
  await tells(NO_FLAGS, 'ONLINE')
  answers(DRAINING)
  await tells({ ...NO_FLAGS, draining: true }, 'ONLINE')
  const ofPool = await api.request('GET', `/elb/v2.0/lbaas/pools/${poolId}/health`, undefined, HEADERS)
  assert.equal(ofPool.body.health.members[0].draining, true, 'the health of the pool says it too')
  answers(DEGRADED)
  await tells({ ...NO_FLAGS, degraded: true }, 'ONLINE')
  answers(WARNING)
  await tells({ ...NO_FLAGS, warning: true }, 'ONLINE')
  answers({ status: 200 })
  await tells(NO_FLAGS, 'ONLINE')
  answers(WARNING)
  await tells({ ...NO_FLAGS, warning: true }, 'ONLINE')
  answers({ status: 500 })
  await tells(NO_FLAGS, 'OFFLINE')
})

test('a flag that flips changes no status, and the next prober knows it from its own first probe', async (t) => {
  const { database, db, id, health, answers, state } = await probed(t, MONITORED)
  const first = testProber(database, { checkpointMs: 600_000 })
  await eventually('it is ONLINE', async () => (await state()) === 'ONLINE')
  answers(DRAINING)
  await eventually('it is draining', async () => (await health()).draining === true)
  await first.close()
  assert.equal((await health()).draining, true, 'nobody has seen otherwise')
  answers(DEGRADED)
  testProber(database, { checkpointMs: 600_000 })
  await eventually('it is degraded', async () => (await health()).degraded === true)
  assert.equal((await health()).draining, false)
  const written = await query(db, 'select from member_transition where member_id = $1', [id])
  assert.equal(written.length, 1)
})

test('a check that had halted and fails again with another request publishes no second OFFLINE', async (t) => {
  const { database, db, id, paths, change, answers, state } = await probed(t, { halt_when_offline: true })
  answers({ status: 500 })
  testProber(database)
  await eventually('it is OFFLINE', async () => (await state()) === 'OFFLINE')
  for (const path of ['/second', '/third']) {
    await change({ url_path: path })
    await eventually(`${path} is asked for`, () => paths.includes(path))
  }
  assert.equal(await state(), 'OFFLINE')
  answers({ status: 200 })
  await change({ url_path: '/fourth' })
  await eventually('it is ONLINE', async () => (await state()) === 'ONLINE')
  const written = await query<{ from_state: string; to_state: string }>(
    db,
    'select from_state, to_state from member_transition where member_id = $1 order by id',
    [id],
  )
  assert.deepEqual(
    written.map((row) => [row.from_state, row.to_state]),
    [
      ['UNKNOWN', 'OFFLINE'],
      ['OFFLINE', 'ONLINE'],
    ],
  )
  for (const path of ['/second', '/third'])
    assert.equal(paths.filter((each) => each === path).length, 1, `${path} halted at its first failure`)
})
