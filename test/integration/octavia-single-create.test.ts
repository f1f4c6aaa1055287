import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import { DEFAULT_PROJECT } from '../support/api.ts'
import { SUBNET } from '../support/api-objects.ts'
import { assertFault, startOctaviaApi, UNKNOWN_ID } from '../support/octavia-api.ts'

const MONITOR = { type: 'HTTP', delay: 5, timeout: 3, max_retries: 2, url_path: '/healthz' }
const MEMBERS = [
  { address: '127.0.0.1', protocol_port: 80, name: 'm1' },
  { address: '127.0.0.2', protocol_port: 80, weight: 5 },
]
const POOL = { name: 'po1', protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' }

test('one request creates a load balancer with listeners, pools, monitors and members, and answers all of it', async (t) => {
  const api = await startOctaviaApi(t)
  const lb = await api.loadBalancer({
    name: 'full',
    pools: [{ name: 'alone', protocol: 'TCP', lb_algorithm: 'SOURCE_IP' }],
    listeners: [
      {
        name: 'ls1',
        protocol: 'HTTP',
        protocol_port: 80,
        default_pool: { ...POOL, healthmonitor: MONITOR, members: MEMBERS },
      },
      { name: 'ls2', protocol: 'HTTP', protocol_port: 81, default_pool: { name: 'po1' } },
      { name: 'ls3', protocol: 'TCP', protocol_port: 82, default_pool: { name: 'alone' } },
    ],
  })
  const [alone, po1] = lb.pools
  assert.deepEqual([alone.name, po1.name], ['alone', 'po1'])
  assert.deepEqual(
    lb.listeners.map((l: { name: string; default_pool_id: string }) => [l.name, l.default_pool_id]),
    [
      ['ls1', po1.id],
      ['ls2', po1.id],
      ['ls3', alone.id],
    ],
  )
  assert.equal('loadbalancers' in lb.listeners[0], false)
  assert.deepEqual(
    po1.members.map((m: { address: string; weight: number; name: string; operating_status: string }) => [
      m.address,
      m.weight,
      m.name,
      m.operating_status,
    ]),
    [
      ['127.0.0.1', 1, 'm1', 'OFFLINE'],
      ['127.0.0.2', 5, '', 'OFFLINE'],
    ],
  )
  assert.equal('pools' in po1.healthmonitor, false)
  assert.deepEqual(
    [po1.healthmonitor.url_path, po1.healthmonitor.expected_codes, po1.healthmonitor.operating_status],
    ['/healthz', '200', 'ONLINE'],
  )
  assert.equal('healthmonitor' in alone, false)
  for (const object of [lb, ...lb.listeners, ...lb.pools, ...po1.members, po1.healthmonitor]) {
    assert.deepEqual([object.project_id, object.provisioning_status], [DEFAULT_PROJECT, 'ACTIVE'])
  }
  const monitor = (await api.send('GET', `/healthmonitors/${po1.healthmonitor.id}`)).body.healthmonitor
  assert.deepEqual(monitor.pools, [{ id: po1.id }])
  const pool = (await api.send('GET', `/pools/${po1.id}`)).body.pool
  assert.equal(pool.healthmonitor_id, po1.healthmonitor.id)
  assert.deepEqual(pool.members.length, 2)
  const read = (await api.send('GET', `/loadbalancers/${lb.id}`)).body.loadbalancer
  assert.deepEqual([read.listeners.length, read.pools.length], [3, 2])
  assert.equal((await api.send('DELETE', `/loadbalancers/${lb.id}?cascade=true`)).status, 204)
  for (const collection of ['loadbalancers', 'listeners', 'pools', 'healthmonitors']) {
    assert.deepEqual((await api.send('GET', `/${collection}`)).body[collection], [], collection)
  }
})

describe('what a create with children is refused for, leaving nothing behind', () => {
  const http = { protocol: 'HTTP', protocol_port: 80 }
  const refused: readonly (readonly [string, object, string | RegExp, number?])[] = [
    [
      'a pool without a name inside a listener',
      { listeners: [{ ...http, default_pool: { protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' } }] },
      'Validation failure: Pools must be named when creating a fully populated loadbalancer.',
    ],
    [
      'two pools of one name',
      { pools: [POOL, POOL] },
      'Validation failure: Pool names must be unique when creating a fully populated loadbalancer.',
    ],
    [
      'a name of no pool',
      { listeners: [{ ...http, default_pool: { name: 'nobody' } }] },
      "Validation failure: Pool 'nobody' was referenced but no full definition was found.",
    ],
    [
      'a pool without an algorithm',
      { pools: [{ name: 'p', protocol: 'HTTP' }] },
      "Validation failure: Pool definition for 'p' missing required attribute: lb_algorithm",
    ],
    [
      'a pool that does not fit its listener',
      { listeners: [{ protocol: 'UDP', protocol_port: 53, default_pool: POOL }] },
      "Validation failure: The pool protocol 'HTTP' is invalid while the listener protocol is 'UDP'.",
    ],
    [
      'a monitor that does not fit its pool',
      { pools: [{ ...POOL, healthmonitor: { ...MONITOR, type: 'UDP-CONNECT' } }] },
      'Validation failure: The UDP-CONNECT type is only supported for pools of type UDP/SCTP.',
    ],
    [
      'the same member twice',
      { pools: [{ ...POOL, members: [MEMBERS[0], MEMBERS[0]] }] },
      'Another member on this pool is already using ip 127.0.0.1 on protocol_port 80',
      409,
    ],
    [
      'the same port twice',
      { listeners: [http, http] },
      'Another Listener on this Load Balancer is already using protocol HTTP and protocol_port 80',
      409,
    ],
    [
      'an attribute that a nested member does not have',
      { pools: [{ ...POOL, members: [{ ...MEMBERS[0], bogus: 1 }] }] },
      'Unknown attribute for argument load_balancer.loadbalancer.pools.members: bogus',
    ],
    [
      'a nested member without an address',
      { pools: [{ ...POOL, members: [{ protocol_port: 80 }] }] },
      "Invalid input for field/attribute address. Value: 'None'. Mandatory field missing.",
    ],
    [
      'a nested delay that is none',
      { pools: [{ ...POOL, healthmonitor: { ...MONITOR, delay: -1 } }] },
      "Invalid input for field/attribute delay. Value: '-1'. Value should be greater or equal to 0",
    ],
    ['pools that are no list', { pools: 5 }, /^Invalid input for field\/attribute load_balancer\./],
  ]
  for (const [what, attributes, faultstring, status = 400] of refused) {
    it(what, async (t) => {
      const api = await startOctaviaApi(t)
      const loadbalancer = { vip_subnet_id: SUBNET, ...attributes }
      assertFault(await api.send('POST', '/loadbalancers', { loadbalancer }), status, faultstring)
      for (const collection of ['loadbalancers', 'listeners', 'pools', 'healthmonitors']) {
        assert.deepEqual((await api.send('GET', `/${collection}`)).body[collection], [], collection)
      }
      assert.deepEqual(api.errors, [])
    })
  }
})

test('the quota of every kind holds for what is created within', async (t) => {
  const api = await startOctaviaApi(t)
  await api.send('PUT', `/quotas/${DEFAULT_PROJECT}`, { quota: { member: 1 } })
  const loadbalancer = { vip_subnet_id: SUBNET, pools: [{ ...POOL, members: MEMBERS }] }
  assertFault(
    await api.send('POST', '/loadbalancers', { loadbalancer }),
    403,
    'Quota has been met for resources: Member',
  )
  assert.deepEqual((await api.send('GET', '/loadbalancers')).body.loadbalancers, [])
})

test('a quota that is lower than what is there refuses nothing that creates none of its kind', async (t) => {
  const api = await startOctaviaApi(t)
  const create = (pools: readonly object[]) =>
    api.send('POST', '/loadbalancers', { loadbalancer: { vip_subnet_id: SUBNET, pools } })
  assert.equal((await create([POOL, { ...POOL, name: 'another' }])).status, 201)
  await api.send('PUT', `/quotas/${DEFAULT_PROJECT}`, { quota: { pool: 1 } })
  assert.equal((await create([])).status, 201)
  assertFault(await create([POOL]), 403, 'Quota has been met for resources: Pool')
})

test('pools and members that are created within depend on what is there already, and on nothing else', async (t) => {
  const api = await startOctaviaApi(t)
  const { pools } = await api.loadBalancer({ pools: [{ ...POOL, members: MEMBERS }] })
  const [router] = pools[0].members
  const within = (ofPool: unknown, ofMember: unknown) => ({
    vip_subnet_id: SUBNET,
    pools: [{ ...POOL, depends_on: ofPool, members: [{ ...MEMBERS[0], depends_on: ofMember }, MEMBERS[1]] }],
  })
  const made = await api.loadBalancer(within([pools[0].id], [router.id]))
  const [pool] = made.pools
  assert.deepEqual(
    [pool.depends_on, pool.members[0].depends_on, pool.members[1].depends_on],
    [[pools[0].id], [router.id], undefined],
  )
  const shown = await api.send('GET', `/pools/${pool.id}`)
  assert.deepEqual(shown.body.pool.depends_on, [pools[0].id])
  for (const loadbalancer of [within([UNKNOWN_ID], []), within(null, [UNKNOWN_ID])]) {
    const reason = `'${UNKNOWN_ID}' is no member and no pool of the project`
    assertFault(
      await api.send('POST', '/loadbalancers', { loadbalancer }),
      400,
      `Invalid input for depends_on. Reason: ${reason}.`,
    )
  }
  const reference = [
    { protocol: 'HTTP', protocol_port: 80, default_pool: { name: 'po1', depends_on: [router.id] } },
  ]
  assertFault(
    await api.send('POST', '/loadbalancers', {
      loadbalancer: { ...within(null, null), listeners: reference },
    }),
    400,
    'Validation failure: Pool names must be unique when creating a fully populated loadbalancer.',
  )
  assert.equal((await api.send('GET', '/loadbalancers')).body.loadbalancers.length, 2)
})
