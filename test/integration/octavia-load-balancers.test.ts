import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, it, test } from 'node:test'
import { DEFAULT_PROJECT } from '../support/api.ts'
import { SUBNET } from '../support/api-objects.ts'
import { assertFault, startOctaviaApi, UNKNOWN_ID } from '../support/octavia-api.ts'

const KEYS = [
  'id',
  'name',
  'description',
  'provisioning_status',
  'operating_status',
  'admin_state_up',
  'project_id',
  'created_at',
  'updated_at',
  'vip_address',
  'vip_port_id',
  'vip_subnet_id',
  'vip_network_id',
  'vip_sg_ids',
  'additional_vips',
  'listeners',
  'pools',
  'provider',
  'flavor_id',
  'vip_qos_policy_id',
  'tags',
  'availability_zone',
  'vip_vnic_type',
  'tenant_id',
]

test('a load balancer lives as Octavia shows it: ACTIVE and ONLINE at once, every key there', async (t) => {
  const api = await startOctaviaApi(t)
  const created = await api.loadBalancer({
    name: 'lb1',
    description: 'd',
    vip_address: '203.0.113.5',
    tags: ['t1'],
  })
  assert.deepEqual(Object.keys(created), KEYS)
  assert.match(created.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/)
  const { id, created_at, updated_at, vip_port_id } = created
  assert.match(updated_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/)
  assert.deepEqual(created, {
    id,
    name: 'lb1',
    description: 'd',
    provisioning_status: 'ACTIVE',
    operating_status: 'ONLINE',
    admin_state_up: true,
    project_id: DEFAULT_PROJECT,
    created_at,
    updated_at,
    vip_address: '203.0.113.5',
    vip_port_id,
    vip_subnet_id: SUBNET,
    vip_network_id: null,
    vip_sg_ids: [],
    additional_vips: [],
    listeners: [],
    pools: [],
    provider: 'octavia',
    flavor_id: null,
    vip_qos_policy_id: null,
    tags: ['t1'],
    availability_zone: null,
    vip_vnic_type: 'normal',
    tenant_id: DEFAULT_PROJECT,
  })
  const read = (await api.send('GET', `/loadbalancers/${id}`)).body.loadbalancer
  assert.deepEqual(read, created)

  const changed = await api.send('PUT', `/loadbalancers/${id}`, {
    loadbalancer: { name: null, description: null, admin_state_up: null, tags: [], vip_sg_ids: [UNKNOWN_ID] },
  })
  assert.equal(changed.status, 200)
  assert.notEqual(changed.body.loadbalancer.updated_at, null)
  const { name, description, admin_state_up, tags, vip_sg_ids, operating_status } = changed.body.loadbalancer
  assert.deepEqual(
    [name, description, admin_state_up, tags, vip_sg_ids, operating_status],
    ['', '', false, [], [UNKNOWN_ID], 'OFFLINE'],
  )
  const deleted = await api.send('DELETE', `/loadbalancers/${id}`)
  assert.deepEqual([deleted.status, deleted.body], [204, undefined])
  assertFault(await api.send('GET', `/loadbalancers/${id}`), 404, `Load Balancer ${id} not found.`)
  assertFault(await api.send('DELETE', `/loadbalancers/${id}`), 404, `Load Balancer ${id} not found.`)
})

