/** Public pages: who makes them, what strangers see of them, and what strangers may cost. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import {
  PUBLIC_ANSWER_MS,
  PUBLIC_PAGES_PER_PROJECT,
  PUBLIC_UNKNOWN_PER_CLIENT,
} from '../../src/domain/limits.ts'
import { openDatabase, query } from '../../src/store/connection/database.ts'
import { type Api, type Json, startApi } from '../support/api.ts'
import { testDatabase } from '../support/database.ts'
import { aLoadBalancer, aMonitor, aPool, made } from '../support/octavia.ts'
import { FOREIGN, OWNER, SECRET, startTwoProjects } from '../support/two-projects.ts'

const ALL = '/v1/public-pages'

async function aPage(api: Api, attributes: object, headers = {}): Promise<Json> {
  const { status, body } = await api.request('POST', ALL, { public_page: attributes }, headers)
  assert.equal(status, 201, JSON.stringify(body))
  return body.public_page
}

/** A pool with a name, a monitor and some members with names. */
async function aShop(api: Api, name: string, members: readonly string[]): Promise<Json> {
  const pool = await aPool(api, (await aLoadBalancer(api)).id, { name })
  await aMonitor(api, pool.id)
  for (const [i, member] of members.entries()) {
    await made(api, `pools/${pool.id}/members`, {
      name: member,
      address: `192.0.2.${i + 1}`,
      protocol_port: 8080,
    })
  }
  return pool
}

test('a page is made, shown, changed and deleted, and only its creation and a rotation show a link', async (t) => {
  const api = await startApi(t)
  const [first, second] = [await aShop(api, 'web', []), await aShop(api, 'db', [])]
  const page = await aPage(api, { title: ' Shop ', pools: [second.id, first.id] })
  assert.deepEqual([page.title, page.pools, page.show_members], ['Shop', [second.id, first.id], false])
  assert.deepEqual(page.pool_names, [second.name, first.name])
  assert.match(page.token, /^[\w-]{32}$/)
  assert.equal(page.url, `${api.url}/public/${page.token}`)
  const [stored] = await query<{ token_hash: Buffer; row: string }>(
    api.db,
    'select token_hash, p::text as row from public_page p',
  )
  assert.deepEqual(
    stored?.token_hash,
    createHash('sha256')
      .update(page.token as string)
      .digest(),
  )
  assert.ok(!stored.row.includes(page.token as string))

  const { token: _token, url: _url, ...shown } = page
  assert.deepEqual((await api.request('GET', `${ALL}/${page.id}`)).body, { public_page: shown })
  assert.deepEqual((await api.request('GET', ALL)).body, { public_pages: [shown] })
  const changed = await api.request('PUT', `${ALL}/${page.id}`, {
    public_page: { title: 'Store', pools: [first.id], show_members: true },
  })
  const { title, pools, show_members: members, token } = changed.body.public_page
  assert.deepEqual([title, pools, members, token], ['Store', [first.id], true, undefined])
  assert.equal((await api.request('GET', `/v1/public/${page.token}`)).body.title, 'Store')

  const rotated = (await api.request('POST', `${ALL}/${page.id}/rotate`)).body.public_page
  assert.notEqual(rotated.token, page.token)
  assert.equal((await api.request('GET', `/v1/public/${page.token}`)).status, 404)
  assert.equal((await api.request('GET', `/v1/public/${rotated.token}`)).status, 200)
  assert.equal((await api.request('DELETE', `${ALL}/${page.id}`)).status, 204)
  for (const path of ['/v1/public/', '/public/'].flatMap((at) => [
    `${at}${rotated.token}`,
    `${at}${page.token}`,
  ])) {
    assert.equal((await api.request('GET', path)).status, 404, path)
  }
  assert.equal((await api.request('GET', `/public/${rotated.token}/badge.svg`)).status, 404)
  assert.equal((await api.request('GET', `${ALL}/${page.id}`)).status, 404)
})

