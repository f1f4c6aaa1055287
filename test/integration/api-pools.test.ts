import assert from 'node:assert/strict'
import { test } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { type Json, startApi } from '../support/api.ts'
import {
  aListener,
  aLoadBalancer,
  aMonitor,
  aPool,
  assertRefused,
  contents,
  created,
  SUBNET,
} from '../support/api-objects.ts'

const POOLS = '/v2.0/lbaas/pools'
const UNKNOWN = '00000000-0000-4000-8000-000000000000'

test('a pool is created, shown, changed and deleted', async (t) => {
  const api = await startApi(t)
  const lb = await aLoadBalancer(api)
  const made = await aPool(api, lb.id, { name: 'p', description: 'd' })
  const { id, ...rest } = made
  assert.deepEqual(rest, {
    tenant_id: 'default-project',
    project_id: 'default-project',
    name: 'p',
    description: 'd',
    protocol: 'HTTP',
    lb_algorithm: 'ROUND_ROBIN',
    members: [],
    healthmonitor_id: null,
    admin_state_up: true,
    listeners: [],
    loadbalancers: [{ id: lb.id }],
    session_persistence: null,
  })
  assert.deepEqual((await api.request('GET', `${POOLS}/${id}`)).body, { pool: made })
  const changed = await api.request('PUT', `${POOLS}/${id}`, {
    pool: { name: 'q', lb_algorithm: 'SOURCE_IP', session_persistence: { type: 'HTTP_COOKIE' } },
  })
  assert.equal(changed.status, 200)
  assert.deepEqual(changed.body.pool, {
    ...made,
    name: 'q',
    lb_algorithm: 'SOURCE_IP',
    session_persistence: { type: 'HTTP_COOKIE', cookie_name: null, persistence_timeout: 1440 },
  })
  const cleared = await api.request('PUT', `${POOLS}/${id}`, { pool: { session_persistence: null } })
  assert.equal(cleared.body.pool.session_persistence, null)
  assert.equal((await api.request('DELETE', `${POOLS}/${id}`)).status, 204)
  assertRefused(await api.request('GET', `${POOLS}/${id}`), { status: 404, code: 'ELB.8904' })
})

test('a pool made for a listener belongs to its load balancer and names both', async (t) => {
  const api = await startApi(t)
  const lb = await aLoadBalancer(api)
  const listener = await aListener(api, lb.id)
  const made = await created(api, 'pools', {
    listener_id: listener.id,
    loadbalancer_id: lb.id,
    protocol: 'HTTP',
    lb_algorithm: 'ROUND_ROBIN',
  })
  assert.deepEqual(made.loadbalancers, [{ id: lb.id }])
  assert.deepEqual(made.listeners, [{ id: listener.id }])
  const shown = await api.request('GET', `/v2.0/lbaas/listeners/${listener.id}`)
  assert.equal(shown.body.listener.default_pool_id, made.id)
  assert.equal((await api.request('DELETE', `${POOLS}/${made.id}`)).status, 204)
  const after = await api.request('GET', `/v2.0/lbaas/listeners/${listener.id}`)
  assert.equal(after.body.listener.default_pool_id, null)
})

test('a pool shows its members and its monitor, and is not deleted before them', async (t) => {
  const api = await startApi(t)
  const lb = await aLoadBalancer(api)
  const pool = await aPool(api, lb.id)
  const monitor = await aMonitor(api, pool.id)
  const member = await created(api, `pools/${pool.id}/members`, {
    address: '127.0.0.1',
    protocol_port: 8080,
    subnet_id: SUBNET,
  })
  const shown = (await api.request('GET', `${POOLS}/${pool.id}`)).body.pool
  assert.deepEqual(shown.members, [{ id: member.id }])
  assert.equal(shown.healthmonitor_id, monitor.id)
  const before = await contents(api)
  assertRefused(await api.request('DELETE', `${POOLS}/${pool.id}`), {
    status: 409,
    code: 'ELB.8907',
    message: `healthmonitor ${monitor.id} is using this pool`,
  })
  assert.deepEqual(await contents(api), before)
  assert.equal((await api.request('DELETE', `/v2.0/lbaas/healthmonitors/${monitor.id}`)).status, 204)
  assertRefused(await api.request('DELETE', `${POOLS}/${pool.id}`), {
    status: 409,
    code: 'ELB.8907',
    message: `member ${member.id} is using this pool`,
  })
  assert.equal((await api.request('DELETE', `${POOLS}/${pool.id}/members/${member.id}`)).status, 204)
  assert.equal((await api.request('DELETE', `${POOLS}/${pool.id}`)).status, 204)
})