describe('what a create of a load balancer is refused for', () => {
  const refused: readonly (readonly [string, object, string | RegExp, number?])[] = [
    [
      'no VIP',
      {},
      'Validation failure: VIP must contain one of: vip_port_id, vip_network_id, vip_subnet_id.',
    ],
    ['an unknown provider', { vip_subnet_id: SUBNET, provider: 'x' }, `Provider 'x' is not enabled.`],
    ["elb's provider", { vip_subnet_id: SUBNET, provider: 'vlb' }, `Provider 'vlb' is not enabled.`],
    ['a flavor', { vip_subnet_id: SUBNET, flavor_id: UNKNOWN_ID }, 'Validation failure: Invalid flavor_id.'],
    [
      'an availability zone',
      { vip_subnet_id: SUBNET, availability_zone: 'a' },
      'Validation failure: Invalid availability zone.',
    ],
    [
      'an unknown attribute',
      { vip_subnet_id: SUBNET, bogus: 1, flavour: 2 },
      'Unknown attributes for argument load_balancer.loadbalancer: bogus, flavour',
    ],
    [
      'an unknown attribute of an additional VIP',
      { vip_subnet_id: SUBNET, additional_vips: [{ subnet_id: SUBNET, bogus: 1 }] },
      'Unknown attribute for argument load_balancer.loadbalancer.additional_vips: bogus',
    ],
    [
      'a bad address',
      { vip_subnet_id: SUBNET, vip_address: '10.0.0' },
      "Invalid input for field/attribute vip_address. Value: '10.0.0'. Value should be IPv4 or IPv6 format",
    ],
    [
      'a bad subnet',
      { vip_subnet_id: 'x' },
      "Invalid input for field/attribute vip_subnet_id. Value: 'x'. Value should be UUID format",
    ],
    [
      'a long name',
      { vip_subnet_id: SUBNET, name: 'n'.repeat(256) },
      /Value should have a maximum character requirement of 255$/,
    ],
    [
      "another's project",
      { vip_subnet_id: SUBNET, project_id: 'other' },
      'Policy does not allow this request to be performed.',
      403,
    ],
  ]
  for (const [what, attributes, faultstring, status = 400] of refused) {
    it(what, async (t) => {
      const api = await startOctaviaApi(t)
      assertFault(await api.send('POST', '/loadbalancers', { loadbalancer: attributes }), status, faultstring)
      assert.deepEqual((await api.send('GET', '/loadbalancers')).body, {
        loadbalancers: [],
        loadbalancers_links: [],
      })
    })
  }
})

test('providers octavia, amphora and noop_driver are taken, and nothing of a noop_driver is ever ONLINE', async (t) => {
  const api = await startOctaviaApi(t)
  assert.equal((await api.loadBalancer({ provider: 'amphora' })).provider, 'amphora')
  const noop = await api.loadBalancer({ provider: 'noop_driver' })
  const listener = await api.create('listeners', {
    loadbalancer_id: noop.id,
    protocol: 'HTTP',
    protocol_port: 80,
  })
  for (const path of [`/loadbalancers/${noop.id}`, `/listeners/${listener.id}`]) {
    const [object] = Object.values((await api.send('GET', path)).body) as [{ operating_status: string }]
    assert.equal(object.operating_status, 'OFFLINE')
  }
})

test('a load balancer has the port that was sent, and additional addresses with theirs', async (t) => {
  const api = await startOctaviaApi(t)
  const [port, second] = [randomUUID(), randomUUID()]
  const made = await api.loadBalancer({
    vip_port_id: port,
    additional_vips: [
      { subnet_id: SUBNET, ip_address: '2001:db8::1', port_id: second },
      { subnet_id: SUBNET },
    ],
  })
  const read = (await api.send('GET', `/loadbalancers/${made.id}`)).body.loadbalancer
  for (const seen of [made, read]) {
    assert.equal(seen.vip_port_id, port)
    assert.deepEqual(seen.additional_vips, [
      { subnet_id: SUBNET, ip_address: '2001:db8::1', port_id: second },
      { subnet_id: SUBNET, ip_address: null, port_id: null },
    ])
  }
})

test('immutable attributes are unknown to an update, and an empty one is a write', async (t) => {
  const api = await startOctaviaApi(t)
  const { id } = await api.loadBalancer()
  assertFault(
    await api.send('PUT', `/loadbalancers/${id}`, { loadbalancer: { provider: 'amphora' } }),
    400,
    'Unknown attribute for argument load_balancer.loadbalancer: provider',
  )
  const touched = await api.send('PUT', `/loadbalancers/${id}`, { loadbalancer: {} })
  assert.equal(touched.status, 200)
  assert.notEqual(touched.body.loadbalancer.updated_at, null)
})

