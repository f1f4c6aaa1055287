/** HM_AUTH=keystone against a Keystone of recordings. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { DomainError } from '../../src/domain/errors.ts'
import { KEYSTONE_WAITING_MAX } from '../../src/domain/limits.ts'
import { clientKey } from '../../src/identity/client-key.ts'
import type { Identify } from '../../src/identity/identity.ts'
import { keystoneClient } from '../../src/identity/keystone-client.ts'
import { keystoneIdentity } from '../../src/identity/keystone-identity.ts'
import { type ApiOptions, startApi } from '../support/api.ts'
import { eventually } from '../support/configuration.ts'
import type { Ending } from '../support/database.ts'
import { type FakeKeystone, inAnHour, startFakeKeystone, tokenEnding } from '../support/fake-keystone.ts'
import { keystoneGolden } from '../support/goldens.ts'

const ACCOUNT = { username: 'octavia', password: 'service-secret', project: 'service', domain: 'Default' }
/** Of eight connections to Keystone one client alone gets six: then two are free, and seven would be more than four times one. */
const HELD_ALONE = 6
const DEMO = 'dc86f2d3e3224d588ebe20be286fc4c5'

interface Setting {
  readonly keystone: FakeKeystone
  readonly identify: Identify
  /** The holder of the token; else the code of the refusal. */
  readonly who: (token?: string, headers?: Record<string, string>) => Promise<string>
  readonly logged: string[]
  /** Moves the monotonic clock. */
  readonly pass: (ms: number) => void
}

async function start(t: Ending, { cacheMs = 60_000, timeoutMs = 5000 } = {}): Promise<Setting> {
  const keystone = await startFakeKeystone(t)
  keystone.tokens.set('good', tokenEnding('validate-nocatalog-200', inAnHour()))
  const logged: string[] = []
  const write = (fields: object, message: string) => logged.push(`${message} ${JSON.stringify(fields)}`)
  let now = 0
  const clocks = { now: () => now, wallNow: () => Date.now() }
  const log = { warn: write, info: write }
  const client = keystoneClient({ url: keystone.url, account: ACCOUNT, log, clocks, timeoutMs })
  t.after(() => client.close())
  const identify = keystoneIdentity({ client, url: keystone.url, cacheMs, clocks })
  const who = async (token?: string, headers: Record<string, string> = {}) => {
    try {
      const identity = await identify({
        ...headers,
        ...(token === undefined ? {} : { 'x-auth-token': token }),
      })
      return `${identity.scope} ${identity.projectId} ${identity.roles.toSorted().join(',')}`
    } catch (error) {
      if (error instanceof DomainError) return error.code
      throw error
    }
  }
  return {
    keystone,
    identify,
    who,
    logged,
    pass: (ms) => {
      now += ms
    },
  }
}

const GOOD = `project ${DEMO} load-balancer_member,member,reader`

test('a valid token gives project and roles, and Keystone is asked once per cache time', async (t) => {
  const { keystone, who, pass } = await start(t, { cacheMs: 10_000 })
  for (let i = 0; i < 5; i += 1) assert.equal(await who('good'), GOOD)
  assert.deepEqual(keystone.asked, ['POST login', 'GET good'])
  pass(9999)
  assert.equal(await who('good'), GOOD)
  assert.equal(keystone.asked.length, 2)
  pass(1)
  assert.equal(await who('good'), GOOD)
  assert.deepEqual(keystone.asked.slice(2), ['GET good'])
})

test('a revoked token is refused when the cache time is over, and at once without a cache', async (t) => {
  for (const cacheMs of [10_000, 0]) {
    const { keystone, who, pass } = await start(t, { cacheMs })
    assert.equal(await who('good'), GOOD)
    keystone.tokens.delete('good')
    pass(cacheMs)
    assert.equal(await who('good'), 'UNAUTHENTICATED')
  }
})

test('nothing is believed past the end that the token carries', async (t) => {
  const { keystone, who, pass } = await start(t)
  keystone.tokens.set('short', tokenEnding('validate-nocatalog-200', new Date(Date.now() + 5000)))
  assert.equal(await who('short'), GOOD)
  keystone.tokens.delete('short')
  pass(5000)
  assert.equal(await who('short'), 'UNAUTHENTICATED')
})

