import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { suite, test } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { type Json, UNLIMITED } from '../support/api.ts'
import { eventually } from '../support/configuration.ts'
import { openTransaction } from '../support/database.ts'
import {
  configVersion,
  FORBIDDEN_PORT,
  makePool,
  PROJECT,
  type PoolApi,
  startPoolApi,
  writeVerdict,
} from '../support/pool-api.ts'

const SUBNET = '03e1458a-fe0d-4e2f-bc4a-44f25a045287'
const draft = (poolId: string, extra: object = {}) => ({
  pool_id: poolId,
  type: 'TCP',
  delay: 20,
  timeout: 10,
  max_retries: 5,
  ...extra,
})

async function created(api: PoolApi, poolId: string, extra: object = {}): Promise<Json> {
  const answer = await api.call('POST', '/healthmonitors', { body: { healthmonitor: draft(poolId, extra) } })
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  return answer.body.healthmonitor
}

function put(api: PoolApi, id: string, healthmonitor: object) {
  return api.call('PUT', `/healthmonitors/${id}`, { body: { healthmonitor } })
}

async function changed(api: PoolApi, id: string, change: object): Promise<Json> {
  const answer = await put(api, id, change)
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  return answer.body.healthmonitor
}

async function addMember(api: PoolApi, poolId: string): Promise<string> {
  const member = { address: '127.0.0.1', protocol_port: 8080, subnet_id: SUBNET }
  const answer = await api.call('POST', `/pools/${poolId}/members`, { body: { member } })
  return answer.body.member.id as string
}

const count = async (api: PoolApi): Promise<number> =>
  (await query<{ n: number }>(api.db, 'select count(*) as n from health_monitor'))[0]?.n ?? -1

