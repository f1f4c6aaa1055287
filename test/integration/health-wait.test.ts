/** `wait_for`: the health of a member or a pool as soon as it is what somebody waits for. */
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { suite, test } from 'node:test'
import { EventStreams } from '../../src/api/v1/event-streams.ts'
import { feedOf } from '../../src/bin/process/events.ts'
import { query } from '../../src/store/connection/database.ts'
import { type Answer, type Api, startApi } from '../support/api.ts'
import { PROJECT } from '../support/configuration.ts'
import { aFarm, aProber, type Farm, live } from '../support/farm.ts'
import { type Ending, testDatabase } from '../support/database.ts'
import { keepingLog } from '../support/prober.ts'
import { until } from '../support/service.ts'

const DIALECTS = { elb: '/v2.0/lbaas', octavia: '/load-balancer/v2.0/lbaas' } as const
const AS_PROJECT = { 'x-project-id': PROJECT }

const get = (
  api: Api,
  path: string,
  headers: Readonly<Record<string, string>> = AS_PROJECT,
): Promise<Answer> => api.request('GET', path, undefined, headers)
const ofMember = ({ poolId, members }: Farm) => `/pools/${poolId}/members/${members[0]}/health`
const ofPool = ({ poolId }: Farm) => `/pools/${poolId}/health`

/** An API without a reader of the outbox: what happens is seen by looking. */
async function quiet(t: Ending): Promise<Api & { farm: Farm; streams: EventStreams }> {
  const { db } = await testDatabase(t)
  const streams = new EventStreams()
  const api = await startApi(t, { db, events: { feed: feedOf(db, keepingLog()), streams } })
  return { ...api, streams, farm: await aFarm(db, await aProber(db)) }
}

/** Resolves when the project has this many places of streams and waits taken. */
async function places(streams: EventStreams, taken: number): Promise<void> {
  await until(() => streams.taken === taken, `${taken} taken places`)
}

for (const [dialect, base] of Object.entries(DIALECTS)) {
  suite(`dialect ${dialect}`, () => {
    test('a wait for a member ends with the verdict, not with the time', async (t) => {
      const { farm, ...api } = await live(t)
      const waiting = get(api, `${base}${ofMember(farm)}?wait_for=ONLINE&timeout=60`)
      await farm.decide('OFFLINE')
      await farm.decide('ONLINE')
      const { status, body } = await waiting
      assert.equal(status, 200)
      assert.deepEqual([body.health.status, body.wait.for, body.wait.reached], ['ONLINE', 'ONLINE', true])
      assert.ok(body.wait.seconds < 50, `${body.wait.seconds} s`)
    })

    test('what holds already is answered at once', async (t) => {
      const { farm, ...api } = await live(t)
      await farm.decide('OFFLINE')
      const { body } = await get(api, `${base}${ofMember(farm)}?wait_for=OFFLINE&timeout=60`)
      assert.deepEqual(
        [body.health.status, body.wait.reached],
        [dialect === 'elb' ? 'OFFLINE' : 'ERROR', true],
      )
      assert.ok(body.wait.seconds < 30)
    })

    test('when the time is over, the answer is 200 with the present health, and says that it was not reached', async (t) => {
      const { farm, ...api } = await live(t)
      await farm.decide('OFFLINE')
      const { status, body } = await get(api, `${base}${ofMember(farm)}?wait_for=ONLINE&timeout=1`)
      assert.equal(status, 200)
      assert.deepEqual([body.health.reason, body.wait.reached], ['PASSED', false])
      assert.ok(body.wait.seconds >= 1)
    })

    test('a pool is waited for until all of its members that are switched on are there', async (t) => {
      const { farm, ...api } = await live(t)
      const path = `${base}${ofPool(farm)}?wait_for=ONLINE&timeout=60&limit=1`
      const waiting = get(api, path)
      await farm.decide('ONLINE', farm.members.slice(0, 1))
      const early = await get(api, `${base}${ofPool(farm)}?wait_for=ONLINE&timeout=1`)
      assert.equal(early.body.wait.reached, false)
      await farm.decide('ONLINE', farm.members.slice(1))
      const { body } = await waiting
      assert.deepEqual(
        [body.health.counts.ONLINE, body.health.members.length, body.wait.reached],
        [2, 1, true],
      )
      assert.doesNotMatch(JSON.stringify(body.health.members_links), /wait_for|timeout/)
    })

    test('a wait that is asked for wrongly is refused', async (t) => {
      const { farm, ...api } = await quiet(t)
      for (const wrong of [
        'wait_for=online',
        'wait_for=DRAINING',
        'wait_for=',
        'wait_for=ONLINE&wait_for=OFFLINE',
        'wait_for=ONLINE&timeout=0',
        'wait_for=ONLINE&timeout=61',
        'wait_for=ONLINE&timeout=1.5',
        'wait_for=ONLINE&timeout=',
        'timeout=5',
      ]) {
        for (const path of [ofMember(farm), ofPool(farm)]) {
          assert.equal((await get(api, `${base}${path}?${wrong}`)).status, 400, wrong)
        }
      }
    })
  })
}

