/**
 * An update that says what a read shows changes nothing, whichever dialect made the object and whichever says it again. What
 * Octavia's updates cannot name at all is left out there; `updated_at` of Octavia moves with every update.
 */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { MONITOR_TYPES, type MonitorType } from '../../src/domain/types.ts'
import { query } from '../../src/store/connection/database.ts'
import { type Api, type Json, startApi } from '../support/api.ts'
import * as elb from '../support/api-objects.ts'
import { fittingOptions } from '../support/fitting-options.ts'
import * as octavia from '../support/octavia.ts'
import { writeVerdict } from '../support/pool-api.ts'
import { startTwoProjects } from '../support/two-projects.ts'

const MOUNT = { elb: '/elb/v2.0/lbaas', octavia: '/load-balancer/v2.0/lbaas' } as const
const DIALECTS = ['elb', 'octavia'] as const
type Dialect = (typeof DIALECTS)[number]

/** What Octavia's updates may name. */
const OCTAVIA_NAMES: Readonly<Record<string, readonly string[]>> = {
  healthmonitor:
    'name delay timeout max_retries max_retries_down http_method url_path expected_codes admin_state_up tags http_version domain_name options'.split(
      ' ',
    ),
  pool: 'name description admin_state_up lb_algorithm session_persistence tags tls_enabled tls_ciphers depends_on'.split(
    ' ',
  ),
  member: 'name admin_state_up weight backup monitor_address monitor_port tags depends_on'.split(' '),
  listener:
    'name description admin_state_up default_pool_id connection_limit insert_headers timeout_client_data tags'.split(
      ' ',
    ),
  loadbalancer: 'name description admin_state_up tags'.split(' '),
}
const HTTP_NAMES = ['http_method', 'url_path', 'expected_codes']

const envelopeOf = (path: string): string => (path.split('/').at(-2) ?? '').replace(/s$/, '')

async function shown(api: Api, dialect: Dialect, path: string): Promise<Json> {
  const answer = await api.request('GET', `${MOUNT[dialect]}/${path}`)
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  return answer.body[envelopeOf(path)]
}

/** What is shown, as far as an update of the dialect may name it. */
function sendable(dialect: Dialect, envelope: string, object: Json): Record<string, unknown> {
  if (dialect === 'elb') return object
  const isHttp = object.type === 'HTTP' || object.type === 'HTTPS'
  const names = (OCTAVIA_NAMES[envelope] ?? []).filter(
    (name) => name in object && (isHttp || object[name] !== null || !HTTP_NAMES.includes(name)),
  )
  return Object.fromEntries(names.map((name) => [name, object[name]]))
}

const steady = (object: Json): Json => ({ ...object, updated_at: undefined })

/** Generations and versions of everything. */
async function generations(api: Api): Promise<unknown> {
  return await query(
    api.db,
    `select 'hm' as kind, generation, published_from, 0 as version from health_monitor
     union all select 'pool', generation, published_from, config_version from pool
     union all select 'member', generation, published_from, 0 from member
     union all select 'lb', generation, published_from, 0 from load_balancer
     order by 1, 2`,
  )
}

async function assertNoChange(api: Api, path: string): Promise<void> {
  for (const dialect of DIALECTS) {
    const [before, others, levels] = await Promise.all([
      shown(api, dialect, path),
      Promise.all(DIALECTS.map((each) => shown(api, each, path))),
      generations(api),
    ])
    const envelope = envelopeOf(path)
    const again = { [envelope]: sendable(dialect, envelope, before) }
    const answer = await api.request('PUT', `${MOUNT[dialect]}/${path}`, again)
    assert.equal(
      answer.status,
      200,
      `${dialect} refuses its own ${path}: ${JSON.stringify([answer.body, again])}`,
    )
    assert.deepEqual(steady(answer.body[envelope]), steady(before), dialect)
    assert.deepEqual(await generations(api), levels, dialect)
    for (const [i, each] of DIALECTS.entries()) {
      assert.deepEqual(steady(await shown(api, each, path)), steady(others[i]), `${dialect}, seen by ${each}`)
    }
  }
}

const POOL_OF: Readonly<Partial<Record<MonitorType, string>>> = { 'UDP-CONNECT': 'UDP', SCTP: 'SCTP' }

