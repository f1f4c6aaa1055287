import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startApi } from '../support/api.ts'
import { aListener, aLoadBalancer, aPool, assertRefused, contents, created } from '../support/api-objects.ts'

const LISTENERS = '/v2.0/lbaas/listeners'

test('a listener is created, shown, changed and deleted', async (t) => {
  const api = await startApi(t)
  const lb = await aLoadBalancer(api)
  // What Terraform's provider sends: http2_enable always.
  const made = await created(api, 'listeners', {
    loadbalancer_id: lb.id,
    protocol: 'TCP',
    protocol_port: '8080',
    name: 'web',
    http2_enable: false,
    admin_state_up: true,
  })
  const { id, created_at, updated_at, ...rest } = made
  assert.equal(updated_at, created_at)
  assert.deepEqual(rest, {
    tenant_id: 'default-project',
    project_id: 'default-project',
    name: 'web',
    description: '',
    protocol: 'TCP',
    protocol_port: 8080,
    loadbalancers: [{ id: lb.id }],
    default_pool_id: null,
    admin_state_up: true,
    connection_limit: -1,
    http2_enable: false,
    default_tls_container_ref: null,
    client_ca_tls_container_ref: null,
    sni_container_refs: [],
    tls_ciphers_policy: null,
    tags: [],
  })
  assert.deepEqual((await api.request('GET', `${LISTENERS}/${id}`)).body, { listener: made })
  const changed = await api.request('PUT', `${LISTENERS}/${id}`, {
    listener: { name: 'w', description: 'd', connection_limit: 7, http2_enable: true, admin_state_up: false },
  })
  assert.equal(changed.status, 200)
  const { listener } = changed.body
  assert.deepEqual(
    [
      listener.name,
      listener.description,
      listener.connection_limit,
      listener.http2_enable,
      listener.admin_state_up,
    ],
    ['w', 'd', 7, true, false],
  )
  const gone = await api.request('DELETE', `${LISTENERS}/${id}`)
  assert.equal(gone.status, 204)
  assertRefused(await api.request('GET', `${LISTENERS}/${id}`), {
    status: 404,
    code: 'ELB.8904',
    message: `listener ${id} could not be found.`,
  })
})

test('an empty PUT of a listener is 200 and writes nothing', async (t) => {
  const api = await startApi(t)
  const lb = await aLoadBalancer(api)
  const made = await aListener(api, lb.id, { connection_limit: 5 })
  const before = await contents(api)
  for (const listener of [{}, { connection_limit: 5, name: '' }]) {
    const answer = await api.request('PUT', `${LISTENERS}/${made.id}`, { listener })
    assert.deepEqual([answer.status, answer.body], [200, { listener: made }])
  }
  assert.deepEqual(await contents(api), before)
})

test('TLS attributes are kept and given back, and a TERMINATED_HTTPS listener needs its certificate', async (t) => {
  const api = await startApi(t)
  const lb = await aLoadBalancer(api)
  const certificate = 'a'.repeat(32)
  const tls = { loadbalancer_id: lb.id, protocol: 'TERMINATED_HTTPS', protocol_port: 443 }
  assertRefused(await api.request('POST', LISTENERS, { listener: tls }), {
    status: 400,
    code: 'ELB.9805',
    message: 'RequestBody listener[default_tls_container_ref] is null, this is a required parameter.',
  })
  const made = await created(api, 'listeners', {
    ...tls,
    default_tls_container_ref: certificate,
    client_ca_tls_container_ref: 'b'.repeat(32),
    sni_container_refs: ['c'.repeat(32)],
  })
  assert.equal(made.default_tls_container_ref, certificate)
  assert.deepEqual(made.sni_container_refs, ['c'.repeat(32)])
  assert.equal(made.tls_ciphers_policy, 'tls-1-0')
  const before = await contents(api)
  assertRefused(
    await api.request('PUT', `${LISTENERS}/${made.id}`, { listener: { default_tls_container_ref: null } }),
    { status: 400, code: 'ELB.9805' },
  )
  assert.deepEqual(await contents(api), before)
  const changed = await api.request('PUT', `${LISTENERS}/${made.id}`, {
    listener: { tls_ciphers_policy: 'tls-1-2', client_ca_tls_container_ref: null, sni_container_refs: [] },
  })
  assert.equal(changed.body.listener.tls_ciphers_policy, 'tls-1-2')
  assert.equal(changed.body.listener.client_ca_tls_container_ref, null)
  assert.equal(changed.body.listener.default_tls_container_ref, certificate)
})

