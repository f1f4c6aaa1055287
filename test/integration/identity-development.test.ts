/** HM_AUTH=none: the development identity and the network reads, as clients meet them over HTTP. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { test } from 'node:test'
import { developmentIdentity } from '../../src/identity/development.ts'
import { developmentIdentify } from '../../src/identity/development-identify.ts'
import { type Api, type Json, startApi } from '../support/api.ts'
import type { Ending } from '../support/database.ts'

async function start(t: Ending, settings = {}): Promise<Api> {
  const development = developmentIdentity({ key: Buffer.alloc(32, 1), defaultProject: 'default' })
  const identity = {
    developmentIdentity: development,
    identify: developmentIdentify(development, 'default'),
  }
  return await startApi(t, { identity, networkReads: true, ...settings })
}

interface Got {
  readonly status: number
  readonly headers: Headers
  readonly body: Json
}

async function get(url: string, init: RequestInit = {}): Promise<Got> {
  const response = await fetch(url, { redirect: 'manual', ...init })
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? undefined : JSON.parse(text),
  }
}

async function logIn(api: Api, user: string, project: string): Promise<Got> {
  const domain = { name: 'Default' }
  const auth = {
    identity: { methods: ['password'], password: { user: { name: user, domain, password: 'x' } } },
    scope: { project: { name: project, domain } },
  }
  return await get(`${api.url}/identity/v3/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ auth }),
  })
}

const LOAD_BALANCERS = '/v2.0/lbaas/loadbalancers'
const LOAD_BALANCER = { loadbalancer: { name: 'lb', vip_subnet_id: randomUUID() } }

test('a login gives a token whose project and roles the API uses, without one it is the default project', async (t) => {
  const api = await start(t)
  const login = await logIn(api, 'demo', 'demo')
  assert.equal(login.status, 201)
  assert.equal(login.headers.get('vary'), 'X-Auth-Token')
  const as = (answer: Got) => ({ 'x-auth-token': answer.headers.get('x-subject-token') ?? '' })
  const created = await api.request('POST', LOAD_BALANCERS, LOAD_BALANCER, as(login))
  assert.equal(created.status, 201)
  assert.equal(created.body.loadbalancer.project_id, login.body.token.project.id)
  const seen = async (headers: Record<string, string>) =>
    (await api.request('GET', LOAD_BALANCERS, undefined, headers)).body.loadbalancers.length
  assert.equal(await seen(as(login)), 1)
  assert.equal(await seen({ 'x-project-id': login.body.token.project.id }), 1)
  assert.equal(await seen({}), 0)
  assert.equal(await seen({ 'x-auth-token': 'notused' }), 0)
  const viewer = await logIn(api, 'viewer', 'demo')
  assert.equal(await seen(as(viewer)), 1)
  assert.equal((await api.request('POST', LOAD_BALANCERS, LOAD_BALANCER, as(viewer))).status, 403)
  const revoked = await get(`${api.url}/identity/v3/auth/tokens`, {
    method: 'DELETE',
    headers: { ...as(login), 'x-subject-token': as(login)['x-auth-token'] },
  })
  assert.equal(revoked.status, 204)
  assert.equal((await api.request('GET', LOAD_BALANCERS, undefined, as(login))).status, 401)
})

test('the catalogue follows HM_PUBLIC_URL, else the Host of the request', async (t) => {
  const own = await start(t)
  const urls = (answer: Got): string[] =>
    answer.body.token.catalog.flatMap((entry: Json) => entry.endpoints.map(({ url }: Json) => url))
  assert.ok(urls(await logIn(own, 'demo', 'demo')).every((url) => url.startsWith(own.url)))
  const published = await start(t, { publicUrl: 'https://lb.example.org' })
  assert.ok(
    urls(await logIn(published, 'demo', 'demo')).every((url) => url.startsWith('https://lb.example.org')),
  )
  const versions = await get(`${own.url}/identity/`)
  assert.equal(versions.status, 300)
  assert.equal(versions.headers.get('location'), `${own.url}/identity/v3/`)
})

test('a foreign Host header, a form and a body without end are refused before anybody logs in', async (t) => {
  const api = await start(t)
  const tokens = '/identity/v3/auth/tokens'
  assert.equal(
    await statusOf(api, tokens, { host: 'evil.example.org', 'content-type': 'application/json' }),
    400,
  )
  assert.equal(await statusOf(api, tokens, { 'content-type': 'application/x-www-form-urlencoded' }), 415)
  assert.equal(await statusOf(api, tokens, { 'content-type': 'text/plain' }), 415)
  assert.equal(
    await statusOf(api, tokens, { 'content-type': 'application/json', 'content-length': '99999999' }),
    413,
  )
  assert.equal(await statusOf(api, '/v2.0/subnets', { host: 'evil.example.org' }), 400)
  const login = await logIn(api, 'demo', 'demo')
  for (const header of login.headers.keys()) assert.doesNotMatch(header, /^access-control-/)
})

/** Of a POST of `{}` with exactly these headers. */
function statusOf(api: Api, path: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      { host: '127.0.0.1', port: api.port, path, method: 'POST', headers },
      (response) => {
        response.resume()
        sent.destroy()
        resolve(response.statusCode ?? 0)
      },
    )
    sent.on('error', reject)
    sent.write('{}')
    if (headers['content-length'] === undefined) sent.end()
  })
}

