/** What one request may cost: bodies are bounded before a schema sees them, lists of objects and pages by what they hold. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { developmentIdentity } from '../../src/identity/development.ts'
import { developmentIdentify } from '../../src/identity/development-identify.ts'
import { PAGE_MAX_BYTES, TAGS_MAX } from '../../src/domain/limits.ts'
import { query } from '../../src/store/connection/database.ts'
import { type Api, type Json, startApi } from '../support/api.ts'
import { aLoadBalancer, aListener, aPool, assertRefused, contents, SUBNET } from '../support/api-objects.ts'
import * as octavia from '../support/octavia.ts'

const ELB = '/elb/v2.0/lbaas'
const { OCTAVIA, assertFault } = octavia
const many = <Item>(count: number, item: (i: number) => Item): Item[] =>
  Array.from({ length: count }, (_, i) => item(i))
const unknownKeys = (count: number) => Object.fromEntries(many(count, (i) => [`k${i}`, i]))

/** The same body to both dialects, refused in the words of each, with nothing changed. */
async function refusedByBoth(
  api: Api,
  { method, path, body }: { readonly method: string; readonly path: string; readonly body: unknown },
  expected: { readonly status: number; readonly message: string },
): Promise<void> {
  const before = await contents(api)
  assertRefused(await api.request(method, ELB + path, body), { ...expected, code: 'ELB.8902' })
  assertFault(await api.request(method, OCTAVIA + path, body), expected.status, expected.message)
  assert.deepEqual(await contents(api), before)
}

test('a body with more than a schema should look at is refused by the bound that it passes', async (t) => {
  const api = await startApi(t)
  const pool = await aPool(api, (await aLoadBalancer(api)).id)
  const path = `/pools/${pool.id}`
  const put = (body: unknown) => ({ method: 'PUT', path, body })
  const bytes = { status: 413, message: 'The body is larger than 65536 bytes.' }
  await refusedByBoth(api, put({ pool: unknownKeys(20_000) }), bytes)
  await refusedByBoth(api, put({ pool: { depends_on: many(40_000, () => 'x') } }), bytes)
  const keys = { status: 400, message: 'An object in the body has more than 128 keys.' }
  await refusedByBoth(api, put({ pool: unknownKeys(129) }), keys)
  const values = { status: 400, message: 'The body has more than 5000 keys and items.' }
  await refusedByBoth(api, put({ pool: { depends_on: many(5000, () => 'x') } }), values)
  const depth = { status: 400, message: 'The body is nested more than 32 levels deep.' }
  await refusedByBoth(api, put('['.repeat(60_000)), depth)
  await refusedByBoth(api, { method: 'PUT', path: `${path}/members`, body: '['.repeat(2_000_000) }, depth)
  // A schema sees what is within: 100 unknown keys are unknown.
  assertRefused(await api.request('PUT', ELB + path, { pool: unknownKeys(100) }), {
    status: 400,
    code: 'ELB.9899',
  })
  assertFault(
    await api.request('PUT', OCTAVIA + path, { pool: unknownKeys(100) }),
    400,
    /^Unknown attributes for argument/,
  )
})