test('a member that is switched off is not waited for, but one that is alone with others like it never is there', async (t) => {
  const { farm, ...api } = await live(t)
  await farm.decide('ONLINE')
  const wait = () => get(api, `${DIALECTS.elb}${ofPool(farm)}?wait_for=ONLINE&timeout=1`)
  const switchOff = async (id: string | undefined) => {
    const path = `${DIALECTS.elb}/pools/${farm.poolId}/members/${id}`
    const answer = await api.request('PUT', path, { member: { admin_state_up: false } }, AS_PROJECT)
    assert.equal(answer.status, 200)
  }
  await switchOff(farm.members[0])
  assert.equal((await wait()).body.wait.reached, true)
  await switchOff(farm.members[1])
  assert.equal((await wait()).body.wait.reached, false)
})

test('the status from before a change of the configuration is not what is waited for', async (t) => {
  const { farm, ...api } = await live(t)
  await farm.decide('ONLINE')
  await query(
    farm.db,
    `update health_monitor set generation = nextval('check_generation') where pool_id = $1`,
    [farm.poolId],
  )
  for (const path of [ofMember(farm), ofPool(farm)]) {
    const { body } = await get(api, `${DIALECTS.elb}${path}?wait_for=ONLINE&timeout=1`)
    assert.equal(body.wait.reached, false)
  }
  const waiting = [ofMember(farm), ofPool(farm)].map((path) =>
    get(api, `${DIALECTS.elb}${path}?wait_for=ONLINE&timeout=60`),
  )
  await farm.decide('ONLINE')
  for (const { body } of await Promise.all(waiting)) assert.equal(body.wait.reached, true)
})

test('without events a wait still ends, as it looks by itself', async (t) => {
  const { farm, streams, ...api } = await quiet(t)
  const waiting = get(api, `${DIALECTS.elb}${ofMember(farm)}?wait_for=ONLINE&timeout=60`)
  await places(streams, 1)
  await farm.decide('ONLINE')
  const { body } = await waiting
  assert.deepEqual([body.wait.reached, body.wait.seconds < 20], [true, true])
})

test('a wait holds a place among streams and waits, which a client that goes away gives back', async (t) => {
  const { farm, streams, url } = await quiet(t)
  const open = () =>
    request(`${url}${DIALECTS.elb}${ofPool(farm)}?wait_for=ONLINE&timeout=60`, {
      agent: false,
      headers: AS_PROJECT,
    })
      .on('error', () => undefined)
      .end()
  const clients = [open(), open()]
  await places(streams, 2)
  for (const client of clients) client.destroy()
  await places(streams, 0)
})

test('a wait holds no connection to the database: with one place for requests others are answered', async (t) => {
  const { db } = await testDatabase(t)
  const streams = new EventStreams()
  const events = { feed: feedOf(db, keepingLog()), streams }
  // Two connections are kept for what is no request.
  const api = await startApi(t, { db, events, admission: { connections: 3 } })
  const farm = await aFarm(db, await aProber(db))
  const waiting = [0, 1, 2].map(() => get(api, `${DIALECTS.elb}${ofMember(farm)}?wait_for=ONLINE&timeout=2`))
  await places(streams, 3)
  assert.equal((await get(api, `${DIALECTS.elb}${ofMember(farm)}`)).body.health.status, 'OFFLINE')
  assert.equal(streams.taken, 3)
  for (const { body } of await Promise.all(waiting)) assert.equal(body.wait.reached, false)
})

test('a member that is deleted during a wait is not found any more', async (t) => {
  const { farm, streams, ...api } = await quiet(t)
  const waiting = get(api, `${DIALECTS.elb}${ofMember(farm)}?wait_for=ONLINE&timeout=60`)
  await places(streams, 1)
  await query(farm.db, 'delete from member where id = $1', [farm.members[0]])
  assert.equal((await waiting).status, 404)
})

test('another project waits for nothing: its member is not found', async (t) => {
  const { farm, ...api } = await quiet(t)
  for (const path of [ofMember(farm), ofPool(farm)]) {
    const answer = await get(api, `${DIALECTS.elb}${path}?wait_for=ONLINE`, { 'x-project-id': 'another' })
    assert.equal(answer.status, 404)
  }
})

test('a process that ends answers its waits at once with what is', async (t) => {
  const { farm, streams, ...api } = await quiet(t)
  const waiting = get(api, `${DIALECTS.elb}${ofMember(farm)}?wait_for=ONLINE&timeout=60`)
  await places(streams, 1)
  streams.close()
  const { status, body } = await waiting
  assert.deepEqual([status, body.wait.reached, body.wait.seconds < 30], [200, false, true])
})