const monitor = fc.constantFrom(...MONITOR_TYPES).chain((type) =>
  fc.record({
    type: fc.constant(type),
    options: fc.option(fittingOptions(type), { nil: undefined }),
    delay: fc.integer({ min: 3, max: 300 }),
    timeout: fc.integer({ min: 1, max: 300 }),
    max_retries: fc.integer({ min: 1, max: 10 }),
    max_retries_down: fc.option(fc.integer({ min: 1, max: 10 }), { nil: undefined }),
    ...(type === 'HTTP' || type === 'HTTPS'
      ? {
          expected_codes: fc.constantFrom(undefined, '200', '200-204', '200,204'),
          url_path: fc.constantFrom(undefined, '/', '/a?b=c'),
          domain: fc.constantFrom({}, { http_version: 1.1, domain_name: 'a.example' }, { http_version: 1.0 }),
        }
      : {}),
  }),
)

suite('sent again as it is shown', () => {
  test('a generated monitor with options: the same in both dialects, in its plan, its generation and its version', async (t) => {
    const api = await startApi(t, { sourceAddresses: ['127.0.0.2', '::1'], hasTlsFile: () => true })
    const loadBalancer = await elb.aLoadBalancer(api)
    const pools = new Map<string, string>()
    let made = 0
    await fc.assert(
      fc.asyncProperty(monitor, async ({ domain, options, ...plain }: Json) => {
        const protocol = POOL_OF[plain.type as MonitorType] ?? 'HTTP'
        const poolId = pools.get(protocol) ?? (await octavia.aPool(api, loadBalancer.id, { protocol })).id
        pools.set(protocol, poolId as string)
        const healthmonitor = { ...plain, ...domain, pool_id: poolId, ...(options && { options }) }
        const created = await api.request('POST', `${MOUNT.octavia}/healthmonitors`, { healthmonitor })
        // Options of UDP-CONNECT may ask for shorter intervals than Octavia allows.
        fc.pre(created.status === 201 || /should be larger than/.test(String(created.body.faultstring)))
        if (created.status !== 201) return
        made += 1
        const path = `healthmonitors/${created.body.healthmonitor.id}`
        const plan = async () => (await api.request('GET', `${MOUNT.elb}/${path}/plan`)).body.plan as unknown
        const before = await plan()
        await assertNoChange(api, path)
        assert.deepEqual(await plan(), before)
        await api.request('DELETE', `${MOUNT.octavia}/${path}`)
      }),
      { numRuns: 12 },
    )
    assert.ok(made > 0, 'none was made')
  })

  test('monitors that only the other dialect could make', async (t) => {
    const api = await startApi(t)
    const loadBalancer = await elb.aLoadBalancer(api)
    for (const attributes of [
      { type: 'HTTP', delay: 60, timeout: 55 },
      { type: 'HTTP', options: { interval_ms: 60_000, http: { path: `/${'long'.repeat(50)}` } } },
      { type: 'HTTP', options: { preset: 'haproxy' } },
      { type: 'HTTP', options: { preset: 'kuma', http: { version: 'h2c' } } },
    ]) {
      const pool = await octavia.aPool(api, loadBalancer.id as string)
      const { id } = await octavia.aMonitor(api, pool.id as string, attributes)
      await assertNoChange(api, `healthmonitors/${id}`)
    }
    for (const attributes of [
      { domain_name: 'a.example', expected_codes: '200-204,301' },
      { monitor_port: 81, url_path: '/x' },
      { delay: 5, timeout: 3, max_retries: 2, options: { rise: 30, interval_ms: 4500 } },
    ]) {
      const pool = await octavia.aPool(api, loadBalancer.id as string)
      const body = { pool_id: pool.id, type: 'HTTP', delay: 5, timeout: 3, max_retries: 2, ...attributes }
      const { id } = await elb.created(api, 'healthmonitors', body)
      await assertNoChange(api, `healthmonitors/${id}`)
    }
  })

  test('pools, members, listeners and load balancers of both dialects', async (t) => {
    const api = await startApi(t)
    const ofElb = await elb.aLoadBalancer(api, { name: 'a', vip_address: '127.0.0.1' })
    const ofOctavia = await octavia.made(api, 'loadbalancers', { vip_subnet_id: elb.SUBNET, tags: ['x'] })
    const sticky = { session_persistence: { type: 'APP_COOKIE', cookie_name: 'c' } }
    const pools = [
      await octavia.aPool(api, ofOctavia.id as string, { lb_algorithm: 'SOURCE_IP_PORT', ...sticky }),
      await elb.created(api, 'pools', {
        loadbalancer_id: ofElb.id,
        protocol: 'HTTP',
        lb_algorithm: 'ROUND_ROBIN',
        session_persistence: { type: 'HTTP_COOKIE' },
      }),
    ]
    const paths = [`loadbalancers/${ofElb.id}`, `loadbalancers/${ofOctavia.id}`]
    for (const pool of pools) {
      const members = `pools/${pool.id}/members`
      const heavy = { address: '127.0.0.1', protocol_port: 80, weight: 256, monitor_port: 81, backup: true }
      const { id } = await octavia.made(api, members, heavy)
      const simple = await elb.created(api, members, {
        address: '::1',
        protocol_port: 80,
        subnet_id: elb.SUBNET,
      })
      const listener = { loadbalancer_id: pool.loadbalancers[0].id, protocol: 'HTTP', protocol_port: 80 }
      const front = await octavia.made(api, 'listeners', { ...listener, default_pool_id: pool.id })
      paths.push(`pools/${pool.id}`, `${members}/${id}`, `${members}/${simple.id}`, `listeners/${front.id}`)
    }
    for (const path of paths) await assertNoChange(api, path)
  })

  test('a list of members that is sent again disturbs no check', async (t) => {
    const api = await startApi(t)
    const pool = await octavia.aPool(api, (await elb.aLoadBalancer(api)).id as string)
    await octavia.aMonitor(api, pool.id as string)
    const path = `pools/${pool.id}/members`
    for (const port of [80, 81]) {
      const member = {
        address: '127.0.0.1',
        protocol_port: port,
        subnet_id: elb.SUBNET,
        weight: 3,
        name: `m${port}`,
      }
      const { id } = await octavia.made(api, path, { ...member, monitor_port: 80 })
      await writeVerdict(api.db, id as string, { status: 'ONLINE' })
    }
    const before = await generations(api)
    const names = {
      elb: ['address', 'protocol_port', 'subnet_id', 'weight', 'name', 'admin_state_up'],
      octavia: [...(OCTAVIA_NAMES['member'] ?? []), 'address', 'protocol_port', 'subnet_id'],
    }
    for (const dialect of DIALECTS) {
      const listed = (await api.request('GET', `${MOUNT[dialect]}/${path}`)).body.members as Json[]
      const members = listed.map((member) =>
        Object.fromEntries(
          names[dialect].filter((name) => name in member).map((name) => [name, member[name]]),
        ),
      )
      const answer = await api.request('PUT', `${MOUNT[dialect]}/${path}`, { members })
      assert.equal(answer.status, 202, JSON.stringify(answer.body))
      assert.deepEqual(await generations(api), before, dialect)
    }
    const rows = await query(api.db, `select 1 from member_status where state = 'ONLINE' and not pending`)
    assert.equal(rows.length, 2)
  })

  test('what was refused is refused still when it is not what is shown, and before anybody looks for the object', async (t) => {
    const api = await startApi(t)
    const pool = await octavia.aPool(api, (await elb.aLoadBalancer(api)).id as string)
    const { id } = await octavia.aMonitor(api, pool.id as string, { delay: 60 })
    const put = async (which: string, attributes: object) =>
      (await api.request('PUT', `${MOUNT.elb}/healthmonitors/${which}`, { healthmonitor: attributes })).status
    assert.equal(await put(id, { delay: 60, timeout: 51 }), 400)
    assert.equal(await put(id, { delay: 61 }), 400)
    assert.equal(await put(id, { id: pool.id }), 400)
    assert.equal(await put('00000000-0000-4000-8000-000000000000', { delay: 60 }), 400)
    assert.equal(await put(id, { delay: 60, timeout: 7 }), 200)
    assert.equal((await shown(api, 'elb', `healthmonitors/${id}`)).timeout, 7)
  })

  test('whether a foreign project guesses what is stored makes no difference to what it is answered', async (t) => {
    const { api, owned, ask } = await startTwoProjects(t)
    // Longer than a tag may be now.
    const [stored, other] = ['s', 'o'].map((letter) => letter.repeat(300))
    const tags = JSON.stringify([{ key: stored, value: '' }])
    for (const table of ['load_balancer', 'listener', 'pool', 'member', 'health_monitor']) {
      await query(api.db, `update ${table} set tags = $1`, [tags])
    }
    for (const path of [
      `loadbalancers/${owned.loadBalancer}`,
      `listeners/${owned.listener}`,
      `pools/${owned.pool}`,
      `pools/${owned.pool}/members/${owned.member}`,
      `healthmonitors/${owned.monitor}`,
    ]) {
      const put = (who: 'member' | 'foreign', tag: string | undefined) =>
        ask(who, 'PUT', `${MOUNT.octavia}/${path}`, { [envelopeOf(path)]: { tags: [tag] } })
      assert.equal((await put('member', stored)).status, 200, `${path}: it is no change`)
      const [guessed, missed] = [await put('foreign', stored), await put('foreign', other)]
      assert.equal(guessed.status, 400, path)
      const [told, expected] = [guessed, missed].map(({ body }) =>
        JSON.stringify(body).replaceAll(/([so])\1{99,}/g, 'tag'),
      )
      assert.equal(told, expected)
    }
  })
})