test('many requests with one token are one question, and their answers one answer', async (t) => {
  const { keystone, who } = await start(t)
  let open: () => void = () => undefined
  keystone.gate = new Promise((resolve) => {
    open = resolve
  })
  const answers = Array.from({ length: 50 }, () => who('good'))
  open()
  assert.deepEqual(new Set(await Promise.all(answers)), new Set([GOOD]))
  assert.deepEqual(keystone.asked, ['POST login', 'GET good'])
})

test('an invented token is remembered shortly, and what cannot be a token is not even asked about', async (t) => {
  const { keystone, who, pass } = await start(t)
  for (let i = 0; i < 3; i += 1) assert.equal(await who('nonsense'), 'UNAUTHENTICATED')
  assert.deepEqual(keystone.asked, ['POST login', 'GET nonsense'])
  pass(5000)
  assert.equal(await who('nonsense'), 'UNAUTHENTICATED')
  assert.equal(keystone.asked.length, 3)
  for (const odd of ['', 'a b', 'ü', 'x'.repeat(8193), 'line\nbreak']) {
    assert.equal(await who(odd), 'UNAUTHENTICATED')
  }
  assert.equal(await who(), 'UNAUTHENTICATED')
  assert.equal(keystone.asked.length, 3)
})

test('identity headers from outside change nothing', async (t) => {
  const { who } = await start(t)
  const claims = {
    'x-project-id': 'other',
    'x-tenant-id': 'other',
    'x-roles': 'admin',
    'x-user-id': 'root',
    'x-identity-status': 'Confirmed',
    'x-is-admin-project': 'True',
  }
  assert.equal(await who('good', claims), GOOD)
  assert.equal(await who(undefined, claims), 'UNAUTHENTICATED')
})

test('scopes: system, unscoped', async (t) => {
  const { keystone, who } = await start(t)
  keystone.tokens.set('system', tokenEnding('issue-system-scoped-201', inAnHour()))
  keystone.tokens.set('unscoped', tokenEnding('issue-unscoped-201', inAnHour()))
  assert.equal(await who('system'), 'system  admin,member,reader')
  assert.equal(await who('unscoped'), 'unscoped  ')
})

test('Keystone away, silent, failing or sending invalid answers: IDENTITY_UNAVAILABLE, and no access', async (t) => {
  const { keystone, who, logged, pass } = await start(t, { timeoutMs: 200 })
  for (const trouble of [500, 503, 429, 302, 'silence'] as const) {
    keystone.trouble = trouble
    assert.equal(await who('good'), 'IDENTITY_UNAVAILABLE', String(trouble))
    pass(1000)
  }
  assert.equal(logged.length, 1, 'logged once')
  keystone.trouble = undefined
  keystone.tokens.set('odd', { token: { user: {} } })
  assert.equal(await who('odd'), 'IDENTITY_UNAVAILABLE')
  assert.equal(await who('good'), GOOD, 'back by itself')
  assert.match(logged.at(-1) ?? '', /answers again/)
  assert.equal(await who('good'), GOOD)
  await keystone.close()
  assert.equal(await who('good'), GOOD, 'what is known stays known for its time')
  assert.equal(await who('new'), 'IDENTITY_UNAVAILABLE')
})

test('our own token is renewed before its end, replaced when Keystone refuses it, one login at a time', async (t) => {
  const { keystone, who, pass } = await start(t, { cacheMs: 0 })
  keystone.lifeSeconds = 100
  await Promise.all(['good', 'a', 'b', 'c'].map((token) => who(token)))
  const logins = () => keystone.asked.filter((question) => question === 'POST login').length
  assert.equal(logins(), 1)
  pass(79_000)
  assert.equal(await who('good'), GOOD)
  assert.equal(logins(), 1)
  pass(2000)
  assert.equal(await who('good'), GOOD, 'the old one serves while a new one is fetched')
  assert.equal(await who('good'), GOOD)
  assert.equal(logins(), 2)
  keystone.forgetLogins()
  assert.deepEqual(await Promise.all([who('good'), who('a'), who('b')]), [
    GOOD,
    'UNAUTHENTICATED',
    'UNAUTHENTICATED',
  ])
  assert.equal(logins(), 3)
})