test('without cascade a load balancer with children stays; with it everything goes', async (t) => {
  const api = await startOctaviaApi(t)
  const { id } = await api.loadBalancer()
  const listener = await api.create('listeners', { loadbalancer_id: id, protocol: 'TCP', protocol_port: 80 })
  const children = `Validation failure: Cannot delete Load Balancer ${id} - it has children`
  assertFault(await api.send('DELETE', `/loadbalancers/${id}`), 400, children)
  assertFault(await api.send('DELETE', `/loadbalancers/${id}?cascade=false`), 400, children)
  assertFault(await api.send('DELETE', `/loadbalancers/${id}?cascade=perhaps`), 400, /cascade/)
  assertFault(await api.send('DELETE', `/loadbalancers/${id}?force=1`), 400, 'Unknown argument: "force"')
  const read = (await api.send('GET', `/loadbalancers/${id}`)).body.loadbalancer
  assert.deepEqual(read.listeners, [{ id: listener.id }])
  assert.equal((await api.send('DELETE', `/loadbalancers/${id}?cascade=True`)).status, 204)
  assertFault(await api.send('GET', `/loadbalancers/${id}`), 404, `Load Balancer ${id} not found.`)
  assertFault(await api.send('GET', `/listeners/${listener.id}`), 404, `Listener ${listener.id} not found.`)
})

test('a load balancer that is not ACTIVE refuses writes; ERROR may be deleted and failed over', async (t) => {
  const api = await startOctaviaApi(t)
  const { id } = await api.loadBalancer()
  await api.force('load_balancer', id, 'PENDING_UPDATE')
  const invalid = `Invalid state PENDING_UPDATE of loadbalancer resource ${id}`
  assertFault(await api.send('PUT', `/loadbalancers/${id}`, { loadbalancer: { name: 'x' } }), 409, invalid)
  assertFault(await api.send('DELETE', `/loadbalancers/${id}?cascade=true`), 409, invalid)
  assertFault(await api.send('PUT', `/loadbalancers/${id}/failover`), 409, invalid)
  assertFault(
    await api.send('POST', '/listeners', {
      listener: { loadbalancer_id: id, protocol: 'HTTP', protocol_port: 80 },
    }),
    409,
    `Load Balancer ${id} is immutable and cannot be updated.`,
  )
  await api.force('load_balancer', id, 'ERROR')
  assertFault(
    await api.send('PUT', `/loadbalancers/${id}`, { loadbalancer: { name: 'x' } }),
    409,
    `Invalid state ERROR of loadbalancer resource ${id}`,
  )
  const failover = await api.send('PUT', `/loadbalancers/${id}/failover`)
  assert.deepEqual(
    [failover.status, failover.body, failover.headers['content-type']],
    [202, undefined, undefined],
  )
  const read = (await api.send('GET', `/loadbalancers/${id}`)).body.loadbalancer
  assert.equal(read.provisioning_status, 'ACTIVE')
  await api.force('load_balancer', id, 'ERROR')
  assert.equal((await api.send('DELETE', `/loadbalancers/${id}`)).status, 204)
})