suite('health monitors', () => {
  test('a TCP monitor has every key of dialect elb, three failures to OFFLINE, and null where nothing was sent', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    const { id, ...rest } = await created(api, poolId)
    assert.deepEqual(rest, {
      name: '',
      tenant_id: PROJECT,
      project_id: PROJECT,
      type: 'TCP',
      delay: 20,
      timeout: 10,
      max_retries: 5,
      max_retries_down: 3,
      admin_state_up: true,
      monitor_port: null,
      domain_name: null,
      url_path: null,
      http_method: null,
      expected_codes: null,
      pools: [{ id: poolId }],
    })
    const shown = await api.call('GET', `/healthmonitors/${id}`)
    assert.deepEqual([shown.status, shown.body], [200, { healthmonitor: { id, ...rest } }])
    assert.deepEqual((await api.call('GET', '/healthmonitors')).body, { healthmonitors: [{ id, ...rest }] })
  })

  test('an HTTP monitor has defaults; everything that is sent comes back as sent, on TCP too', async (t) => {
    const api = await startPoolApi(t)
    const pools = await Promise.all([1, 2, 3].map(() => makePool(api.db)))
    const [a, b, c] = pools.map((pool) => pool.poolId)
    const http = await created(api, a ?? '', { type: 'HTTP' })
    assert.deepEqual([http.url_path, http.http_method, http.expected_codes], ['/', 'GET', '200'])
    const sent = {
      name: 'überwacht',
      url_path: '/a?b=%20&c=[1]',
      expected_codes: '200-204,300-302, 401',
      http_method: 'HEAD',
      domain_name: 'www.test.com',
      monitor_port: 112,
      admin_state_up: false,
      max_retries_down: 10,
    }
    for (const [poolId, type] of [
      [b, 'HTTP'],
      [c, 'TCP'],
    ]) {
      const monitor = await created(api, poolId ?? '', { ...sent, type })
      assert.deepEqual({ ...monitor, ...sent, type }, monitor)
    }
  })

  test('what Neutron converts is converted, and what clients send besides is taken and forgotten', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    const monitor = await created(api, poolId, {
      delay: '5',
      admin_state_up: 'False',
      http_version: '1.0',
      tenant_id: PROJECT,
    })
    assert.deepEqual([monitor.delay, monitor.admin_state_up, 'http_version' in monitor], [5, false, false])
  })

  test('a UDP pool takes UDP_CONNECT only, TCP and HTTP pools take TCP or HTTP', async (t) => {
    const api = await startPoolApi(t)
    const fits: Readonly<Record<string, readonly string[]>> = {
      UDP: ['UDP_CONNECT'],
      TCP: ['TCP', 'HTTP'],
      HTTP: ['TCP', 'HTTP'],
    }
    for (const [protocol, types] of Object.entries(fits)) {
      for (const type of ['TCP', 'HTTP', 'UDP_CONNECT']) {
        const { poolId } = await makePool(api.db, { protocol })
        const answer = await api.call('POST', '/healthmonitors', {
          body: { healthmonitor: draft(poolId, { type }) },
        })
        if (types.includes(type)) {
          assert.deepEqual([answer.status, answer.body.healthmonitor?.type], [201, type])
        } else {
          const allowed = protocol === 'UDP' ? 'UDP_CONNECT' : 'TCP or HTTP'
          assert.deepEqual(
            [answer.status, answer.body.error_code, answer.body.error_msg],
            [
              400,
              'ELB.9899',
              `A pool of protocol ${protocol} takes health monitors of type ${allowed} only.`,
            ],
          )
        }
      }
    }
    assert.equal(await count(api), 5)
  })

  test('the type changes between TCP and HTTP only; the same type again is no change', async (t) => {
    const api = await startPoolApi(t)
    const [tcp, udp] = [await makePool(api.db), await makePool(api.db, { protocol: 'UDP' })]
    const { id } = await created(api, tcp.poolId)
    const http = await changed(api, id, { type: 'HTTP' })
    assert.deepEqual(
      [http.type, http.url_path, http.http_method, http.expected_codes],
      ['HTTP', '/', 'GET', '200'],
    )
    assert.equal((await changed(api, id, { type: 'TCP' })).type, 'TCP')
    const refused = await put(api, id, { type: 'UDP_CONNECT' })
    const sentence =
      'Can only update type of the healthmonitor with TCP or HTTP which binds to TCP or HTTP pool.'
    assert.deepEqual(
      [refused.status, refused.body.error_code, refused.body.error_msg],
      [400, 'ELB.9899', sentence],
    )
    const other = await created(api, udp.poolId, { type: 'UDP_CONNECT' })
    assert.deepEqual(await changed(api, other.id, { type: 'UDP_CONNECT' }), other)
    assert.equal((await put(api, other.id, { type: 'TCP' })).body.error_msg, sentence)
    assert.match(
      (await put(api, id, { type: 'PING' })).body.error_msg as string,
      /^Invalid input for type\. Reason: 'PING'/,
    )
  })

  test('a change is a merge: absent stays, null clears, nothing at all is 200', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    const monitor = await created(api, poolId, {
      type: 'HTTP',
      name: 'a',
      monitor_port: 112,
      domain_name: 'www.test.com',
    })
    assert.deepEqual(await changed(api, monitor.id, {}), monitor)
    const merged = await changed(api, monitor.id, { delay: 30, name: 'b', max_retries_down: 1 })
    assert.deepEqual(merged, { ...monitor, delay: 30, name: 'b', max_retries_down: 1 })
    const cleared = {
      monitor_port: null,
      domain_name: null,
      url_path: null,
      expected_codes: null,
      max_retries_down: null,
    }
    assert.deepEqual(await changed(api, monitor.id, cleared), {
      ...merged,
      monitor_port: null,
      domain_name: null,
      max_retries_down: 3,
    })
  })

  test('a change of thresholds, type or port keeps what is published; switching off ends it, and on again leaves NO_MONITOR', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    const { id } = await created(api, poolId)
    const member = await addMember(api, poolId)
    const statusAfter = async (change: object) => {
      await writeVerdict(api.db, member, { status: 'ONLINE' })
      const version = await configVersion(api.db, poolId)
      await changed(api, id, change)
      assert.equal(await configVersion(api.db, poolId), version + 1, 'probers notice')
      return (await api.call('GET', `/pools/${poolId}/members/${member}`)).body.member
        .operating_status as string
    }
    assert.equal(await statusAfter({ delay: 5, timeout: 3, max_retries: 2 }), 'ONLINE')
    assert.equal(await statusAfter({ type: 'HTTP' }), 'ONLINE')
    assert.equal(await statusAfter({ monitor_port: 81 }), 'ONLINE')
    assert.equal(await statusAfter({ admin_state_up: false }), 'NO_MONITOR')
    await changed(api, id, { admin_state_up: true })
    const shown = await api.call('GET', `/pools/${poolId}/members/${member}`)
    assert.equal(shown.body.member.operating_status, 'NO_MONITOR')
  })

  test('a pool has one monitor: a second is 409, and of ten at once one is 201', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        api.call('POST', '/healthmonitors', { body: { healthmonitor: draft(poolId) } }),
      ),
    )
    const winner = answers.find((answer) => answer.status === 201)
    assert.equal(answers.filter((answer) => answer.status === 409).length, 9)
    assert.equal(await count(api), 1)
    const loser = answers.find((answer) => answer.status === 409)
    assert.deepEqual(
      [loser?.body.error_code, loser?.body.error_msg],
      [
        'ELB.8907',
        `Only one health monitor per pool allowed.  Pool ${poolId} is already using Health Monitor ${winner?.body.healthmonitor.id}.`,
      ],
    )
  })

  test('a monitor that somebody writes past the locks of the API, at the same time, is 409 as well', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    const writer = await openTransaction(api.db)
    const id = randomUUID()
    await query(
      writer.tx,
      `insert into health_monitor (id, project_id, pool_id, type, profile, delay_seconds, timeout_seconds, rise, fall)
       values ($1, $2, $3, 'TCP', 'elb', 5, 3, 2, 2)`,
      [id, PROJECT, poolId],
    )
    const posted = api.call('POST', '/healthmonitors', { body: { healthmonitor: draft(poolId) } })
    await eventually('the request waits for the other writer', async () => {
      const waiting = `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`
      return (await query(api.db, waiting)).length === 1
    })
    await writer.commit()
    const answer = await posted
    assert.deepEqual([answer.status, answer.body.error_code], [409, 'ELB.8907'])
    assert.match(answer.body.error_msg, new RegExp(`is already using Health Monitor ${id}`))
  })

  test('the quota holds under concurrency', async (t) => {
    const api = await startPoolApi(t, { quotas: { ...UNLIMITED, healthmonitor: 2 } })
    const pools = await Promise.all([1, 2, 3, 4, 5].map(() => makePool(api.db)))
    const answers = await Promise.all(
      pools.map(({ poolId }) =>
        api.call('POST', '/healthmonitors', { body: { healthmonitor: draft(poolId) } }),
      ),
    )
    assert.equal(answers.filter((answer) => answer.status === 201).length, 2)
    const refused = answers.find((answer) => answer.status !== 201)
    assert.deepEqual(
      [refused?.status, refused?.body.error_code, refused?.body.error_msg],
      [400, 'ELB.9807', `Quota exceeded for resources:['healthmonitor'].`],
    )
  })

  test('a deleted monitor is gone and its members have none', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    const { id } = await created(api, poolId)
    const member = await addMember(api, poolId)
    const answer = await api.call('DELETE', `/healthmonitors/${id}`)
    assert.deepEqual([answer.status, answer.body], [204, undefined])
    assert.equal((await api.call('GET', `/healthmonitors/${id}`)).status, 404)
    assert.equal((await api.call('DELETE', `/healthmonitors/${id}`)).status, 404)
    const left = await api.call('GET', `/pools/${poolId}/members/${member}`)
    assert.equal(left.body.member.operating_status, 'NO_MONITOR')
  })

  test('lists filter by every attribute, ignore what they do not know, and page both ways', async (t) => {
    const api = await startPoolApi(t)
    const ids: string[] = []
    for (let i = 0; i < 5; i++) {
      const { poolId } = await makePool(api.db)
      ids.push(
        (await created(api, poolId, { name: `n${i % 2}`, delay: i + 1, type: i === 4 ? 'HTTP' : 'TCP' })).id,
      )
    }
    const delays = async (search: string) =>
      (
        (await api.call('GET', `/healthmonitors?sort_key=delay&sort_dir=asc${search}`)).body
          .healthmonitors as Json[]
      ).map((monitor) => monitor.delay as number)
    assert.deepEqual(await delays('&name=n1'), [2, 4])
    assert.deepEqual(await delays('&delay=1&delay=3&type=TCP'), [1, 3])
    assert.deepEqual(await delays('&type=HTTP&expected_codes=200&url_path=/&http_method=GET'), [5])
    assert.deepEqual(await delays('&adminstate_up=true&status=x&name='), [1, 2, 3, 4, 5])
    assert.deepEqual(await delays('&delay=x'), [])
    const [first, second, third] = ids.toSorted()
    const page = await api.call('GET', `/healthmonitors?limit=2&marker=${first}`)
    const links = page.body.healthmonitors_links as { rel: string; href: string }[]
    assert.deepEqual(
      (page.body.healthmonitors as Json[]).map((monitor) => monitor.id),
      [second, third],
    )
    assert.deepEqual(
      links.map((link) => link.rel),
      ['next', 'previous'],
    )
    const back = await api.call('GET', links[1]?.href ?? '')
    assert.deepEqual(
      (back.body.healthmonitors as Json[]).map((monitor) => monitor.id),
      [first],
    )
  })

  test('another project knows neither monitor nor pool, in lists and markers either', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    const { id } = await created(api, poolId)
    const project = 'project-b'
    const body = { healthmonitor: { delay: 9 } }
    assert.equal((await api.call('GET', `/healthmonitors/${id}`, { project })).status, 404)
    assert.equal((await api.call('PUT', `/healthmonitors/${id}`, { project, body })).status, 404)
    assert.equal((await api.call('DELETE', `/healthmonitors/${id}`, { project })).status, 404)
    const create = { healthmonitor: draft(poolId) }
    assert.equal((await api.call('POST', '/healthmonitors', { project, body: create })).status, 404)
    assert.deepEqual((await api.call('GET', '/healthmonitors', { project })).body, { healthmonitors: [] })
    const marked = await api.call('GET', `/healthmonitors?limit=1&marker=${id}`, { project })
    assert.deepEqual([marked.status, marked.body.error_msg], [404, `healthmonitor ${id} could not be found.`])
    assert.equal((await api.call('GET', `/healthmonitors/${id}`)).body.healthmonitor.delay, 20)
  })

  test('the port of a monitor may not aim a member where probes are forbidden', async (t) => {
    const api = await startPoolApi(t)
    const { poolId } = await makePool(api.db)
    await addMember(api, poolId)
    const body = { healthmonitor: draft(poolId, { monitor_port: FORBIDDEN_PORT }) }
    const answer = await api.call('POST', '/healthmonitors', { body })
    const sentence = 'Invalid input for monitor_port. Reason: a listener of this service is never probed.'
    assert.deepEqual([answer.status, answer.body.error_msg], [400, sentence])
    const { id } = await created(api, poolId)
    assert.equal((await put(api, id, { monitor_port: FORBIDDEN_PORT })).body.error_msg, sentence)
    assert.equal((await api.call('GET', `/healthmonitors/${id}`)).body.healthmonitor.monitor_port, null)
  })

  test('an unknown pool is 404', async (t) => {
    const api = await startPoolApi(t)
    const id = randomUUID()
    const answer = await api.call('POST', '/healthmonitors', { body: { healthmonitor: draft(id) } })
    assert.deepEqual(
      [answer.status, answer.body.error_code, answer.body.error_msg],
      [404, 'ELB.8904', `pool ${id} could not be found.`],
    )
  })
})