test('a page has pools of its own project, each once, and a project has so many pages', async (t) => {
  const api = await startApi(t)
  const { id } = await aShop(api, 'web', [])
  const other = { 'x-project-id': 'other' }
  const create = (attributes: object, headers = {}) =>
    api.request('POST', ALL, { public_page: attributes }, headers)
  assert.equal((await create({ title: 'x', pools: [id] }, other)).status, 404)
  assert.equal((await create({ title: 'x', pools: [id, id] })).status, 400)
  for (const title of ['  ', '\u202e\u200b']) assert.equal((await create({ title, pools: [id] })).status, 400)
  assert.equal((await create({ title: 'x', pools: Array.from({ length: 101 }, () => id) })).status, 400)
  const page = await aPage(api, { title: 'x', pools: [id] })
  assert.equal((await api.request('GET', `${ALL}/${page.id}`, undefined, other)).status, 404)
  const most = await Promise.all(
    Array.from({ length: PUBLIC_PAGES_PER_PROJECT + 5 }, (_, i) => create({ title: `${i}`, pools: [id] })),
  )
  const count = (status: number) => most.filter((answer) => answer.status === status).length
  assert.deepEqual([count(201), count(403)], [PUBLIC_PAGES_PER_PROJECT - 1, 6])
  assert.equal((await create({ title: 'x', pools: [] }, other)).status, 201)
})

test('a pool that is deleted goes from its pages', async (t) => {
  const api = await startApi(t)
  const pool = await aPool(api, (await aLoadBalancer(api)).id, { name: 'web' })
  const page = await aPage(api, { title: 'x', pools: [pool.id] })
  assert.equal((await api.request('DELETE', `/load-balancer/v2.0/lbaas/pools/${pool.id}`)).status, 204)
  assert.deepEqual((await api.request('GET', `${ALL}/${page.id}`)).body.public_page.pools, [])
  assert.deepEqual((await api.request('GET', `${ALL}/${page.id}`)).body.public_page.pool_names, [])
  assert.deepEqual((await api.request('GET', `/v1/public/${page.token}`)).body.pools, [])
})

test('who may write in a project makes its pages, who reads sees them without links, and nobody else does', async (t) => {
  const { ask, owned, foreign } = await startTwoProjects(t)
  const attributes = { title: 'Shop', pools: [owned.pool] }
  const create = (who: 'reader' | 'member' | 'foreign' | 'admin' | undefined, body: object = attributes) =>
    ask(who, 'POST', ALL, { public_page: body })
  assert.equal((await create(undefined)).status, 401)
  assert.equal((await create('reader')).status, 403)
  assert.equal((await create('foreign')).status, 404, 'of a pool of the owner')
  assert.equal((await create('foreign', { ...attributes, project_id: OWNER })).status, 403)
  assert.equal((await create('admin', { ...attributes, project_id: OWNER })).status, 201)
  const page = (await create('member')).body.public_page
  assert.equal((await ask('reader', 'GET', `${ALL}/${page.id}`)).status, 200)
  assert.equal((await ask('reader', 'GET', ALL)).body.public_pages.length, 2)
  assert.deepEqual((await ask('foreign', 'GET', ALL)).body.public_pages, [])
  assert.equal((await ask('foreign', 'GET', `${ALL}?project_id=${OWNER}`)).status, 403)
  for (const [method, path, body] of [
    ['GET', '', undefined],
    ['PUT', '', { public_page: { title: 'mine' } }],
    ['POST', '/rotate', undefined],
    ['DELETE', '', undefined],
  ] as const) {
    assert.equal((await ask('foreign', method, `${ALL}/${page.id}${path}`, body)).status, 403, method)
    if (method !== 'GET')
      assert.equal((await ask('reader', method, `${ALL}/${page.id}${path}`, body)).status, 403, method)
    assert.equal((await ask(undefined, method, `${ALL}/${page.id}${path}`, body)).status, 401, method)
  }
  const own = await ask('foreign', 'PUT', `${ALL}/${page.id}`, { public_page: { pools: [foreign.pool] } })
  assert.equal(own.status, 403)
  const mixed = await ask('member', 'PUT', `${ALL}/${page.id}`, { public_page: { pools: [foreign.pool] } })
  assert.equal(mixed.status, 404)
  assert.equal(
    (await ask(undefined, 'GET', `/v1/public/${page.token}`)).status,
    200,
    'with the link everybody',
  )
  assert.notEqual(FOREIGN, OWNER)
})

