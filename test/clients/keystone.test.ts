/**
 * HM_AUTH=keystone against a real Keystone, which test/clients/keystone-up.sh has started (KEYSTONE_URL, with its
 * accounts).
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { type Api, startApi } from '../support/api.ts'
import type { Ending } from '../support/database.ts'
import { keystoneIdentityAt } from '../support/keystone-identity.ts'
import {
  KEYSTONE_URL as URL,
  projectScope as project,
  SERVICE_ACCOUNT as ACCOUNT,
  tokenOf,
} from '../support/keystone.ts'

const CACHE_MS = 300

async function revoke(token: string): Promise<void> {
  const headers = { 'x-auth-token': await tokenOf('admin', project('admin')), 'x-subject-token': token }
  const answer = await fetch(`${URL}/auth/tokens`, { method: 'DELETE', headers })
  assert.equal(answer.status, 204)
}

async function start(t: Ending, account = ACCOUNT): Promise<Api> {
  const { identify } = keystoneIdentityAt(t, { url: URL, account, cacheMs: CACHE_MS })
  return await startApi(t, { identity: { identify }, loopbackHostsOnly: false })
}

const LOAD_BALANCERS = '/v2.0/lbaas/loadbalancers'
const LOAD_BALANCER = { loadbalancer: { name: 'lb', vip_subnet_id: randomUUID() } }
const as = (token: string) => ({ 'x-auth-token': token })

test('real tokens decide project and rights: member writes, reader reads, another project sees nothing', async (t) => {
  const api = await start(t)
  const [demo, viewer, alt] = await Promise.all([
    tokenOf('demo', project('demo')),
    tokenOf('viewer', project('demo')),
    tokenOf('alt', project('alt')),
  ])
  const created = await api.request('POST', LOAD_BALANCERS, LOAD_BALANCER, as(demo))
  assert.equal(created.status, 201)
  const path = `${LOAD_BALANCERS}/${created.body.loadbalancer.id}`
  assert.equal((await api.request('GET', path, undefined, as(viewer))).status, 200)
  assert.equal((await api.request('DELETE', path, undefined, as(viewer))).status, 403)
  assert.equal((await api.request('GET', path, undefined, as(alt))).status, 404)
  assert.equal((await api.request('DELETE', path, undefined, as(demo))).status, 204)
})

test('no token, an invented one, a truncated one: 401 with the challenge of Octavia', async (t) => {
  const api = await start(t)
  const demo = await tokenOf('demo', project('demo'))
  for (const headers of [{}, as('nonsense'), as(demo.slice(0, -20)), as(`${demo}x`)]) {
    const refused = await api.request('GET', LOAD_BALANCERS, undefined, headers)
    assert.equal(refused.status, 401)
    assert.equal(refused.headers['www-authenticate'], `Keystone uri="${URL.replace('/v3', '')}"`)
  }
})

test('tokens for no project are refused', async (t) => {
  const api = await start(t)
  for (const [user, scope] of [
    ['demo', 'unscoped'],
    ['admin', { system: { all: true } }],
  ] as const) {
    const token = await tokenOf(user, scope)
    assert.equal((await api.request('GET', LOAD_BALANCERS, undefined, as(token))).status, 403, user)
  }
})

test('a revoked token is refused within the cache time', async (t) => {
  const api = await start(t)
  const token = await tokenOf('demo', project('demo'))
  assert.equal((await api.request('GET', LOAD_BALANCERS, undefined, as(token))).status, 200)
  await revoke(token)
  const revokedAt = performance.now()
  let status = 200
  while (status === 200 && performance.now() - revokedAt < CACHE_MS + 2000) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    status = (await api.request('GET', LOAD_BALANCERS, undefined, as(token))).status
  }
  assert.equal(status, 401)
})

test('a service account that may not validate, or does not exist, gives no access', async (t) => {
  const demo = await tokenOf('demo', project('demo'))
  for (const account of [
    { username: 'viewer', password: 'viewerpw', project: 'demo', domain: 'Default' },
    { ...ACCOUNT, username: 'nobody' },
  ]) {
    const api = await start(t, account)
    const refused = await api.request('GET', LOAD_BALANCERS, undefined, as(demo))
    assert.equal(refused.status, 503, account.username)
    assert.equal(refused.headers['retry-after'], '2')
  }
})