test('a refused service account is our trouble and not the guest’s; it does not hammer Keystone', async (t) => {
  const { keystone, who, pass } = await start(t)
  keystone.loginRefused = true
  for (let i = 0; i < 10; i += 1) assert.equal(await who('good'), 'IDENTITY_UNAVAILABLE')
  assert.deepEqual(keystone.asked, ['POST login'])
  keystone.loginRefused = false
  pass(1000)
  assert.equal(await who('good'), GOOD)
})

test('neither tokens nor the password are logged', async (t) => {
  const { keystone, who, logged } = await start(t, { timeoutMs: 100 })
  keystone.trouble = 'silence'
  await who('secret-token')
  keystone.trouble = 403
  await who('secret-token')
  await keystone.close()
  await who('secret-token')
  assert.ok(logged.length > 0)
  for (const line of logged) assert.doesNotMatch(line, /secret-token|service-secret/)
})

async function startWithKeystone(t: Ending, options: ApiOptions = {}) {
  const setting = await start(t)
  const api = await startApi(t, {
    identity: { identify: setting.identify },
    loopbackHostsOnly: false,
    ...options,
  })
  const as = (token?: string) => (token === undefined ? {} : { 'x-auth-token': token })
  return { ...setting, api, as }
}

const LOAD_BALANCER = { loadbalancer: { name: 'lb', vip_subnet_id: randomUUID() } }
const LOAD_BALANCERS = '/v2.0/lbaas/loadbalancers'