test('strangers see names and statuses, and nothing that could lead to the members', async (t) => {
  const { api, ask, owned } = await startTwoProjects(t)
  const create = async (showMembers: boolean) => {
    const attributes = { title: 'Shop', pools: [owned.pool, owned.emptyPool], show_members: showMembers }
    return (await ask('member', 'POST', ALL, { public_page: attributes })).body.public_page
  }
  await query(api.db, `update pool set name = '' where id = $1`, [owned.emptyPool])
  for (const showMembers of [false, true]) {
    const { token } = await create(showMembers)
    const { status, body, headers } = await api.request('GET', `/v1/public/${token}`)
    assert.equal(status, 200)
    const text = JSON.stringify(body)
    assert.equal(body.pools[0].name, SECRET, 'names of pools are shown')
    assert.equal(body.pools[1].name, 'Pool 2')
    for (const hidden of [
      OWNER,
      '127.0.0',
      '7777',
      ...Object.values(owned),
      'CONNECT',
      'monitor_',
      'token',
    ]) {
      assert.ok(!text.includes(hidden), `${hidden} in ${text}`)
    }
    assert.equal(body.pools[0].members?.shown.length, showMembers ? 1 : undefined)
    assert.equal(body.pools[0].days.up_shares.length, 90)
    assert.deepEqual(
      body.pools[0].uptime.map(({ hours }: Json) => hours),
      [24, 168, 720, 2160],
    )
    assert.equal(headers['set-cookie'], undefined)
    assert.equal(headers['referrer-policy'], 'no-referrer')
    assert.equal(headers['x-robots-tag'], 'noindex')
  }
})

test('the answer is kept for seconds and asked for by its tag, and a badge for half a minute', async (t) => {
  const api = await startApi(t)
  const pool = await aShop(api, 'web', [])
  const { token } = await aPage(api, { title: 'Shop', pools: [pool.id] })
  const first = await api.request('GET', `/v1/public/${token}`)
  assert.equal(first.headers['cache-control'], 'public, max-age=5')
  const etag = String(first.headers['etag'])
  const again = await api.request('GET', `/v1/public/${token}`, undefined, { 'if-none-match': etag })
  assert.deepEqual([again.status, again.body], [304, undefined])
  const badge = await api.request('GET', `/public/${token}/badge.svg?pool=web&show=status`)
  assert.deepEqual(
    [badge.status, badge.headers['content-type'], badge.headers['cache-control']],
    [200, 'image/svg+xml', 'public, max-age=30'],
  )
  assert.match(String(badge.body), /<title>web: (up|unknown)<\/title>/)
  assert.equal((await api.request('GET', `/public/${token}/badge.svg?pool=none`)).status, 404)
  assert.equal((await api.request('GET', `/public/${token}/badge.svg?show=all`)).status, 400)
})

test('the page of a link has the policy of the page for people; of an unknown link it is 404, and says no more', async (t) => {
  const api = await startApi(t)
  const { token } = await aPage(api, { title: 'Shop', pools: [] })
  const known = await api.request('GET', `/public/${token}`)
  const unknown = await api.request('GET', `/public/${'x'.repeat(32)}`)
  assert.deepEqual([known.status, unknown.status], [200, 404])
  assert.equal(known.body, unknown.body)
  for (const { headers } of [known, unknown]) {
    assert.match(String(headers['content-security-policy']), /^default-src 'none'; script-src 'self'; /)
    assert.equal(headers['referrer-policy'], 'no-referrer')
    assert.equal(headers['x-robots-tag'], 'noindex')
    assert.equal(headers['set-cookie'], undefined)
  }
  const parts = [...String(known.body).matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)].map(
    ([, path]) => path,
  )
  assert.ok(parts.length >= 3)
  for (const part of parts) assert.equal((await api.request('GET', `/public/${part}`)).status, 200, part)
  assert.equal((await api.request('GET', '/public/assets/..%2fpublic.html')).status, 404)
})

test('a link with a slash too many leads to its page, also behind the prefix of a proxy', async (t) => {
  const api = await startApi(t)
  const { token } = await aPage(api, { title: 'Shop', pools: [] })
  for (const path of [
    `/public/${token}/`,
    `/public//${token}`,
    `/public//${token}//`,
    `/public/${token}/?a=b`,
  ]) {
    const { status, headers } = await api.request('GET', path)
    const target = new URL(String(headers['location']), `https://status.example/prefix${path}`)
    assert.deepEqual([status, target.href], [302, `https://status.example/prefix/public/${token}`], path)
  }
})

test('without identity only loopback hosts are answered, as everywhere', async (t) => {
  const api = await startApi(t)
  const { token } = await aPage(api, { title: 'Shop', pools: [] })
  for (const path of [`/public/${token}`, `/public/${token}/badge.svg`, `/v1/public/${token}`]) {
    const { status } = await api.request('GET', path, undefined, { host: 'rebound.example' })
    assert.equal(status, 400, path)
  }
})