test('lists of load balancers filter by what Octavia filters by, and refuse what it does not know', async (t) => {
  const api = await startOctaviaApi(t)
  const one = await api.loadBalancer({ name: 'one', vip_network_id: UNKNOWN_ID, tags: ['red'] })
  const two = await api.loadBalancer({ name: 'two', provider: 'noop_driver', tags: ['red', 'blue'] })
  const ids = async (filter: string): Promise<string[]> => {
    const answer = await api.send('GET', `/loadbalancers?${filter}`)
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    return answer.body.loadbalancers.map((lb: { id: string }) => lb.id)
  }
  assert.deepEqual(await ids('name=one'), [one.id])
  assert.deepEqual(await ids('operating_status=ONLINE'), [one.id])
  assert.deepEqual(await ids('operating_status=OFFLINE'), [two.id])
  assert.deepEqual(await ids(`vip_network_id=${UNKNOWN_ID}`), [one.id])
  assert.deepEqual(await ids('provider=noop_driver'), [two.id])
  assert.deepEqual(await ids('tags=blue'), [two.id])
  assert.deepEqual(await ids('flavor_id=x'), [])
  assert.deepEqual(await ids('sort=name:desc'), [two.id, one.id])
  assertFault(
    await api.send('GET', '/loadbalancers?bogus=1'),
    400,
    'One or more arguments are either duplicate or invalid',
  )
})

test('stats are zeros, of load balancers and of listeners that there are', async (t) => {
  const api = await startOctaviaApi(t)
  const { id } = await api.loadBalancer()
  const listener = await api.create('listeners', { loadbalancer_id: id, protocol: 'TCP', protocol_port: 80 })
  const stats = {
    bytes_in: 0,
    bytes_out: 0,
    active_connections: 0,
    total_connections: 0,
    request_errors: 0,
  }
  assert.deepEqual((await api.send('GET', `/loadbalancers/${id}/stats`)).body, { stats })
  assert.deepEqual((await api.send('GET', `/listeners/${listener.id}/stats`)).body, { stats })
  assertFault(
    await api.send('GET', `/listeners/${UNKNOWN_ID}/stats`),
    404,
    `Listener ${UNKNOWN_ID} not found.`,
  )
  assertFault(await api.send('GET', `/loadbalancers/${id}/stats?x=1`), 400, 'Unknown argument: "x"')
})

test('what one dialect created the other shows in its own words', async (t) => {
  const api = await startOctaviaApi(t)
  const lb = await api.loadBalancer({ name: 'shared' })
  const elbs = (await api.request('GET', `/elb/v2.0/lbaas/loadbalancers/${lb.id}`)).body.loadbalancer
  assert.deepEqual([elbs.name, elbs.operating_status, elbs.provider], ['shared', 'ONLINE', 'octavia'])
  const made = await api.request('POST', '/elb/v2.0/lbaas/loadbalancers', {
    loadbalancer: { name: 'made', vip_subnet_id: SUBNET },
  })
  const shown = (await api.send('GET', `/loadbalancers/${made.body.loadbalancer.id}`)).body.loadbalancer
  assert.deepEqual(Object.keys(shown), KEYS)
  assert.deepEqual([shown.provider, shown.operating_status], ['vlb', 'ONLINE'])
})

test('providers, capabilities, flavors and availability zones: names, empty lists and the right unknowns', async (t) => {
  const api = await startOctaviaApi(t)
  const { providers } = (await api.send('GET', '/providers?x=1')).body
  assert.deepEqual(
    providers.map((provider: { name: string }) => provider.name),
    ['octavia', 'amphora', 'noop_driver'],
  )
  assert.deepEqual((await api.send('GET', '/providers/octavia/flavor_capabilities')).body, {
    flavor_capabilities: [],
  })
  assert.deepEqual((await api.send('GET', '/providers/amphora/availability_zone_capabilities')).body, {
    availability_zone_capabilities: [],
  })
  assertFault(await api.send('GET', '/providers/x/flavor_capabilities'), 400, `Provider 'x' is not enabled.`)
  assert.deepEqual((await api.send('GET', '/flavors')).body, { flavors: [], flavors_links: [] })
  assertFault(await api.send('GET', `/flavors/${UNKNOWN_ID}`), 404, `Flavor ${UNKNOWN_ID} not found.`)
  assert.deepEqual((await api.send('GET', '/availabilityzones')).body, {
    availability_zones: [],
    availability_zones_links: [],
  })
  assertFault(await api.send('GET', '/availabilityzones/az1'), 404, 'Availability Zone az1 not found.')
})
