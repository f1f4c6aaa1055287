/** /v1/session: sign-in of people with Keystone, the cookie, and who may use it. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { SIGN_IN_ATTEMPTS_PER_CLIENT } from '../../src/domain/limits.ts'
import { type Answer, type Api, type ApiOptions, startApi } from '../support/api.ts'
import type { FakeKeystone } from '../support/fake-keystone.ts'
import {
  ALICE,
  keystoneIdentityAt,
  keystoneWithAlice,
  SHOP,
  TOKEN_OF_ALICE,
} from '../support/keystone-identity.ts'

const FROM_THE_PAGE = { 'sec-fetch-site': 'same-origin' }

async function start(
  t: TestContext,
  options: Partial<ApiOptions> = {},
): Promise<{ readonly api: Api; readonly keystone: FakeKeystone }> {
  const keystone = await keystoneWithAlice(t, 'member')
  const identity = keystoneIdentityAt(t, keystone)
  const api = await startApi(t, { identity, loopbackHostsOnly: false, ...options })
  return { api, keystone }
}

const signIn = (api: Api, body: object = ALICE, headers: Record<string, string> = FROM_THE_PAGE) =>
  api.request('POST', '/v1/session', body, headers)
const cookieOf = ({ headers }: Answer): string => String(headers['set-cookie']?.[0] ?? '')
const pairOf = (answer: Answer): string => cookieOf(answer).split(';')[0] ?? ''

test('who signs in gets a cookie that scripts cannot read and other sites cannot send, and is who the token says', async (t) => {
  const { api } = await start(t)
  const answer = await signIn(api)
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  assert.match(
    cookieOf(answer),
    /^hm-session=token-of-alice; Path=\/; HttpOnly; SameSite=Strict; Max-Age=3[56]\d\d$/,
  )
  assert.equal(answer.headers['cache-control'], 'no-store')
  const session = await api.request('GET', '/v1/session', undefined, { cookie: `other=1; ${pairOf(answer)}` })
  assert.deepEqual(session.body, {
    auth: 'keystone',
    project_id: SHOP,
    user_id: session.body.user_id,
    roles: ['member'],
    administrator: false,
    may_write: true,
  })
  for (const path of ['/v1/overview', '/load-balancer/v2.0/lbaas/pools', '/elb/v2.0/lbaas/pools']) {
    assert.equal((await api.request('GET', path, undefined, { cookie: pairOf(answer) })).status, 200, path)
    assert.equal((await api.request('GET', path)).status, 401, path)
  }
})

test('under TLS the cookie is Secure and of this very host, and no other cookie counts', async (t) => {
  const { api } = await start(t, { publicUrl: 'https://hm.example' })
  const answer = await signIn(api)
  assert.match(cookieOf(answer), /^__Host-hm-session=.*; Secure; Max-Age=\d+$/)
  const as = async (cookie: string) => (await api.request('GET', '/v1/session', undefined, { cookie })).status
  assert.equal(await as(pairOf(answer)), 200)
  assert.equal(await as('hm-session=token-of-alice'), 401)
})

test('with the cookie, only the page itself may change something; a token of its own needs no page', async (t) => {
  const { api } = await start(t)
  const cookie = pairOf(await signIn(api))
  const body = { loadbalancer: { name: 'x', vip_subnet_id: '11111111-1111-4111-8111-111111111111' } }
  const create = async (headers: Record<string, string>) =>
    (await api.request('POST', '/load-balancer/v2.0/lbaas/loadbalancers', body, headers)).status
  const own = `http://127.0.0.1:${api.port}`
  for (const headers of [
    { cookie },
    { cookie, 'sec-fetch-site': 'cross-site', origin: own },
    { cookie, 'sec-fetch-site': 'same-site' },
    { cookie, origin: 'https://evil.example' },
    { cookie, origin: 'null' },
  ]) {
    assert.equal(await create(headers), 403, JSON.stringify(headers))
  }
  assert.equal(await create({ cookie, ...FROM_THE_PAGE }), 201)
  assert.equal(await create({ cookie, origin: own }), 201)
  assert.equal(await create({ 'x-auth-token': TOKEN_OF_ALICE }), 201)
})

test('another site can neither sign somebody in nor out', async (t) => {
  const { api } = await start(t)
  for (const headers of [{}, { 'sec-fetch-site': 'cross-site' }, { origin: 'https://evil.example' }]) {
    const answer = await signIn(api, ALICE, headers)
    assert.deepEqual([answer.status, answer.headers['set-cookie']], [403, undefined])
    assert.equal((await api.request('DELETE', '/v1/session', undefined, headers)).status, 403)
  }
})

test('a sign-out ends the cookie, the token, and what this process remembers of it', async (t) => {
  const { api, keystone } = await start(t)
  const cookie = pairOf(await signIn(api))
  assert.equal((await api.request('GET', '/v1/session', undefined, { cookie })).status, 200)
  const answer = await api.request('DELETE', '/v1/session', undefined, { cookie, ...FROM_THE_PAGE })
  assert.equal(answer.status, 204)
  assert.match(cookieOf(answer), /^hm-session=; .*Max-Age=0$/)
  assert.equal(keystone.tokens.has(TOKEN_OF_ALICE), false)
  assert.equal((await api.request('GET', '/v1/session', undefined, { cookie })).status, 401)
})

test('wrong passwords are refused, and after some of them every attempt, with the time to wait', async (t) => {
  const { api, keystone } = await start(t)
  for (let i = 0; i < SIGN_IN_ATTEMPTS_PER_CLIENT; i++) {
    const answer = await signIn(api, { ...ALICE, password: `guess ${i}` })
    assert.equal(answer.status, 401)
    assert.doesNotMatch(JSON.stringify(answer.body), /guess/)
  }
  const asked = keystone.asked.length
  const answer = await signIn(api)
  assert.deepEqual([answer.status, answer.body.code], [429, 'TOO_MANY_ATTEMPTS'])
  assert.ok(Number(answer.headers['retry-after']) > 200)
  assert.equal(keystone.asked.length, asked, 'Keystone is not asked')
})

test('sign-ins with success use no attempts up, however many there are', async (t) => {
  const { api } = await start(t)
  for (let i = 0; i < SIGN_IN_ATTEMPTS_PER_CLIENT + 3; i++) assert.equal((await signIn(api)).status, 201)
})

test('a body without a field, with another one, or too large is refused; Keystone away is 503', async (t) => {
  const { api, keystone } = await start(t)
  const { domain: _, ...incomplete } = ALICE
  for (const body of [
    {},
    incomplete,
    { ...ALICE, admin: true },
    { ...ALICE, user: 7 },
    { ...ALICE, project: '' },
  ]) {
    assert.equal((await signIn(api, body)).status, 400, JSON.stringify(body))
  }
  assert.equal((await signIn(api, { ...ALICE, password: 'x'.repeat(20_000) })).status, 413)
  keystone.trouble = 500
  assert.equal((await signIn(api)).status, 503)
})

test('without identity there is nothing to sign in to, and everybody may everything in a project', async (t) => {
  const api = await startApi(t)
  assert.equal((await signIn(api)).status, 501)
  const { body } = await api.request('GET', '/v1/session', undefined, { 'x-project-id': 'shop' })
  assert.deepEqual(body, {
    auth: 'none',
    project_id: 'shop',
    user_id: null,
    roles: [],
    administrator: true,
    may_write: true,
  })
})