test('network reads: every id and every name exists, under every base that clients use', async (t) => {
  const api = await start(t)
  const id = randomUUID()
  for (const base of ['/v2.0', '/v2', '/load-balancer/v2.0', '/load-balancer/v2']) {
    for (const kind of ['subnet', 'network', 'port']) {
      const one = await get(`${api.url}${base}/${kind}s/${id}`)
      assert.deepEqual([one.status, one.body[kind].id], [200, id])
      const byId = await get(`${api.url}${base}/${kind}s?id=${id}&fields=id`)
      assert.deepEqual(
        byId.body[`${kind}s`].map((found: Json) => found.id),
        [id],
      )
      assert.deepEqual((await get(`${api.url}${base}/${kind}s?id=a-name`)).body, { [`${kind}s`]: [] })
      const byName = await get(`${api.url}${base}/${kind}s?name=a-name`)
      const again = await get(`${api.url}${base}/${kind}s?name=a-name`)
      assert.match(
        byName.body[`${kind}s`][0].id,
        /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/,
      )
      assert.deepEqual(again.body, byName.body)
      assert.deepEqual((await get(`${api.url}${base}/${kind}s`)).body, { [`${kind}s`]: [] })
    }
  }
  const port = await get(`${api.url}/v2.0/ports/${id}`)
  assert.deepEqual(port.body.port.security_groups, [])
  for (const base of ['/v2.0', '/v2', '/load-balancer/v2.0', '/load-balancer/v2']) {
    for (const [path, list] of [
      ['floatingips', 'floatingips'],
      ['security-groups', 'security_groups'],
    ] as const) {
      for (const query of ['', `?port_id=${id}`, `?name=x&tenant_id=${id}&fields=id`, `?id=${id}`]) {
        const found = await get(`${api.url}${base}/${path}${query}`)
        assert.deepEqual([found.status, found.body], [200, { [list]: [] }], `${base}/${path}${query}`)
      }
      const one = await get(`${api.url}${base}/${path}/${id}`)
      assert.equal(one.status, 404)
      assert.match(one.body.NeutronError.message, new RegExp(`${id} could not be found`))
      assert.equal((await get(`${api.url}${base}/${path}`, { method: 'POST' })).status, 405)
    }
  }
  const unknown = await get(`${api.url}/v2.0/subnets/a-name`)
  assert.equal(unknown.status, 404)
  assert.equal(unknown.body.NeutronError.message, 'subnet a-name could not be found.')
  assert.equal((await get(`${api.url}/v2.0/ports/${id}`, { method: 'DELETE' })).status, 405)
})
