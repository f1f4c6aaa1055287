/** Pools of dialect octavia: rules, null semantics, what goes with them, and what both dialects see. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { type Api, startApi } from '../support/api.ts'
import { aLoadBalancer, aMonitor, aPool, assertFault, force, made, OCTAVIA } from '../support/octavia.ts'

const put = (api: Api, id: string, attributes: object) =>
  api.request('PUT', `${OCTAVIA}/pools/${id}`, { pool: attributes })
const get = async (api: Api, id: string) => (await api.request('GET', `${OCTAVIA}/pools/${id}`)).body.pool

suite('pools of dialect octavia', () => {
  test('the monitor is named only when there is one, and goes with the pool as the members do', async (t) => {
    const api = await startApi(t)
    const loadBalancer = await aLoadBalancer(api)
    const pool = await aPool(api, loadBalancer.id)
    assert.ok(!('healthmonitor_id' in pool))
    const monitor = await aMonitor(api, pool.id)
    const member = await made(api, `pools/${pool.id}/members`, { address: '127.0.0.1', protocol_port: 80 })
    const shown = await get(api, pool.id)
    assert.equal(shown.healthmonitor_id, monitor.id)
    assert.deepEqual(shown.members, [{ id: member.id }])
    assert.deepEqual(shown.loadbalancers, [{ id: loadBalancer.id }])
    assert.equal((await api.request('DELETE', `${OCTAVIA}/pools/${pool.id}`)).status, 204)
    assertFault(
      await api.request('GET', `${OCTAVIA}/healthmonitors/${monitor.id}`),
      404,
      `Health Monitor ${monitor.id} not found.`,
    )
    const left = await query(api.db, 'select from member')
    assert.equal(left.length, 0)
  })

  test('a pool is rolled up: OFFLINE on no listener, ONLINE on one, and lists filter by it', async (t) => {
    const api = await startApi(t)
    const loadBalancer = await aLoadBalancer(api)
    const pool = await aPool(api, loadBalancer.id)
    assert.equal((await get(api, pool.id)).operating_status, 'OFFLINE')
    const listener = {
      loadbalancer_id: loadBalancer.id,
      protocol: 'HTTP',
      protocol_port: 80,
      default_pool_id: pool.id,
    }
    await api.request('POST', '/elb/v2.0/lbaas/listeners', { listener })
    assert.equal((await get(api, pool.id)).operating_status, 'ONLINE')
    const found = await api.request(
      'GET',
      `${OCTAVIA}/pools?operating_status=ONLINE&loadbalancer_id=${loadBalancer.id}`,
    )
    assert.equal(found.body.pools.length, 1)
  })

  test('a default pool is set on its listener once, and only where the protocols fit', async (t) => {
    const api = await startApi(t)
    const loadBalancer = await aLoadBalancer(api)
    const body = { listener: { loadbalancer_id: loadBalancer.id, protocol: 'HTTP', protocol_port: 80 } }
    const { listener } = (await api.request('POST', '/elb/v2.0/lbaas/listeners', body)).body
    const post = (protocol: string) =>
      api.request('POST', `${OCTAVIA}/pools`, {
        pool: { listener_id: listener.id, protocol, lb_algorithm: 'ROUND_ROBIN' },
      })
    assertFault(
      await post('TCP'),
      400,
      "Validation failure: The pool protocol 'TCP' is invalid while the listener protocol is 'HTTP'.",
    )
    const made = await post('HTTP')
    assert.deepEqual(made.body.pool.listeners, [{ id: listener.id }])
    assertFault(await post('HTTP'), 409, 'This listener already has a default pool')
  })

  test('session persistence by protocol and type; null removes it, what is absent stays', async (t) => {
    const api = await startApi(t)
    const loadBalancer = await aLoadBalancer(api)
    const { id } = await aPool(api, loadBalancer.id, {
      session_persistence: { type: 'APP_COOKIE', cookie_name: 'c' },
      tls_enabled: true,
      tls_versions: ['TLSv1.2'],
    })
    const persistence = {
      type: 'APP_COOKIE',
      cookie_name: 'c',
      persistence_timeout: null,
      persistence_granularity: null,
    }
    const renamed = (await put(api, id, { name: 'n', tls_enabled: null })).body.pool
    assert.deepEqual(renamed.session_persistence, persistence)
    assert.deepEqual([renamed.tls_enabled, renamed.tls_versions], [false, ['TLSv1.2']])
    const only = 'persistence_timeout and persistence_granularity is only for UDP and SCTP protocol pools.'
    assertFault(
      await put(api, id, { session_persistence: { persistence_timeout: 5 } }),
      400,
      `Validation failure: ${only}`,
    )
    assert.equal((await put(api, id, { session_persistence: null })).body.pool.session_persistence, null)
    assertFault(
      await put(api, id, { lb_algorithm: null }),
      400,
      'None is not a valid option for lb_algorithm',
    )
  })

  test("a pool leaves APP_COOKIE for another type with 200, and the cookie's name ends with it", async (t) => {
    const api = await startApi(t)
    const loadBalancer = await aLoadBalancer(api)
    for (const type of ['HTTP_COOKIE', 'SOURCE_IP']) {
      const { id } = await aPool(api, loadBalancer.id, {
        session_persistence: { type: 'APP_COOKIE', cookie_name: 'c' },
      })
      const answer = await put(api, id, { session_persistence: { type } })
      assert.equal(answer.status, 200)
      const persistence = {
        type,
        cookie_name: null,
        persistence_timeout: null,
        persistence_granularity: null,
      }
      assert.deepEqual(answer.body.pool.session_persistence, persistence)
      assert.deepEqual((await get(api, id)).session_persistence, persistence)
      const seenByElb = await api.request('GET', `/elb/v2.0/lbaas/pools/${id}`)
      assert.deepEqual(seenByElb.body.pool.session_persistence, {
        type,
        cookie_name: null,
        persistence_timeout: null,
      })
    }
  })

  test('an update of session persistence says all of it but the type', async (t) => {
    const api = await startApi(t)
    const loadBalancer = await aLoadBalancer(api)
    const { id } = await aPool(api, loadBalancer.id, {
      protocol: 'UDP',
      session_persistence: {
        type: 'SOURCE_IP',
        persistence_timeout: 5,
        persistence_granularity: '255.255.0.0',
      },
    })
    const sent = { session_persistence: { persistence_timeout: 7 } }
    assert.deepEqual((await put(api, id, sent)).body.pool.session_persistence, {
      type: 'SOURCE_IP',
      cookie_name: null,
      persistence_timeout: 7,
      persistence_granularity: null,
    })
    for (const [session_persistence, faultstring] of [
      [
        { cookie_name: 'c' },
        'Validation failure: session_persistence SOURCE_IP type for UDP and SCTP protocols only accepts: type, persistence_timeout, persistence_granularity.',
      ],
      [
        { type: 'HTTP_COOKIE' },
        'Validation failure: Session persistence of type HTTP_COOKIE is not supported for UDP/SCTP protocol pools.',
      ],
      [
        { type: 'APP_COOKIE', cookie_name: 'c' },
        'Validation failure: Cookie names are not supported for UDP/SCTP pools.',
      ],
    ] as const) {
      assertFault(await put(api, id, { session_persistence }), 400, faultstring)
    }
    const plain = await aPool(api, loadBalancer.id)
    for (const [session_persistence, faultstring] of [
      [{}, 'Validation failure: Invalid session_persistence provided.'],
      [
        { type: 'HTTP_COOKIE', cookie_name: 'c' },
        'Validation failure: Field "cookie_name" can only be specified with session persistence of type "APP_COOKIE".',
      ],
      [
        { type: 'APP_COOKIE' },
        'Validation failure: Field "cookie_name" must be specified when using the "APP_COOKIE" session persistence type.',
      ],
      [{ type: 'APP_COOKIE', cookie_name: 'a=b' }, 'Validation failure: Supplied "cookie_name" is invalid.'],
    ] as const) {
      assertFault(await put(api, plain.id, { session_persistence }), 400, faultstring)
    }
    assert.equal((await get(api, plain.id)).session_persistence, null)
  })

  test('a revocation list needs its authority, and lists of versions and protocols hold known words', async (t) => {
    const api = await startApi(t)
    const loadBalancer = await aLoadBalancer(api)
    const refs = { ca_tls_container_ref: 'ca', crl_container_ref: 'crl' }
    const { id } = await aPool(api, loadBalancer.id, refs)
    assertFault(
      await put(api, id, { ca_tls_container_ref: null }),
      400,
      'Validation failure: A CA reference cannot be removed when a certificate revocation list is present.',
    )
    const both = await put(api, id, { ca_tls_container_ref: null, crl_container_ref: null })
    assert.deepEqual([both.status, both.body.pool.ca_tls_container_ref], [200, null])
    const needed = 'Validation failure: A CA reference is required to specify a certificate revocation list.'
    assertFault(await put(api, id, { crl_container_ref: 'crl' }), 400, needed)
    assertFault(await put(api, id, { crl_container_ref: 'crl', ca_tls_container_ref: null }), 400, needed)
    const pool = { loadbalancer_id: loadBalancer.id, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' }
    assertFault(
      await api.request('POST', `${OCTAVIA}/pools`, { pool: { ...pool, crl_container_ref: 'crl' } }),
      400,
      'Validation failure: A CA certificate reference is required to specify a revocation list.',
    )
    for (const [attributes, faultstring] of [
      [{ tls_versions: ['TLSv1.4', 'x'] }, 'Validation failure: Invalid TLS versions: TLSv1.4, x'],
      [{ tls_versions: [] }, /^Validation failure: Empty TLS version list\. /],
      [{ alpn_protocols: ['h3'] }, /^Invalid input for field\/attribute alpn_protocols\. Value: 'h3'\./],
      [{ alpn_protocols: [] }, /^Validation failure: Empty ALPN protocol list\. /],
    ] as const) {
      assertFault(await put(api, id, attributes), 400, faultstring)
      const made = { pool: { ...pool, ...attributes, tls_enabled: true } }
      assertFault(await api.request('POST', `${OCTAVIA}/pools`, made), 400, faultstring)
    }
  })

  test('a load balancer that is not ACTIVE stops every write', async (t) => {
    const api = await startApi(t)
    const loadBalancer = await aLoadBalancer(api)
    const { id } = await aPool(api, loadBalancer.id)
    await force(api, 'load_balancer', loadBalancer.id, 'ERROR')
    const fault = `Load Balancer ${loadBalancer.id} is immutable and cannot be updated.`
    assertFault(await put(api, id, { name: 'n' }), 409, fault)
    assertFault(await api.request('DELETE', `${OCTAVIA}/pools/${id}`), 409, fault)
    const pool = { loadbalancer_id: loadBalancer.id, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' }
    assertFault(await api.request('POST', `${OCTAVIA}/pools`, { pool }), 409, fault)
    assert.equal((await get(api, id)).name, '')
  })
})
