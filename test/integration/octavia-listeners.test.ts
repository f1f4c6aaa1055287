import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import { DEFAULT_PROJECT } from '../support/api.ts'
import { aPool } from '../support/api-objects.ts'
import { assertFault, startOctaviaApi, UNKNOWN_ID } from '../support/octavia-api.ts'

test('a listener lives as Octavia shows it: every key, every default', async (t) => {
  const api = await startOctaviaApi(t)
  const lb = await api.loadBalancer()
  const created = await api.create('listeners', {
    name: 'ls1',
    loadbalancer_id: lb.id,
    protocol: 'HTTP',
    protocol_port: '80',
  })
  const { id, created_at, updated_at } = created
  assert.match(updated_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/)
  assert.deepEqual(created, {
    id,
    name: 'ls1',
    description: '',
    provisioning_status: 'ACTIVE',
    operating_status: 'ONLINE',
    admin_state_up: true,
    protocol: 'HTTP',
    protocol_port: 80,
    connection_limit: -1,
    default_tls_container_ref: null,
    sni_container_refs: [],
    project_id: DEFAULT_PROJECT,
    default_pool_id: null,
    l7policies: [],
    insert_headers: {},
    created_at,
    updated_at,
    loadbalancers: [{ id: lb.id }],
    timeout_client_data: 50000,
    timeout_member_connect: 5000,
    timeout_member_data: 50000,
    timeout_tcp_inspect: 0,
    tags: [],
    client_ca_tls_container_ref: null,
    client_authentication: 'NONE',
    client_crl_container_ref: null,
    allowed_cidrs: null,
    tls_ciphers: null,
    tls_versions: null,
    alpn_protocols: null,
    hsts_max_age: null,
    hsts_include_subdomains: false,
    hsts_preload: false,
    tenant_id: DEFAULT_PROJECT,
  })
  const read = (await api.send('GET', `/listeners/${id}`)).body.listener
  assert.deepEqual(read, created)
  assert.deepEqual((await api.send('GET', '/listeners')).body, { listeners: [read], listeners_links: [] })
  assert.equal((await api.send('DELETE', `/listeners/${id}`)).status, 204)
  assertFault(await api.send('GET', `/listeners/${id}`), 404, `Listener ${id} not found.`)
})

test('what is sent of a listener is kept, and null resets it', async (t) => {
  const api = await startOctaviaApi(t)
  const lb = await api.loadBalancer()
  const sent = {
    name: 'n',
    description: 'd',
    connection_limit: 10,
    insert_headers: { 'X-Forwarded-For': 'true' },
    timeout_client_data: 1,
    timeout_member_connect: 2,
    timeout_member_data: 3,
    timeout_tcp_inspect: 2073600000,
    allowed_cidrs: ['10.0.0.0/8', '192.0.2.1/32'],
    tls_versions: ['TLSv1.2'],
    alpn_protocols: ['h2', 'http/1.1'],
    tags: ['a'],
  }
  const created = await api.create('listeners', {
    ...sent,
    loadbalancer_id: lb.id,
    protocol: 'HTTP',
    protocol_port: 80,
  })
  for (const [name, value] of Object.entries(sent)) assert.deepEqual(created[name], value, name)
  const cleared = Object.fromEntries(Object.keys(sent).map((name) => [name, null]))
  const reset = (await api.send('PUT', `/listeners/${created.id}`, { listener: { ...cleared, tags: [] } }))
    .body.listener
  assert.deepEqual(
    [reset.name, reset.description, reset.connection_limit, reset.insert_headers, reset.tags],
    ['', '', -1, {}, []],
  )
  assert.deepEqual(
    [reset.timeout_client_data, reset.timeout_member_connect, reset.timeout_tcp_inspect],
    [50000, 5000, 0],
  )
  assert.deepEqual([reset.allowed_cidrs, reset.tls_versions, reset.alpn_protocols], [null, null, null])
})

test('one port per load balancer and transport: HTTP and TCP share one, UDP and SCTP have their own', async (t) => {
  const api = await startOctaviaApi(t)
  const lb = await api.loadBalancer()
  const listener = (protocol: string) =>
    api.send('POST', '/listeners', { listener: { loadbalancer_id: lb.id, protocol, protocol_port: 53 } })
  assert.equal((await listener('HTTP')).status, 201)
  assert.equal((await listener('UDP')).status, 201)
  assert.equal((await listener('SCTP')).status, 201)
  for (const protocol of ['HTTP', 'TCP', 'HTTPS', 'PROMETHEUS', 'UDP', 'SCTP']) {
    assertFault(
      await listener(protocol),
      409,
      `Another Listener on this Load Balancer is already using protocol ${protocol} and protocol_port 53`,
    )
  }
})

