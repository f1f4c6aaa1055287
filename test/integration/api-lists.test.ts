import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Api, type Json, startApi } from '../support/api.ts'
import {
  aListener,
  aLoadBalancer,
  aMonitor,
  aPool,
  assertRefused,
  created,
  SUBNET,
} from '../support/api-objects.ts'

const LB = '/v2.0/lbaas'

/** Answers names of one list. */
async function names(api: Api, collection: string, query: string): Promise<string[]> {
  const answer = await api.request('GET', `${LB}/${collection}${query}`)
  assert.equal(answer.status, 200, `${collection}${query} ${JSON.stringify(answer.body)}`)
  return (answer.body[collection] as { name: string }[])
    .map((item) => item.name)
    .sort((a, b) => (a < b ? -1 : 1))
}

test('every filter of load balancers finds what it names, repeated values are alternatives, others are ignored', async (t) => {
  const api = await startApi(t)
  const a = await aLoadBalancer(api, { name: 'a', description: 'one', vip_address: '10.0.0.1' })
  const b = await aLoadBalancer(api, { name: 'b', admin_state_up: false, provider: 'octavia' })
  const pool = await aPool(api, a.id)
  const listener = await aListener(api, a.id)
  await created(api, `pools/${pool.id}/members`, {
    address: '127.0.0.9',
    protocol_port: 80,
    subnet_id: SUBNET,
  })
  const cases: [string, string[]][] = [
    ['', ['a', 'b']],
    [`?id=${a.id}`, ['a']],
    [`?id=${a.id}&id=${b.id}`, ['a', 'b']],
    [`?id=${a.id}&name=b`, []],
    ['?name=a', ['a']],
    ['?name=', ['a', 'b']],
    ['?description=one', ['a']],
    ['?tenant_id=default-project', ['a', 'b']],
    ['?project_id=other', []],
    ['?admin_state_up=False', ['b']],
    ['?admin_state_up=maybe', []],
    ['?operating_status=ONLINE', ['a']],
    ['?operating_status=OFFLINE', ['b']],
    ['?provisioning_status=ACTIVE', ['a', 'b']],
    ['?provider=octavia', ['b']],
    ['?vip_address=10.0.0.1', ['a']],
    [`?vip_subnet_id=${SUBNET}`, ['a', 'b']],
    [`?vip_port_id=${b.vip_port_id}`, ['b']],
    ['?member_address=127.0.0.9', ['a']],
    ['?member_address=127.0.0.1', []],
    ['?member_device_id=x', []],
    ['?vpc_id=x', []],
    [`?listener_id=${listener.id}`, ['a']],
    [`?pool_id=${pool.id}`, ['a']],
    ['?id=x', []],
    [`?created_at=${a.created_at}&name=a`, ['a']],
    [`?created_at=${a.created_at}Z&name=a`, ['a']],
    ['?created_at=yesterday%201', []],
    ['?created_at=2026-02-30T10:00:00', []],
    ['?created_at=2026-01-01T00:00:00%2B23:59', []],
    ['?created_at=9999-12-31T23:59:59-12:00', []],
    ['?adminstate_up=true&foo=1&status=x', ['a', 'b']],
  ]
  for (const [query, expected] of cases) {
    assert.deepEqual(await names(api, 'loadbalancers', query), expected, query)
  }
})