test('batches and the create of a load balancer with its children may be large, and no other body', async (t) => {
  const api = await startApi(t)
  const lb = await aLoadBalancer(api)
  const pool = await aPool(api, lb.id)
  const members = many(2000, (i) => ({
    address: `10.0.${i >> 8}.${i & 255}`,
    protocol_port: 80,
    name: `member ${i}`,
  }))
  const batch = await api.request('PUT', `${OCTAVIA}/pools/${pool.id}/members`, { members })
  assert.equal(batch.status, 202)
  const loadbalancer = {
    vip_subnet_id: SUBNET,
    pools: [{ name: 'p', protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN', members }],
  }
  const created = await api.request('POST', `${OCTAVIA}/loadbalancers`, { loadbalancer })
  assert.equal(created.status, 201)
  assert.deepEqual(
    created.body.loadbalancer.pools[0].members.map(({ name }: Json) => name),
    members.map(({ name }) => name),
  )
  const elb = await api.request('POST', `${ELB}/loadbalancers`, { loadbalancer })
  assertRefused(elb, { status: 413, code: 'ELB.8902', message: 'The body is larger than 65536 bytes.' })
  const large = 'The body is larger than 4194304 bytes.'
  const padded = `{"members":[]${' '.repeat(4 * 1024 * 1024)}}`
  assertFault(await api.request('PUT', `${OCTAVIA}/pools/${pool.id}/members`, padded), 413, large)
})

test('a create of a load balancer has so many objects, and refuses a wrong member with its position', async (t) => {
  const api = await startApi(t)
  const before = await contents(api)
  const post = (attributes: object) =>
    api.request('POST', `${OCTAVIA}/loadbalancers`, {
      loadbalancer: { vip_subnet_id: SUBNET, ...attributes },
    })
  const poolOf = (name: string, members: unknown) => ({
    name,
    protocol: 'HTTP',
    lb_algorithm: 'ROUND_ROBIN',
    members,
  })
  const target = (i: number) => ({ address: `10.0.${i >> 8}.${i & 255}`, protocol_port: 80 })
  assertFault(
    await post({ pools: [poolOf('a', many(2501, target)), poolOf('b', many(2500, target))] }),
    400,
    'A load balancer is created with at most 5000 members in one request.',
  )
  assertFault(
    await post({ pools: many(501, (i) => poolOf(`p${i}`, [])) }),
    400,
    'A load balancer is created with at most 500 pools in one request.',
  )
  assertFault(
    await post({ pools: [poolOf('a', [target(1), { ...target(2), colour: 'red' }])] }),
    400,
    'Unknown attribute for argument load_balancer.loadbalancer.pools.members: colour',
  )
  const listener = {
    protocol: 'HTTP',
    protocol_port: 80,
    default_pool: poolOf('a', [{ address: '10.0.0.1' }]),
  }
  assertFault(
    await post({ listeners: [listener] }),
    400,
    "Invalid input for field/attribute protocol_port. Value: 'None'. Mandatory field missing.",
  )
  assert.deepEqual(await contents(api), before)
})

test('the development identity bounds its bodies, in the words of Keystone', async (t) => {
  const development = developmentIdentity({ key: Buffer.alloc(32, 1), defaultProject: 'p' })
  const identify = developmentIdentify(development, 'p')
  const api = await startApi(t, { identity: { identify, developmentIdentity: development } })
  const post = (body: string) => api.request('POST', '/identity/v3/auth/tokens', body)
  const large = await post(`{"auth":${JSON.stringify('x'.repeat(70_000))}}`)
  assert.deepEqual([large.status, large.body.error.message], [413, 'The body is larger than 65536 bytes.'])
  const deep = await post('['.repeat(60_000))
  assert.deepEqual(
    [deep.status, deep.body.error.message],
    [400, 'The body is nested more than 32 levels deep.'],
  )
})

const tagsOf = (count: number) => many(count, (i) => `tag ${i}`)
const KINDS = ['loadbalancer', 'listener', 'pool', 'member', 'healthmonitor'] as const
const TABLES = {
  loadbalancer: 'load_balancer',
  listener: 'listener',
  pool: 'pool',
  member: 'member',
  healthmonitor: 'health_monitor',
} as const

/** One object of each kind, with its path. */
async function oneOfEach(api: Api): Promise<Readonly<Record<(typeof KINDS)[number], string>>> {
  const lb = await aLoadBalancer(api)
  const listener = await aListener(api, lb.id)
  const pool = await aPool(api, lb.id)
  const monitor = await octavia.aMonitor(api, pool.id)
  const member = await octavia.made(api, `pools/${pool.id}/members`, {
    address: '10.0.0.1',
    protocol_port: 80,
  })
  return {
    loadbalancer: `/loadbalancers/${lb.id}`,
    listener: `/listeners/${listener.id}`,
    pool: `/pools/${pool.id}`,
    member: `/pools/${pool.id}/members/${member.id}`,
    healthmonitor: `/healthmonitors/${monitor.id}`,
  }
}

const TOO_MANY_TAGS =
  /^Invalid input for field\/attribute tags\. Value: '\[.*\. Value should have at most 50 items$/

test('an object has at most 50 tags, and what has more from before keeps them while it changes otherwise', async (t) => {
  const api = await startApi(t)
  const paths = await oneOfEach(api)
  const stored = JSON.stringify(tagsOf(300).map((key) => ({ key, value: '' })))
  for (const kind of KINDS) {
    const path = OCTAVIA + paths[kind]
    const put = (attributes: object) => api.request('PUT', path, { [kind]: attributes })
    assert.equal((await put({ tags: tagsOf(50) })).status, 200, kind)
    assertFault(await put({ tags: tagsOf(51) }), 400, TOO_MANY_TAGS)
    await query(api.db, `update ${TABLES[kind]} set tags = $1::jsonb`, [stored])
    assert.deepEqual((await api.request('GET', path)).body[kind].tags, tagsOf(300), kind)
    assert.deepEqual((await put({ name: 'other' })).body[kind].tags, tagsOf(300), kind)
    const same = await put({ name: 'again', tags: tagsOf(300) })
    assert.deepEqual([same.status, same.body[kind].tags], [200, tagsOf(300)], kind)
    assertFault(await put({ tags: [...tagsOf(300), 'one more'] }), 400, TOO_MANY_TAGS)
    assertFault(await put({ tags: [...tagsOf(299), 'another'] }), 400, TOO_MANY_TAGS)
    assert.deepEqual((await put({ tags: tagsOf(200) })).body[kind].tags, tagsOf(200), kind)
    assert.equal((await api.request('PUT', ELB + paths[kind], { [kind]: { name: 'elb' } })).status, 200, kind)
    assert.deepEqual((await api.request('GET', path)).body[kind].tags, tagsOf(200), kind)
  }
  const create = await api.request('POST', `${OCTAVIA}/loadbalancers`, {
    loadbalancer: { vip_subnet_id: SUBNET, tags: tagsOf(51) },
  })
  assertFault(create, 400, TOO_MANY_TAGS)
})

test('tags beyond the bound of elb can be taken away there, and not become more', async (t) => {
  const api = await startApi(t)
  const { id } = await aLoadBalancer(api)
  await octavia.force(api, 'load_balancer', id, 'ACTIVE')
  await api.request('PUT', `${OCTAVIA}/loadbalancers/${id}`, {
    loadbalancer: { tags: many(40, (i) => `t${i}`) },
  })
  const action = `/v2.0/default-project/loadbalancers/${id}/tags/action`
  const one = (verb: string, key: string) =>
    api.request('POST', action, { action: verb, tags: [{ key, value: '' }] })
  assertRefused(await one('create', 'more'), {
    status: 400,
    code: 'ELB.8902',
    message: new RegExp(`at most ${TAGS_MAX} tags`),
  })
  assert.equal((await one('delete', 't7')).status, 204)
  assert.equal(
    (await api.request('GET', `/v2.0/default-project/loadbalancers/${id}/tags`)).body.tags.length,
    39,
  )
})

test('other lists of octavia are bounded in the same way', async (t) => {
  const api = await startApi(t)
  const paths = await oneOfEach(api)
  for (const [kind, attribute, max, item] of [
    ['listener', 'allowed_cidrs', 1000, (i: number) => `10.${i >> 8}.${i & 255}.0/24`],
    [
      'loadbalancer',
      'vip_sg_ids',
      50,
      (i: number) => `11111111-2222-4333-8444-${String(i).padStart(12, '0')}`,
    ],
  ] as const) {
    const put = (count: number) =>
      api.request('PUT', OCTAVIA + paths[kind], { [kind]: { [attribute]: many(count, item) } })
    assert.equal((await put(max)).status, 200, attribute)
    assertFault(
      await put(max + 1),
      400,
      new RegExp(`^Invalid input for field/attribute ${attribute}\\..* at most ${max} items$`),
    )
    await query(api.db, `update ${TABLES[kind]} set echo = echo || $1::jsonb`, [
      JSON.stringify({ [attribute]: many(max + 20, item) }),
    ])
    assert.deepEqual((await put(max + 20)).body[kind][attribute], many(max + 20, item), attribute)
    assert.equal((await put(max + 10)).status, 200, attribute)
    assertFault(await put(max + 21), 400, /at most/)
  }
  const vips = many(33, () => ({ subnet_id: SUBNET }))
  const create = await api.request('POST', `${OCTAVIA}/loadbalancers`, {
    loadbalancer: { vip_subnet_id: SUBNET, additional_vips: vips },
  })
  assertFault(create, 400, /^Invalid input for field\/attribute additional_vips\..* at most 32 items$/)
})

/** Load balancers whose tags are so large as they could be made before there was a bound. */
async function largeLoadBalancers(api: Api, count: number, bytesEach: number): Promise<void> {
  for (let i = 0; i < count; i++) await aLoadBalancer(api, { name: `lb ${String(i).padStart(2, '0')}` })
  const words = Math.floor(bytesEach / 100)
  await query(
    api.db,
    `update load_balancer set tags =
       (select jsonb_agg(jsonb_build_object('key', repeat('t', 90) || i, 'value', '')) from generate_series(1, $1::int) i)`,
    [words],
  )
}

/** Walks a list by its links; gives the names and how many were on each page. */
async function walked(
  api: Api,
  path: string,
  rel: string,
): Promise<{ readonly names: string[]; readonly pages: number[] }> {
  const names: string[] = []
  const pages: number[] = []
  let next: string | undefined = path
  while (next !== undefined) {
    const { status, body } = await api.request('GET', next)
    assert.equal(status, 200, next)
    assert.ok(Buffer.byteLength(JSON.stringify(body.loadbalancers)) <= PAGE_MAX_BYTES + 2, next)
    const links = (body.loadbalancers_links ?? []) as { rel: string; href: string }[]
    pages.push(body.loadbalancers.length)
    const shown = body.loadbalancers.map(({ name }: Json) => name as string)
    if (rel === 'next') names.push(...shown)
    else names.unshift(...shown)
    next =
      body.loadbalancers.length === 0
        ? undefined
        : links.find((link) => link.rel === rel)?.href.replace(api.url, '')
  }
  return { names, pages }
}

test('a page ends by its bytes, and its links lead through all that there is, in both directions', async (t) => {
  const api = await startApi(t)
  await largeLoadBalancers(api, 11, 2_000_000)
  const expected = many(11, (i) => `lb ${String(i).padStart(2, '0')}`)
  for (const [path, size] of [
    [`${OCTAVIA}/loadbalancers?sort=name`, 4],
    [`${OCTAVIA}/loadbalancers?sort=name&limit=10`, 4],
    [`${OCTAVIA}/loadbalancers?sort=name&limit=2`, 2],
    [`${ELB}/loadbalancers?sort_key=name&sort_dir=asc`, 4],
    [`${ELB}/loadbalancers?sort_key=name&sort_dir=asc&limit=100`, 4],
  ] as const) {
    const { names, pages } = await walked(api, path, 'next')
    assert.deepEqual(names, expected, path)
    assert.equal(pages[0], size, `${path}: ${pages.join()}`)
  }
  const last = (await api.request('GET', `${ELB}/loadbalancers?name=lb%2010&fields=id`)).body.loadbalancers[0]
    .id
  const back = `${ELB}/loadbalancers?sort_key=name&sort_dir=asc&limit=100&marker=${last}&page_reverse=True`
  const { names, pages } = await walked(api, back, 'previous')
  assert.deepEqual(names, expected.slice(0, -1))
  assert.equal(pages[0], 4)
})

test('one object that is larger than a page is a page', async (t) => {
  const api = await startApi(t)
  await largeLoadBalancers(api, 3, PAGE_MAX_BYTES + 100_000)
  const first = await api.request('GET', `${ELB}/loadbalancers?sort_key=name&sort_dir=asc`)
  assert.deepEqual(
    first.body.loadbalancers.map(({ name }: Json) => name),
    ['lb 00'],
  )
  const next = first.body.loadbalancers_links[0]
  assert.equal(next.rel, 'next')
  const second = await api.request('GET', next.href.replace(api.url, ''))
  assert.deepEqual(
    second.body.loadbalancers.map(({ name }: Json) => name),
    ['lb 01'],
  )
})