test('the v3 path shows and changes what Terraform reads there, of the same listener', async (t) => {
  const api = await startApi(t)
  const lb = await aLoadBalancer(api)
  const made = await aListener(api, lb.id, { name: 'n' })
  const path = `/v3/default-project/elb/listeners/${made.id}`
  const shown = await api.request('GET', path)
  assert.equal(shown.status, 200)
  assert.equal(shown.body.listener.id, made.id)
  assert.equal(shown.body.listener.transparent_client_ip_enable, false)
  assert.equal(shown.body.listener.ipgroup, null)
  const group = { ipgroup_id: 'x', enable_ipgroup: true, type: 'white' }
  const changed = await api.request('PUT', path, {
    listener: { transparent_client_ip_enable: true, ipgroup: group },
  })
  assert.equal(changed.status, 200)
  assert.equal(changed.body.listener.transparent_client_ip_enable, true)
  assert.deepEqual(changed.body.listener.ipgroup, group)
  assert.equal((await api.request('GET', `${LISTENERS}/${made.id}`)).body.listener.name, 'n')
  assertRefused(await api.request('PUT', `${LISTENERS}/${made.id}`, { listener: { ipgroup: group } }), {
    status: 400,
    code: 'ELB.9899',
    message: "Unrecognized attribute(s) 'ipgroup'",
  })
  assertRefused(await api.request('GET', `/v3/other/elb/listeners/${made.id}`), {
    status: 404,
    code: 'ELB.8904',
  })
  const foreign = await api.request('GET', path, undefined, { 'x-project-id': 'other' })
  assertRefused(foreign, { status: 400, code: 'ELB.9808' })
})

test('a port is taken once per load balancer and transport', async (t) => {
  const api = await startApi(t)
  const lb = await aLoadBalancer(api)
  await aListener(api, lb.id, { protocol: 'TCP', protocol_port: 53 })
  const before = await contents(api)
  const again = { loadbalancer_id: lb.id, protocol: 'HTTP', protocol_port: 53 }
  assertRefused(await api.request('POST', LISTENERS, { listener: again }), {
    status: 400,
    code: 'ELB.6200',
    message: `Load Balaner ${lb.id} already has a listener with protocol_port of 53.`,
  })
  assert.deepEqual(await contents(api), before)
  await aListener(api, lb.id, { protocol: 'UDP', protocol_port: 53 })
  const other = await aLoadBalancer(api)
  await aListener(api, other.id, { protocol: 'TCP', protocol_port: 53 })
})

test('of twelve listeners created at once on one port, one exists', async (t) => {
  const api = await startApi(t)
  const lb = await aLoadBalancer(api)
  const listener = { loadbalancer_id: lb.id, protocol: 'TCP', protocol_port: 80 }
  const answers = await Promise.all(
    Array.from({ length: 12 }, () => api.request('POST', LISTENERS, { listener })),
  )
  const refused = answers.filter((answer) => answer.status !== 201)
  assert.equal(refused.length, 11)
  for (const answer of refused) assertRefused(answer, { status: 400, code: 'ELB.6200' })
  assert.equal((await api.request('GET', LISTENERS)).body.listeners.length, 1)
})

test('a default pool must be there, fit the protocol and be of the same load balancer', async (t) => {
  const api = await startApi(t)
  const lb = await aLoadBalancer(api)
  const other = await aLoadBalancer(api)
  const udp = await aPool(api, lb.id, { protocol: 'UDP' })
  const http = await aPool(api, lb.id)
  const elsewhere = await aPool(api, other.id)
  const before = await contents(api)
  const post = (default_pool_id: string, protocol = 'HTTP') =>
    api.request('POST', LISTENERS, {
      listener: { loadbalancer_id: lb.id, protocol, protocol_port: 80, default_pool_id },
    })
  assertRefused(await post(udp.id), {
    status: 400,
    code: 'ELB.9899',
    message: 'Listener protocol HTTP and pool protocol UDP are not compatible.',
  })
  assertRefused(await post(http.id, 'TCP'), { status: 400, code: 'ELB.9899' })
  assertRefused(await post(elsewhere.id), {
    status: 400,
    code: 'ELB.9899',
    message: 'Listener and pool must be on the same loadbalancer.',
  })
  const unknown = '00000000-0000-4000-8000-000000000000'
  assertRefused(await post(unknown), {
    status: 404,
    code: 'ELB.8904',
    message: `pool ${unknown} could not be found.`,
  })
  assert.deepEqual(await contents(api), before)
  const made = await post(http.id)
  assert.equal(made.status, 201)
  assert.equal(made.body.listener.default_pool_id, http.id)
  const path = `${LISTENERS}/${made.body.listener.id}`
  assertRefused(await api.request('PUT', path, { listener: { default_pool_id: udp.id } }), {
    status: 400,
    code: 'ELB.9899',
  })
  const detached = await api.request('PUT', path, { listener: { default_pool_id: null } })
  assert.equal(detached.body.listener.default_pool_id, null)
})