test('every filter of listeners, pools and monitors finds what it names', async (t) => {
  const api = await startApi(t)
  const lb = await aLoadBalancer(api)
  const a = await aListener(api, lb.id, {
    name: 'a',
    connection_limit: 2_147_483_647,
    http2_enable: true,
    description: 'd',
  })
  const b = await aListener(api, lb.id, {
    name: 'b',
    protocol: 'TERMINATED_HTTPS',
    protocol_port: 443,
    default_tls_container_ref: 'cert',
    tls_ciphers_policy: 'tls-1-2',
    client_ca_tls_container_ref: 'ca',
  })
  const p = await created(api, 'pools', {
    name: 'p',
    listener_id: a.id,
    protocol: 'HTTP',
    lb_algorithm: 'ROUND_ROBIN',
  })
  await aPool(api, lb.id, { name: 'q', protocol: 'UDP', lb_algorithm: 'SOURCE_IP', description: 'd' })
  const monitor = await aMonitor(api, p.id, { name: 'm', type: 'HTTP', monitor_port: 81, domain_name: 'a.b' })
  await created(api, `pools/${p.id}/members`, { address: '127.0.0.9', protocol_port: 80, subnet_id: SUBNET })
  const cases: [string, string, string[]][] = [
    ['listeners', `?id=${a.id}`, ['a']],
    ['listeners', '?name=a&name=b', ['a', 'b']],
    ['listeners', '?description=d', ['a']],
    ['listeners', '?protocol=HTTP', ['a']],
    ['listeners', '?protocol_port=443', ['b']],
    ['listeners', '?protocol_port=x', []],
    ['listeners', `?loadbalancer_id=${lb.id}`, ['a', 'b']],
    ['listeners', `?default_pool_id=${p.id}`, ['a']],
    ['listeners', '?connection_limit=2147483647', ['a']],
    ['listeners', '?connection_limit=2147483648', []],
    ['listeners', '?connection_limit=-1', ['b']],
    ['listeners', '?http2_enable=true', ['a']],
    ['listeners', '?http2_enable=false', ['b']],
    ['listeners', '?default_tls_container_ref=cert', ['b']],
    ['listeners', '?client_ca_tls_container_ref=ca', ['b']],
    ['listeners', '?tls_ciphers_policy=tls-1-2', ['b']],
    ['listeners', '?admin_state_up=true&tenant_id=default-project', ['a', 'b']],
    ['pools', `?id=${p.id}`, ['p']],
    ['pools', '?name=q', ['q']],
    ['pools', '?description=d', ['q']],
    ['pools', `?healthmonitor_id=${monitor.id}`, ['p']],
    ['pools', `?loadbalancer_id=${lb.id}`, ['p', 'q']],
    ['pools', `?listener_id=${a.id}`, ['p']],
    ['pools', '?protocol=UDP', ['q']],
    ['pools', '?lb_algorithm=SOURCE_IP&lb_algorithm=LEAST_CONNECTIONS', ['q']],
    ['pools', '?member_address=127.0.0.9', ['p']],
    ['pools', '?member_device_id=x', []],
    ['healthmonitors', `?id=${monitor.id}`, ['m']],
    ['healthmonitors', `?pool_id=${p.id}`, ['m']],
    ['healthmonitors', '?type=HTTP&type=TCP', ['m']],
    ['healthmonitors', '?type=UDP_CONNECT', []],
    ['healthmonitors', '?delay=5&timeout=3&max_retries=2&max_retries_down=3', ['m']],
    ['healthmonitors', '?delay=4', []],
    [
      'healthmonitors',
      '?monitor_port=81&domain_name=a.b&url_path=/&http_method=GET&expected_codes=200',
      ['m'],
    ],
    ['healthmonitors', '?adminstate_up=false&status=x', ['m']],
  ]
  for (const [collection, query, expected] of cases) {
    assert.deepEqual(await names(api, collection, query), expected, `${collection}${query}`)
  }
  assert.equal(b.name, 'b')
})

test('a walk over pages forward and back meets every object once, in each order', async (t) => {
  const api = await startApi(t)
  const lb = await aLoadBalancer(api)
  const pools = await Promise.all(
    Array.from({ length: 7 }, (_, i) => aPool(api, lb.id, { name: `n${i % 3}`, description: `d${i}` })),
  )
  // Some have none, which an order has to place too.
  await Promise.all(pools.slice(0, 4).map(({ id }) => aMonitor(api, id)))
  const follow = async (path: string, rel: string): Promise<Json[][]> => {
    const pages: Json[][] = []
    let next: string | undefined = path
    while (next !== undefined && pages.length < 20) {
      const { body }: Json = await api.request('GET', next)
      if (body.pools.length > 0) pages.push(body.pools)
      const href: string | undefined = body.pools_links?.find((link: Json) => link.rel === rel)?.href
      next = href?.slice(api.url.length)
    }
    return pages
  }
  for (const sort of [
    '',
    '&sort_key=name&sort_dir=asc',
    '&sort_key=name&sort_dir=desc&sort_key=description&sort_dir=asc',
    '&sort_key=session_persistence&sort_dir=asc'.replace('session_persistence', 'updated_at'),
    '&sort_key=healthmonitor_id&sort_dir=desc',
    '&sort_key=healthmonitor_id&sort_dir=asc',
    '&sort_key=admin_state_up&sort_dir=asc&sort_key=created_at&sort_dir=desc',
  ]) {
    const whole = (await api.request('GET', `${LB}/pools?${sort.slice(1)}`)).body.pools.map(
      (pool: Json) => pool.id,
    )
    const forward = await follow(`${LB}/pools?limit=3${sort}`, 'next')
    assert.deepEqual(
      forward.flat().map((pool) => pool.id),
      whole,
      sort,
    )
    const last = whole.at(-1) as string
    const back = await follow(`${LB}/pools?limit=3&page_reverse=True&marker=${last}${sort}`, 'previous')
    assert.deepEqual(
      back
        .toReversed()
        .flat()
        .map((pool) => pool.id),
      whole.slice(0, -1),
      sort,
    )
  }
})