test('the API: 401 with the recorded WWW-Authenticate, 403 by policy, 404 for what is another project’s', async (t) => {
  const { keystone, api, as } = await startWithKeystone(t)
  const viewer = tokenEnding('validate-nocatalog-200', inAnHour())
  viewer.token['roles'] = [{ id: '1', name: 'reader' }]
  keystone.tokens.set('viewer', viewer)
  const alt = tokenEnding('validate-nocatalog-200', inAnHour())
  alt.token['project'] = { id: 'alt', name: 'alt', domain: { id: 'default', name: 'Default' } }
  keystone.tokens.set('alt', alt)
  keystone.tokens.set('unscoped', tokenEnding('issue-unscoped-201', inAnHour()))

  for (const token of [undefined, 'garbage']) {
    const refused = await api.request('GET', LOAD_BALANCERS, undefined, as(token))
    assert.equal(refused.status, 401)
    assert.equal(refused.headers['www-authenticate'], `Keystone uri="${keystone.url.replace('/v3', '')}"`)
    assert.equal(refused.body.error_code, 'ELB.1102')
  }
  const created = await api.request('POST', LOAD_BALANCERS, LOAD_BALANCER, as('good'))
  assert.equal(created.status, 201)
  assert.equal(created.body.loadbalancer.project_id, DEMO)
  const path = `${LOAD_BALANCERS}/${created.body.loadbalancer.id}`

  assert.equal((await api.request('GET', path, undefined, as('viewer'))).status, 200)
  for (const [method, target, body] of [
    ['POST', LOAD_BALANCERS, LOAD_BALANCER],
    ['PUT', path, { loadbalancer: { name: 'x' } }],
    ['DELETE', path, undefined],
  ] as const) {
    const refused = await api.request(method, target, body, as('viewer'))
    assert.equal(refused.status, 403, method)
    assert.match(refused.body.error_msg, /^Policy doesn't allow os_load-balancer_api:loadbalancer:/)
  }
  assert.equal((await api.request('GET', path, undefined, as('alt'))).status, 404)
  assert.equal((await api.request('DELETE', path, undefined, as('alt'))).status, 404)
  assert.deepEqual((await api.request('GET', LOAD_BALANCERS, undefined, as('alt'))).body.loadbalancers, [])
  assert.equal((await api.request('GET', LOAD_BALANCERS, undefined, as('unscoped'))).status, 403)
  const claimed = await api.request('GET', LOAD_BALANCERS, undefined, { ...as('alt'), 'x-project-id': DEMO })
  assert.deepEqual(claimed.body.loadbalancers, [])
  assert.equal(
    (await api.request('GET', '/v2.0/other/loadbalancers/x/tags', undefined, as('good'))).status,
    400,
  )
  assert.equal((await api.request('GET', '/')).status, 200, 'versions are for everybody')
})

test('the API with Keystone away: 503 with Retry-After, and the health checks go on', async (t) => {
  const { keystone, api, as } = await startWithKeystone(t)
  await keystone.close()
  const refused = await api.request('GET', LOAD_BALANCERS, undefined, as('good'))
  assert.equal(refused.status, 503)
  assert.equal(refused.headers['retry-after'], '2')
  assert.equal(refused.body.error_code, 'ELB.8906')
  assert.equal((await api.request('GET', '/healthcheck')).status, 200)
  assert.deepEqual(api.errors, [])
})

test('with Keystone there is no development identity, and network reads only when they are configured', async (t) => {
  const { api, as } = await startWithKeystone(t)
  const subnet = `/v2.0/subnets/${randomUUID()}`
  assert.equal((await api.request('GET', '/identity/v3')).status, 404)
  assert.equal((await api.request('POST', '/identity/v3/auth/tokens', {})).status, 404)
  assert.equal((await api.request('GET', subnet, undefined, as('good'))).status, 404)
  const reading = await startWithKeystone(t, { networkReads: true })
  assert.equal((await fetch(`${reading.api.url}${subnet}`, { headers: as('good') })).status, 200)
  const refused = await fetch(`${reading.api.url}${subnet}`)
  assert.equal(refused.status, 401)
  assert.deepEqual(await refused.json(), keystoneGolden('validate-bad-auth-401').body)
})

test('unknown tokens of one client do not take the look-ups of others', async (t) => {
  const { keystone, identify } = await start(t)
  // The service's own token first: from here on every question is about somebody's.
  await assert.rejects(Promise.resolve(identify({ 'x-auth-token': 'first' }, '203.0.113.9')))
  let open: () => void = () => undefined
  keystone.gate = new Promise((resolve) => {
    open = resolve
  })
  const answered: string[] = []
  const ask = async (token: string, client: string): Promise<void> => {
    const code = await Promise.resolve(identify({ 'x-auth-token': token }, client)).then(
      () => 'known',
      (error: unknown) => (error as DomainError).code,
    )
    answered.push(`${client} ${code}`)
  }
  const flood = Array.from({ length: 1000 }, (_, i) => ask(`invented-${i}`, '198.51.100.7'))
  await eventually('the flood is bounded', () => answered.length === 1000 - HELD_ALONE - KEYSTONE_WAITING_MAX)
  assert.deepEqual(new Set(answered), new Set(['198.51.100.7 IDENTITY_UNAVAILABLE']))
  const bystander = ask('good', '203.0.113.9')
  await eventually('the bystander is asked about, before what waits', () =>
    keystone.asked.includes('GET good'),
  )
  const asked = (): number => keystone.asked.filter((question) => question.startsWith('GET invented')).length
  await eventually('the flood has its share of look-ups', () => asked() >= HELD_ALONE)
  assert.equal(asked(), HELD_ALONE)
  open()
  await bystander
  await Promise.all(flood)
  assert.equal(answered.filter((answer) => answer === '203.0.113.9 known').length, 1)
  assert.ok(answered.filter((answer) => answer === '198.51.100.7 UNAUTHENTICATED').length >= HELD_ALONE)
})

test('the addresses of one IPv6 network are one client, and each IPv4 address is one', () => {
  assert.equal(clientKey('2001:db8::1'), clientKey('2001:db8::ffff:1'))
  assert.notEqual(clientKey('2001:db8::1'), clientKey('2001:db8:0:1::1'))
  assert.notEqual(clientKey('192.0.2.1'), clientKey('192.0.2.2'))
  assert.equal(clientKey(undefined), '')
})
