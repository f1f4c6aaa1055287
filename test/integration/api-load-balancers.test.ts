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

const LBS = '/v2.0/lbaas/loadbalancers'

test('a load balancer is created, shown, changed and deleted', async (t) => {
  const api = await startApi(t)
  const made = await created(api, 'loadbalancers', {
    vip_subnet_id: SUBNET,
    name: 'front',
    description: 'the front',
    vip_address: '10.0.0.7',
    tenant_id: 'default-project',
  })
  assert.match(made.created_at as string, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/)
  assert.match(made.vip_port_id as string, /^[0-9a-f-]{36}$/)
  const { id, vip_port_id, created_at, updated_at, ...rest } = made
  assert.equal(updated_at, created_at)
  assert.deepEqual(rest, {
    tenant_id: 'default-project',
    project_id: 'default-project',
    name: 'front',
    description: 'the front',
    vip_subnet_id: SUBNET,
    vip_address: '10.0.0.7',
    provider: 'vlb',
    admin_state_up: true,
    listeners: [],
    pools: [],
    operating_status: 'ONLINE',
    provisioning_status: 'ACTIVE',
    tags: [],
  })
  const shown = await api.request('GET', `${LBS}/${id}`)
  assert.deepEqual(shown.body, { loadbalancer: made })
  const changed = await api.request('PUT', `${LBS}/${id}`, { loadbalancer: { name: 'x', description: '' } })
  assert.equal(changed.status, 200)
  assert.equal(changed.body.loadbalancer.name, 'x')
  assert.equal(changed.body.loadbalancer.description, '')
  assert.equal(changed.body.loadbalancer.vip_port_id, vip_port_id)
  const gone = await api.request('DELETE', `${LBS}/${id}`)
  assert.equal(gone.status, 204)
  assert.equal(gone.body, undefined)
  assertRefused(await api.request('GET', `${LBS}/${id}`), {
    status: 404,
    code: 'ELB.8904',
    message: `loadbalancer ${id} could not be found.`,
  })
  assertRefused(await api.request('DELETE', `${LBS}/${id}`), { status: 404, code: 'ELB.8904' })
})

test("Huawei's path and the mount serve the same object", async (t) => {
  const api = await startApi(t)
  const made = await aLoadBalancer(api)
  for (const path of [
    `/elb/v2.0/lbaas/loadbalancers/${made.id}`,
    `/v2/default-project/elb/loadbalancers/${made.id}`,
    `//v2.0//lbaas/loadbalancers/${made.id}/`,
    `/elb/v2/default-project/elb/loadbalancers/${made.id}`,
  ]) {
    const answer = await api.request('GET', path)
    assert.deepEqual(answer.body, { loadbalancer: made }, path)
  }
})

test('the provider can be one of the other dialect', async (t) => {
  const api = await startApi(t)
  const made = await aLoadBalancer(api, { provider: 'noop_driver' })
  assert.equal(made.provider, 'noop_driver')
})

test('an empty PUT is 200 and writes nothing', async (t) => {
  const api = await startApi(t)
  const made = await aLoadBalancer(api, { name: 'a' })
  const before = await contents(api)
  for (const loadbalancer of [{}, { name: 'a' }]) {
    const answer = await api.request('PUT', `${LBS}/${made.id}`, { loadbalancer })
    assert.equal(answer.status, 200)
    assert.deepEqual(answer.body, { loadbalancer: made })
  }
  assert.deepEqual(await contents(api), before)
})

test('a load balancer shows its children, and is not deleted before them', async (t) => {
  const api = await startApi(t)
  const lb = await aLoadBalancer(api)
  const listener = await aListener(api, lb.id)
  const pool = await aPool(api, lb.id)
  const shown = await api.request('GET', `${LBS}/${lb.id}`)
  assert.deepEqual(shown.body.loadbalancer.listeners, [{ id: listener.id }])
  assert.deepEqual(shown.body.loadbalancer.pools, [{ id: pool.id }])
  const before = await contents(api)
  assertRefused(await api.request('DELETE', `${LBS}/${lb.id}`), {
    status: 409,
    code: 'ELB.8907',
    message: `listener ${listener.id} is using this loadbalancer`,
  })
  assert.deepEqual(await contents(api), before)
  assert.equal((await api.request('DELETE', `/v2.0/lbaas/listeners/${listener.id}`)).status, 204)
  assertRefused(await api.request('DELETE', `${LBS}/${lb.id}`), {
    status: 409,
    code: 'ELB.8907',
    message: `pool ${pool.id} is using this loadbalancer`,
  })
  assert.equal((await api.request('DELETE', `/v2.0/lbaas/pools/${pool.id}`)).status, 204)
  assert.equal((await api.request('DELETE', `${LBS}/${lb.id}`)).status, 204)
})