test('a listener is in use as long as it has a pool', async (t) => {
  const api = await startApi(t)
  const lb = await aLoadBalancer(api)
  const listener = await aListener(api, lb.id)
  const pool = await created(api, 'pools', {
    listener_id: listener.id,
    protocol: 'HTTP',
    lb_algorithm: 'ROUND_ROBIN',
  })
  const before = await contents(api)
  assertRefused(await api.request('DELETE', `${LISTENERS}/${listener.id}`), {
    status: 409,
    code: 'ELB.8907',
    message: `pool ${pool.id} is using this listener`,
  })
  assert.deepEqual(await contents(api), before)
  assert.equal((await api.request('DELETE', `/v2.0/lbaas/pools/${pool.id}`)).status, 204)
  assert.equal((await api.request('DELETE', `${LISTENERS}/${listener.id}`)).status, 204)
})

test('every rule of a listener has its refusal', async (t) => {
  const api = await startApi(t)
  const lb = await aLoadBalancer(api)
  const listener = await aListener(api, lb.id)
  const before = await contents(api)
  const whole = { loadbalancer_id: lb.id, protocol: 'TCP', protocol_port: 81 }
  for (const field of ['loadbalancer_id', 'protocol', 'protocol_port']) {
    assertRefused(await api.request('POST', LISTENERS, { listener: { ...whole, [field]: undefined } }), {
      status: 400,
      code: 'ELB.9805',
      message: `RequestBody listener[${field}] is null, this is a required parameter.`,
    })
  }
  const refused = async (attributes: object, message: RegExp, code = 'ELB.9899') =>
    assertRefused(await api.request('POST', LISTENERS, { listener: { ...whole, ...attributes } }), {
      status: 400,
      code,
      message,
    })
  await refused({ protocol: 'HTTPS' }, /'HTTPS' is not in \('TCP', 'HTTP', 'UDP', 'TERMINATED_HTTPS'\)/)
  await refused({ protocol_port: 0 }, /too small - must be at least '1'/)
  await refused({ protocol_port: 65_536 }, /too large - must be no larger than '65535'/)
  await refused({ protocol: 'UDP', protocol_port: 4789 }, /'4789' is reserved/)
  await refused({ connection_limit: -2 }, /too small/)
  await refused({ http2_enable: 'x' }, /cannot be converted to boolean/)
  await refused({ tls_ciphers_policy: 'ssl' }, /is not in/)
  await refused({ sni_container_refs: 'x' }, /sni_container_refs/)
  await refused({ sni_container_refs: Array(31).fill('x') }, /at most 30/)
  await refused({ default_tls_container_ref: 'x'.repeat(129) }, /greater than 128/, 'ELB.9805')
  await refused({ name: 'x'.repeat(256) }, /greater than 255/, 'ELB.9805')
  assertRefused(
    await api.request('POST', LISTENERS, {
      listener: { ...whole, loadbalancer_id: '00000000-0000-4000-8000-000000000000' },
    }),
    { status: 404, code: 'ELB.8904' },
  )
  for (const attribute of ['protocol', 'protocol_port', 'loadbalancer_id', 'id', 'tenant_id']) {
    assertRefused(
      await api.request('PUT', `${LISTENERS}/${listener.id}`, { listener: { [attribute]: 'x' } }),
      {
        status: 400,
        code: 'ELB.9899',
        message: `Cannot update read-only attribute ${attribute}`,
      },
    )
  }
  assert.deepEqual(await contents(api), before)
})