test('a listener takes a pool of its own load balancer that fits, and is deleted while it has it', async (t) => {
  const api = await startOctaviaApi(t, { defaultDialect: 'elb' })
  const lb = await api.loadBalancer()
  const other = await api.loadBalancer()
  const pool = await aPool(api, lb.id, { protocol: 'HTTP' })
  const create = (attributes: object) =>
    api.send('POST', '/listeners', {
      listener: { loadbalancer_id: lb.id, protocol: 'HTTP', protocol_port: 80, ...attributes },
    })
  assertFault(await create({ default_pool_id: UNKNOWN_ID }), 404, `Pool ${UNKNOWN_ID} not found.`)
  assertFault(
    await create({ default_pool_id: pool.id, loadbalancer_id: other.id }),
    404,
    `Pool ${pool.id} not found.`,
  )
  assertFault(
    await create({ default_pool_id: pool.id, protocol: 'UDP' }),
    400,
    "Validation failure: The pool protocol 'HTTP' is invalid while the listener protocol is 'UDP'.",
  )
  const { id, default_pool_id } = (await create({ default_pool_id: pool.id })).body.listener
  assert.equal(default_pool_id, pool.id)
  const without = await api.send('PUT', `/listeners/${id}`, { listener: { default_pool_id: null } })
  assert.equal(without.body.listener.default_pool_id, null)
  const again = await api.send('PUT', `/listeners/${id}`, { listener: { default_pool_id: pool.id } })
  assert.equal(again.body.listener.default_pool_id, pool.id)
  assert.equal((await api.send('DELETE', `/listeners/${id}`)).status, 204)
})

test('a listener under a load balancer that is not ACTIVE cannot be written', async (t) => {
  const api = await startOctaviaApi(t)
  const lb = await api.loadBalancer()
  const { id } = await api.create('listeners', { loadbalancer_id: lb.id, protocol: 'TCP', protocol_port: 1 })
  await api.force('load_balancer', lb.id, 'PENDING_UPDATE')
  const immutable = `Load Balancer ${lb.id} is immutable and cannot be updated.`
  assertFault(await api.send('PUT', `/listeners/${id}`, { listener: { name: 'x' } }), 409, immutable)
  assertFault(await api.send('DELETE', `/listeners/${id}`), 409, immutable)
  await api.force('load_balancer', lb.id, 'ACTIVE')
  // The object's own status is not tested.
  await api.force('listener', id, 'ERROR')
  assert.equal((await api.send('PUT', `/listeners/${id}`, { listener: { name: 'x' } })).status, 200)
})

describe('what a create of a listener is refused for', () => {
  const certificate = 'http://barbican/v1/containers/1'
  const refused: readonly (readonly [string, object, string | RegExp, number?])[] = [
    [
      'no load balancer',
      { loadbalancer_id: undefined },
      "Invalid input for field/attribute loadbalancer_id. Value: 'None'. Mandatory field missing.",
    ],
    [
      'an unknown load balancer',
      { loadbalancer_id: UNKNOWN_ID },
      `Load Balancer ${UNKNOWN_ID} not found.`,
      404,
    ],
    ['a null load balancer', { loadbalancer_id: null }, 'Load Balancer None not found.', 404],
    [
      'a bad protocol',
      { protocol: 'http' },
      /^Invalid input for field\/attribute protocol. Value: 'http'. Value should be one of: /,
    ],
    [
      'port 0',
      { protocol_port: 0 },
      "Invalid input for field/attribute protocol_port. Value: '0'. Value should be greater or equal to 1",
    ],
    ['port 65536', { protocol_port: 65536 }, /Value should be lower or equal to 65535$/],
    [
      'a limit below -1',
      { connection_limit: -2 },
      /connection_limit. Value: '-2'. Value should be greater or equal to -1$/,
    ],
    [
      'a timeout too long',
      { timeout_client_data: 2073600001 },
      /Value should be lower or equal to 2073600000$/,
    ],
    [
      'a network that is none',
      { allowed_cidrs: ['10.0.0.0'] },
      /allowed_cidrs. Value: '10.0.0.0'. Value should be IPv4 or IPv6 CIDR format$/,
    ],
    ['networks that are no list', { allowed_cidrs: 'a' }, /Value not a valid list: a$/],
    [
      'an unknown header',
      { insert_headers: { 'X-Foo': 'true' } },
      "['X-Foo'] is not a valid option for insert_headers",
    ],
    [
      'headers on TCP',
      { protocol: 'TCP', insert_headers: { 'X-Forwarded-For': 'true' } },
      'insert-headers is not a valid option for a TCP protocol listener.',
    ],
    [
      'no certificate where TLS ends',
      { protocol: 'TERMINATED_HTTPS' },
      /^Validation failure: An SNI or default certificate container reference must be provided/,
    ],
    [
      'a certificate where TLS does not end',
      { default_tls_container_ref: certificate },
      'Validation failure: Certificate container references are not allowed on HTTP protocol listeners.',
    ],
    [
      'client authentication without an authority',
      {
        protocol: 'TERMINATED_HTTPS',
        default_tls_container_ref: certificate,
        client_authentication: 'MANDATORY',
      },
      /^Validation failure: Client authentication setting MANDATORY requires a client CA/,
    ],
    [
      'TLS on UDP',
      { protocol: 'UDP', sni_container_refs: [certificate] },
      'Validation failure: UDP protocol listener does not support TLS.',
    ],
    [
      'an authority without a certificate',
      { protocol: 'TERMINATED_HTTPS', client_ca_tls_container_ref: certificate },
      'Validation failure: An SNI or default certificate container reference must be provided with a client CA container reference.',
    ],
    [
      'a revocation list without an authority',
      {
        protocol: 'TERMINATED_HTTPS',
        default_tls_container_ref: certificate,
        client_crl_container_ref: certificate,
      },
      'Validation failure: A client authentication CA reference is required to specify a client authentication revocation list.',
    ],
    [
      'HSTS where TLS does not end',
      { hsts_max_age: 1 },
      'Validation failure: The HSTS feature can only be used for listeners using the TERMINATED_HTTPS protocol.',
    ],
    [
      'HSTS for ever of no age',
      { protocol: 'TERMINATED_HTTPS', default_tls_container_ref: certificate, hsts_preload: true },
      'Validation failure: HSTS configuration options hsts_include_subdomains and hsts_preload only make sense if hsts_max_age is set as well.',
    ],
    [
      'an unknown TLS version',
      { protocol: 'TERMINATED_HTTPS', default_tls_container_ref: certificate, tls_versions: ['x'] },
      'Validation failure: Invalid TLS versions: x',
    ],
    [
      'a header of TLS on plain HTTP',
      { insert_headers: { 'X-SSL-Client-DN': 'true' } },
      "['X-SSL-Client-DN'] is not a valid option for HTTP protocol listener.",
    ],
    ['an unknown attribute', { bogus: 1 }, 'Unknown attribute for argument listener_.listener: bogus'],
  ]
  for (const [what, attributes, faultstring, status = 400] of refused) {
    it(what, async (t) => {
      const api = await startOctaviaApi(t)
      const lb = await api.loadBalancer()
      const listener = { loadbalancer_id: lb.id, protocol: 'HTTP', protocol_port: 80, ...attributes }
      assertFault(await api.send('POST', '/listeners', { listener }), status, faultstring)
      assert.deepEqual((await api.send('GET', '/listeners')).body.listeners, [])
    })
  }
})