test('no line of the log has a link', async (t) => {
  const lines: unknown[] = []
  const log = {
    debug: (fields: object) => void lines.push(fields),
    info: (fields: object) => void lines.push(fields),
    error: (fields: object) => void lines.push(fields),
  }
  const api = await startApi(t, { log })
  const { token } = await aPage(api, { title: 'Shop', pools: [] })
  for (const [path, expected] of [
    [`/v1/public/${token}`, 200],
    [`/public/${token}`, 200],
    [`/public/${token}/badge.svg?show=status`, 200],
    // Slashes that somebody has doubled or added, and the root of a dialect.
    [`//public/${token}`, 200],
    [`/public//${token}`, 302],
    [`/public/${token}/`, 302],
    [`/v1//public/${token}/`, 200],
    [`/elb/v1/public/${token}`, 404],
  ] as const) {
    assert.equal((await api.request('GET', path)).status, expected, path)
  }
  const text = JSON.stringify(lines)
  assert.ok(!text.includes(token as string), text)
  assert.match(text, /"path":"\/v1\/public\/\*\*\*"/)
  assert.match(text, /"operation":"create","object":"public-pages"/)
})

test('a client that asks for many unknown links has to come later, and known links are still answered', async (t) => {
  const api = await startApi(t)
  const { token } = await aPage(api, { title: 'Shop', pools: [] })
  assert.equal((await api.request('GET', `/v1/public/${token}`)).status, 200)
  for (let i = 0; i < PUBLIC_UNKNOWN_PER_CLIENT; i++) {
    assert.equal((await api.request('GET', `/v1/public/unknown-${i}`)).status, 404)
  }
  const refused = await api.request('GET', '/v1/public/unknown')
  assert.equal(refused.status, 429)
  assert.ok(Number(refused.headers['retry-after']) >= 1)
  assert.equal((await api.request('GET', '/public/unknown')).status, 429)
  assert.equal((await api.request('GET', `/v1/public/${token}`)).status, 200)
})

test('strangers at the page of one project delay no request of another: its answers are made once in five seconds', async (t) => {
  const { url } = await testDatabase(t)
  const connections = 6
  const db = openDatabase({ url, applicationName: 'healthmonitor test', maxConnections: connections })
  t.after(() => db.destroy())
  const api = await startApi(t, { db, admission: { connections } })
  const pools: string[] = []
  for (let i = 0; i < 10; i++) pools.push((await aShop(api, `pool ${i}`, ['a', 'b'])).id as string)
  const { token } = await aPage(api, { title: 'Shop', pools, show_members: true })
  const bystander = { 'x-project-id': 'bystander' }
  const measure = async (): Promise<number> => {
    const took: number[] = []
    for (let i = 0; i < 60; i++) {
      const startedMs = performance.now()
      const { status } = await api.request('GET', '/v1/overview', undefined, bystander)
      assert.equal(status, 200)
      took.push(performance.now() - startedMs)
    }
    return took.toSorted((a, b) => a - b)[Math.floor(0.95 * took.length)] ?? 0
  }
  const alone = await measure()
  const made = new Set<string>()
  let isOver = false
  let answers = 0
  const strangers = Array.from({ length: 16 }, async () => {
    while (!isOver) {
      // Not by the client of the tests, which compares each answer with openapi.yaml.
      const answer = await fetch(`${api.url}/v1/public/${token}`)
      assert.equal(answer.status, 200)
      made.add(((await answer.json()) as { as_of: string }).as_of)
      answers++
    }
  })
  const startedMs = performance.now()
  const beside = await measure()
  isOver = true
  await Promise.all(strangers)
  const most = Math.ceil((performance.now() - startedMs) / PUBLIC_ANSWER_MS) + 1
  t.diagnostic(
    `p95 of the bystander: alone ${alone.toFixed(1)} ms, beside ${answers} answers ${beside.toFixed(1)} ms; made ${made.size} times`,
  )
  assert.ok(answers > 100, `${answers} answers`)
  assert.ok(made.size <= most, `made ${made.size} times, at most ${most}`)
  assert.ok(beside < Math.max(250, 8 * alone), `${beside} ms beside, ${alone} ms alone`)
})

test('a marker whose page is gone is refused; one without anything behind it is not', async (t) => {
  const api = await startApi(t)
  const pool = await aShop(api, 'web', [])
  const [gone, last] = [
    await aPage(api, { title: 'a', pools: [pool.id] }),
    await aPage(api, { title: 'b', pools: [pool.id] }),
  ]
  await api.request('DELETE', `${ALL}/${gone.id}`)
  const refused = await api.request('GET', `${ALL}?marker=${gone.id}`)
  assert.deepEqual([refused.status, refused.body.code], [400, 'INVALID_QUERY'], JSON.stringify(refused.body))
  const end = await api.request('GET', `${ALL}?marker=${last.id}`)
  assert.deepEqual([end.status, end.body], [200, { public_pages: [] }])
})