test('of twelve pools created at once for one listener, one exists', async (t) => {
  const api = await startApi(t)
  const lb = await aLoadBalancer(api)
  const listener = await aListener(api, lb.id)
  const pool = { listener_id: listener.id, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' }
  const answers = await Promise.all(Array.from({ length: 12 }, () => api.request('POST', POOLS, { pool })))
  const made = answers.filter((answer) => answer.status === 201)
  assert.equal(made.length, 1)
  for (const answer of answers.filter((one) => one.status !== 201)) {
    assertRefused(answer, {
      status: 409,
      code: 'ELB.8907',
      message: `Listener ${listener.id} is already using default pool ${made[0]?.body.pool.id}`,
    })
  }
  assert.equal((await api.request('GET', POOLS)).body.pools.length, 1)
})

test('a pool that is deleted while a member is created is either kept with the member or gone without it', async (t) => {
  const api = await startApi(t)
  const lb = await aLoadBalancer(api)
  for (let round = 0; round < 15; round++) {
    const pool = await aPool(api, lb.id)
    const member = { address: '127.0.0.1', protocol_port: 8080, subnet_id: SUBNET }
    const [added, removed] = await Promise.all([
      api.request('POST', `${POOLS}/${pool.id}/members`, { member }),
      api.request('DELETE', `${POOLS}/${pool.id}`),
    ])
    assert.ok(
      (added.status === 201 && removed.status === 409) || (added.status === 404 && removed.status === 204),
      `member ${added.status}, pool ${removed.status}`,
    )
  }
})

test('writes of many clients below one load balancer all end, and none fails', async (t) => {
  const api = await startApi(t)
  const lb = await aLoadBalancer(api)
  const pools = await Promise.all(Array.from({ length: 10 }, () => aPool(api, lb.id)))
  await Promise.all(
    pools.flatMap((pool, i) => [
      aMonitor(api, pool.id),
      aListener(api, lb.id, { protocol_port: 1000 + i, default_pool_id: pool.id }),
      api
        .request('PUT', `${POOLS}/${pool.id}`, { pool: { admin_state_up: false } })
        .then((answer) => assert.equal(answer.status, 200)),
    ]),
  )
  assert.deepEqual(api.errors, [])
})

test('switching a pool off reaches the probers; switching it on again voids old verdicts', async (t) => {
  const api = await startApi(t)
  const lb = await aLoadBalancer(api)
  const pool = await aPool(api, lb.id)
  const read = async () => {
    const rows = await query<{ version: number; generation: number }>(
      api.db,
      'select config_version as version, generation from pool',
    )
    return rows[0] as { version: number; generation: number }
  }
  const put = (change: Json) => api.request('PUT', `${POOLS}/${pool.id}`, { pool: change })
  const first = await read()
  await put({ name: 'renamed', lb_algorithm: 'SOURCE_IP' })
  assert.deepEqual(await read(), first)
  await put({ admin_state_up: false })
  const second = await read()
  assert.ok(second.version > first.version)
  assert.equal(second.generation, first.generation)
  await put({ admin_state_up: true })
  assert.ok((await read()).generation > second.generation)
})

test('session persistence keeps to its rules', async (t) => {
  const api = await startApi(t)
  const lb = await aLoadBalancer(api)
  const kept = async (protocol: string, session_persistence: object) =>
    (await aPool(api, lb.id, { protocol, session_persistence })).session_persistence
  assert.deepEqual(await kept('HTTP', { type: 'APP_COOKIE', cookie_name: 'sid' }), {
    type: 'APP_COOKIE',
    cookie_name: 'sid',
    persistence_timeout: 1440,
  })
  assert.deepEqual(await kept('TCP', { type: 'SOURCE_IP', persistence_timeout: 60 }), {
    type: 'SOURCE_IP',
    cookie_name: null,
    persistence_timeout: 60,
  })
  assert.deepEqual(await kept('UDP', { type: 'SOURCE_IP', cookie_name: '' }), {
    type: 'SOURCE_IP',
    cookie_name: null,
    persistence_timeout: null,
  })
  const before = await contents(api)
  const refused = async (
    protocol: string,
    session_persistence: unknown,
    message: RegExp,
    code = 'ELB.9899',
  ) =>
    assertRefused(
      await api.request('POST', POOLS, {
        pool: { loadbalancer_id: lb.id, protocol, lb_algorithm: 'ROUND_ROBIN', session_persistence },
      }),
      { status: 400, code, message },
    )
  await refused('HTTP', { type: 'APP_COOKIE' }, /'cookie_name' should be specified/)
  await refused('HTTP', { type: 'HTTP_COOKIE', cookie_name: 'x' }, /'cookie_name' is not allowed/)
  await refused('HTTP', { type: 'COOKIE' }, /'COOKIE' is not in/)
  await refused('HTTP', {}, /session_persistence.type/, 'ELB.9805')
  await refused('HTTP', { type: 'SOURCE_IP', persistence_timeout: 1441 }, /no larger than '1440'/)
  await refused('TCP', { type: 'SOURCE_IP', persistence_timeout: 61 }, /no larger than '60'/)
  await refused('TCP', { type: 'SOURCE_IP', persistence_timeout: 0 }, /too small/)
  await refused('TCP', { type: 'SOURCE_IP', foo: 0 }, /Unrecognized/)
  await refused('TCP', 'SOURCE_IP', /session_persistence/)
  await refused('TCP', [], /session_persistence/)
  assert.deepEqual(await contents(api), before)
})

test('every rule of a pool has its refusal', async (t) => {
  const api = await startApi(t)
  const lb = await aLoadBalancer(api)
  const other = await aLoadBalancer(api)
  const udp = await aListener(api, lb.id, { protocol: 'UDP' })
  const pool = await aPool(api, lb.id)
  const before = await contents(api)
  const whole = { loadbalancer_id: lb.id, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' }
  const post = (attributes: object) => api.request('POST', POOLS, { pool: { ...whole, ...attributes } })
  assertRefused(await post({ loadbalancer_id: undefined }), {
    status: 400,
    code: 'ELB.9805',
    message:
      'RequestBody pool[loadbalancer_id] and pool[listener_id] both are null, this has at least one parameter.',
  })
  for (const field of ['protocol', 'lb_algorithm']) {
    assertRefused(await post({ [field]: undefined }), {
      status: 400,
      code: 'ELB.9805',
      message: `RequestBody pool[${field}] is null, this is a required parameter.`,
    })
  }
  assertRefused(await post({ protocol: 'HTTPS' }), {
    status: 400,
    code: 'ELB.9899',
    message: "Invalid input for protocol. Reason: 'HTTPS' is not in ('TCP', 'UDP', 'HTTP').",
  })
  assertRefused(await post({ lb_algorithm: 'SOURCE_IP_PORT' }), { status: 400, code: 'ELB.9899' })
  assertRefused(await post({ listener_id: udp.id }), {
    status: 400,
    code: 'ELB.9899',
    message: 'Listener protocol UDP and pool protocol HTTP are not compatible.',
  })
  assertRefused(await post({ loadbalancer_id: other.id, listener_id: udp.id, protocol: 'UDP' }), {
    status: 400,
    code: 'ELB.9899',
    message: `Listener ${udp.id} is not of load balancer ${other.id}.`,
  })
  assertRefused(await post({ loadbalancer_id: UNKNOWN }), {
    status: 404,
    code: 'ELB.8904',
    message: `loadbalancer ${UNKNOWN} could not be found.`,
  })
  assertRefused(await post({ listener_id: UNKNOWN }), { status: 404, code: 'ELB.8904' })
  assertRefused(await api.request('POST', POOLS), {
    status: 400,
    code: 'ELB.0002',
    message: 'Pool is null, request is invalid.',
  })
  for (const attribute of ['protocol', 'loadbalancer_id', 'listener_id', 'id', 'tenant_id']) {
    assertRefused(await api.request('PUT', `${POOLS}/${pool.id}`, { pool: { [attribute]: 'TCP' } }), {
      status: 400,
      code: 'ELB.9899',
      message: `Cannot update read-only attribute ${attribute}`,
    })
  }
  assert.deepEqual(await contents(api), before)
})