test('links are as Neutron makes them: previous on page one, next on a full last page, none when all is shown', async (t) => {
  const api = await startApi(t, { publicUrl: 'https://lb.example.org' })
  const made = await Promise.all([
    aLoadBalancer(api),
    aLoadBalancer(api),
    aLoadBalancer(api),
    aLoadBalancer(api),
  ])
  const ids = made.map((lb) => lb.id as string).sort((a, b) => (a < b ? -1 : 1))
  const list = async (query: string) => (await api.request('GET', `/elb${LB}/loadbalancers${query}`)).body
  const base = `https://lb.example.org/elb${LB}/loadbalancers`
  assert.equal('loadbalancers_links' in (await list('')), false)
  assert.equal('loadbalancers_links' in (await list('?limit=0')), false)
  assert.deepEqual((await list('?limit=2&name=')).loadbalancers_links, [
    { rel: 'next', href: `${base}?limit=2&name=&marker=${ids[1]}` },
    { rel: 'previous', href: `${base}?limit=2&name=&marker=${ids[0]}&page_reverse=True` },
  ])
  const full = await list(`?limit=2&marker=${ids[1]}`)
  assert.deepEqual(
    full.loadbalancers_links.map((link: Json) => link.rel),
    ['next', 'previous'],
  )
  assert.deepEqual(await list(`?limit=2&marker=${ids[3]}`), { loadbalancers: [] })
  const short = await list(`?limit=3&marker=${ids[1]}`)
  assert.deepEqual(
    short.loadbalancers_links.map((link: Json) => link.rel),
    ['previous'],
  )
  const firstBack = await list(`?limit=3&marker=${ids[2]}&page_reverse=true`)
  assert.deepEqual(
    firstBack.loadbalancers.map((lb: Json) => lb.id),
    ids.slice(0, 2),
  )
  assert.deepEqual(
    firstBack.loadbalancers_links.map((link: Json) => link.rel),
    ['next'],
  )
})

test('a list without a limit ends at HM_PAGE_MAX and links to the rest; a greater limit is cut', async (t) => {
  const api = await startApi(t, { pageMax: 3 })
  await Promise.all(Array.from({ length: 5 }, () => aLoadBalancer(api)))
  const first = (await api.request('GET', `${LB}/loadbalancers`)).body
  assert.equal(first.loadbalancers.length, 3)
  const next = first.loadbalancers_links[0]
  assert.equal(next.rel, 'next')
  const second = (await api.request('GET', (next.href as string).slice(api.url.length))).body
  assert.equal(second.loadbalancers.length, 2)
  assert.equal((await api.request('GET', `${LB}/loadbalancers?limit=100`)).body.loadbalancers.length, 3)
  const huge = await api.request('GET', `${LB}/loadbalancers?limit=999999999999999`)
  assert.equal(huge.body.loadbalancers.length, 3)
})

test('fields shows only what was requested, in lists and in one object', async (t) => {
  const api = await startApi(t)
  const lb = await aLoadBalancer(api, { name: 'a' })
  const query = '?fields=id&fields=name&fields=nothing'
  const expected = { id: lb.id, name: 'a' }
  assert.deepEqual((await api.request('GET', `${LB}/loadbalancers${query}`)).body, {
    loadbalancers: [expected],
  })
  const one = await api.request('GET', `${LB}/loadbalancers/${lb.id}${query}`)
  assert.deepEqual(one.body, { loadbalancer: expected })
})

test('what a list cannot do is refused in its words', async (t) => {
  const api = await startApi(t)
  const lb = await aLoadBalancer(api)
  const refused = async (path: string, status: number, message: RegExp, headers = {}) => {
    const answer = await api.request('GET', `${LB}/${path}`, undefined, headers)
    assertRefused(answer, { status, code: status === 404 ? 'ELB.8904' : 'ELB.9899', message })
  }
  for (const collection of ['loadbalancers', 'listeners', 'pools', 'healthmonitors']) {
    await refused(`${collection}?limit=-1`, 400, /^Limit must be an integer 0 or greater and not '-1'$/)
    await refused(`${collection}?limit=x`, 400, /^Limit must be an integer/)
    await refused(`${collection}?sort_key=name`, 400, /^The number of sort_keys and sort_dirs must be same$/)
    await refused(
      `${collection}?sort_key=foo&sort_dir=asc`,
      400,
      /^\['foo'\] is invalid attribute for sort_keys$/,
    )
    await refused(`${collection}?sort_key=name&sort_dir=up`, 400, /sort_dir/)
    await refused(`${collection}?limit=1&marker=x`, 404, /could not be found/)
    await refused(
      `${collection}?limit=1&marker=00000000-0000-4000-8000-000000000000`,
      404,
      /could not be found/,
    )
    await refused(`${collection}?name=%00`, 400, /NUL/)
    await refused(`${collection}?${'a=1&'.repeat(201)}`, 400, /at most 200/)
  }
  await refused('loadbalancers?sort_key=member_address&sort_dir=asc', 400, /invalid attribute for sort_keys/)
  await refused('pools?sort_key=listener_id&sort_dir=asc', 400, /invalid attribute for sort_keys/)
  await refused(`loadbalancers?limit=1&marker=${lb.id}`, 404, /could not be found/, {
    'x-project-id': 'other',
  })
})