test('a TERMINATED_HTTPS listener keeps its references and HSTS', async (t) => {
  const api = await startOctaviaApi(t)
  const lb = await api.loadBalancer()
  const tls = {
    default_tls_container_ref: 'http://barbican/v1/containers/1',
    sni_container_refs: ['http://barbican/v1/containers/2'],
    client_ca_tls_container_ref: 'http://barbican/v1/containers/3',
    client_authentication: 'OPTIONAL',
    hsts_max_age: 31536000,
    hsts_preload: true,
  }
  const created = await api.create('listeners', {
    loadbalancer_id: lb.id,
    protocol: 'TERMINATED_HTTPS',
    protocol_port: 443,
    ...tls,
  })
  for (const [name, value] of Object.entries(tls)) assert.deepEqual(created[name], value, name)
})

test('the quota of listeners is refused in words of Octavia', async (t) => {
  const api = await startOctaviaApi(t)
  await api.send('PUT', `/quotas/${DEFAULT_PROJECT}`, { quota: { listener: 0 } })
  const lb = await api.loadBalancer()
  assertFault(
    await api.send('POST', '/listeners', {
      listener: { loadbalancer_id: lb.id, protocol: 'TCP', protocol_port: 1 },
    }),
    403,
    'Quota has been met for resources: Listener',
  )
})

test('lists of listeners filter by load balancer, port and operating status', async (t) => {
  const api = await startOctaviaApi(t)
  const lb = await api.loadBalancer()
  const one = await api.create('listeners', { loadbalancer_id: lb.id, protocol: 'TCP', protocol_port: 1 })
  const two = await api.create('listeners', {
    loadbalancer_id: lb.id,
    protocol: 'TCP',
    protocol_port: 2,
    admin_state_up: false,
  })
  const ids = async (filter: string): Promise<string[]> =>
    (await api.send('GET', `/listeners?${filter}`)).body.listeners.map((l: { id: string }) => l.id)
  assert.deepEqual(await ids(`loadbalancer_id=${lb.id}&sort=protocol_port`), [one.id, two.id])
  assert.deepEqual(await ids('protocol_port=2'), [two.id])
  assert.deepEqual(await ids('operating_status=ONLINE'), [one.id])
  assert.deepEqual(await ids('operating_status=OFFLINE&admin_state_up=false'), [two.id])
})

test('an empty list of L7 policies is taken, as in Octavia; there are none to put in', async (t) => {
  const api = await startOctaviaApi(t)
  const lb = await api.loadBalancer({ listeners: [{ protocol: 'TCP', protocol_port: 81, l7policies: [] }] })
  const front = { loadbalancer_id: lb.id, protocol: 'HTTP', protocol_port: 80 }
  const created = await api.create('listeners', { ...front, l7policies: [] })
  assert.deepEqual(created.l7policies, [])
  assertFault(
    await api.send('POST', '/listeners', {
      listener: { ...front, protocol_port: 82, l7policies: [{ action: 'REJECT' }] },
    }),
    400,
    /l7policies.*there are no L7 policies/,
  )
})