test('switching a load balancer off reaches the probers; switching it on again voids old verdicts', async (t) => {
  const api = await startApi(t)
  const lb = await aLoadBalancer(api)
  const pool = await aPool(api, lb.id)
  await aMonitor(api, pool.id)
  const read = async () => {
    const rows = await query<{ version: number; generation: number }>(
      api.db,
      'select p.config_version as version, lb.generation from pool p join load_balancer lb on lb.id = p.load_balancer_id',
    )
    return rows[0] as { version: number; generation: number }
  }
  const first = await read()
  const put = (loadbalancer: Json) => api.request('PUT', `${LBS}/${lb.id}`, { loadbalancer })
  const off = await put({ admin_state_up: false })
  assert.equal(off.body.loadbalancer.operating_status, 'OFFLINE')
  const second = await read()
  assert.ok(second.version > first.version)
  assert.equal(second.generation, first.generation)
  const on = await put({ admin_state_up: 'True' })
  assert.equal(on.body.loadbalancer.operating_status, 'ONLINE')
  const third = await read()
  assert.ok(third.version > second.version)
  assert.ok(third.generation > second.generation)
  await put({ name: 'renamed', admin_state_up: true })
  assert.deepEqual(await read(), third)
})

test('every rule of a load balancer has its refusal', async (t) => {
  const api = await startApi(t)
  const lb = await aLoadBalancer(api)
  const before = await contents(api)
  const post = (loadbalancer: object) =>
    api.request('POST', LBS, { loadbalancer: { vip_subnet_id: SUBNET, ...loadbalancer } })
  const put = (loadbalancer: object) => api.request('PUT', `${LBS}/${lb.id}`, { loadbalancer })
  assertRefused(await api.request('POST', LBS, { loadbalancer: {} }), {
    status: 400,
    code: 'ELB.9805',
    message: 'RequestBody loadbalancer[vip_subnet_id] is null, this is a required parameter.',
  })
  assertRefused(await api.request('POST', LBS, {}), {
    status: 400,
    code: 'ELB.0002',
    message: 'RequestBody is null or empty,request is invalid.',
  })
  assertRefused(await post({ vip_subnet_id: 'x' }), {
    status: 400,
    code: 'ELB.9899',
    message: /not a valid UUID/,
  })
  assertRefused(await post({ vip_address: '10.0.0' }), {
    status: 400,
    code: 'ELB.9899',
    message: /IP address/,
  })
  assertRefused(await post({ provider: 'f5' }), { status: 400, code: 'ELB.9899', message: /'f5' is not in/ })
  assertRefused(await post({ name: 'n'.repeat(256) }), {
    status: 400,
    code: 'ELB.9805',
    message: "RequestBody loadbalancer[name]'s length is 256, greater than 255.",
  })
  assertRefused(await post({ description: 'n'.repeat(256) }), { status: 400, code: 'ELB.9805' })
  assertRefused(await post({ admin_state_up: 'maybe' }), { status: 400, code: 'ELB.9899' })
  assertRefused(await post({ foo: 1 }), {
    status: 400,
    code: 'ELB.9899',
    message: "Unrecognized attribute(s) 'foo'",
  })
  assertRefused(await post({ tenant_id: 'other' }), { status: 400, code: 'ELB.9808' })
  assertRefused(await post({ tenant_id: 'a', project_id: 'b' }), {
    status: 400,
    code: 'ELB.9808',
    message: "'project_id' and 'tenant_id' do not match",
  })
  for (const attribute of ['id', 'tenant_id', 'vip_subnet_id', 'vip_address', 'vip_port_id', 'provider']) {
    assertRefused(await put({ [attribute]: 'x' }), {
      status: 400,
      code: 'ELB.9899',
      message: `Cannot update read-only attribute ${attribute}`,
    })
  }
  assert.deepEqual(await contents(api), before)
})

test("another project's load balancer is unknown", async (t) => {
  const api = await startApi(t)
  const lb = await aLoadBalancer(api)
  const other = { 'x-project-id': 'other' }
  const before = await contents(api)
  for (const [method, body] of [['GET'], ['PUT', { loadbalancer: { name: 'mine' } }], ['DELETE']] as const) {
    assertRefused(await api.request(method, `${LBS}/${lb.id}`, body, other), {
      status: 404,
      code: 'ELB.8904',
    })
  }
  assert.deepEqual((await api.request('GET', LBS, undefined, other)).body, { loadbalancers: [] })
  assert.deepEqual(await contents(api), before)
})
