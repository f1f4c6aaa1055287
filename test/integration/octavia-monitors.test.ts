/** Health monitors of dialect octavia beyond the recorded cases: concurrency, identity, links, mounts. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { parseCidrList } from '../../src/domain/address/ip-address.ts'
import type { Identity } from '../../src/identity/identity.ts'
import { query } from '../../src/store/connection/database.ts'
import { type Api, type Json, startApi } from '../support/api.ts'
import { openTransaction } from '../support/database.ts'
import { aLoadBalancer, aMonitor, aPool, assertFault, made, OCTAVIA } from '../support/octavia.ts'

const MONITOR = { type: 'HTTP', delay: 5, timeout: 3, max_retries: 3 }

const post = (api: Api, poolId: string, attributes: object = {}) =>
  api.request('POST', `${OCTAVIA}/healthmonitors`, {
    healthmonitor: { pool_id: poolId, ...MONITOR, ...attributes },
  })

/** Whose name is in the token: project and roles. */
function identify(headers: Readonly<Record<string, string | string[] | undefined>>): Identity {
  const [projectId = '', role = ''] = String(headers['x-auth-token'] ?? '').split('/')
  return { projectId, assumed: false, scope: 'project', roles: [role], confined: false }
}

suite('health monitors of dialect octavia', () => {
  test('ten writes at once below one load balancer all succeed, one after the other', async (t) => {
    const api = await startApi(t)
    const loadBalancer = await aLoadBalancer(api)
    const pools = await Promise.all(Array.from({ length: 10 }, () => aPool(api, loadBalancer.id)))
    const answers = await Promise.all(pools.map((pool) => post(api, pool.id)))
    assert.deepEqual(
      answers.map(({ status }) => status),
      answers.map(() => 201),
    )
    const again = await Promise.all(pools.map((pool) => post(api, pool.id)))
    for (const answer of again) assertFault(answer, 409, 'This pool already has a health monitor')
    assert.deepEqual(api.errors, [])
  })

  test('a request that waits longer than the limit gets: the load balancer is immutable', async (t) => {
    const api = await startApi(t)
    const loadBalancer = await aLoadBalancer(api)
    const pool = await aPool(api, loadBalancer.id)
    const holder = await openTransaction(api.db)
    await query(holder.tx, 'select from load_balancer where id = $1 for update', [loadBalancer.id])
    try {
      assertFault(
        await post(api, pool.id),
        409,
        `Load Balancer ${loadBalancer.id} is immutable and cannot be updated.`,
      )
    } finally {
      await holder.rollback()
    }
    assert.equal((await post(api, pool.id)).status, 201)
  })

  test('the profile is octavia’s, whichever dialect changes the monitor afterwards', async (t) => {
    const api = await startApi(t)
    const pool = await aPool(api, (await aLoadBalancer(api)).id)
    const monitor = await aMonitor(api, pool.id)
    const path = `/elb/v2.0/lbaas/healthmonitors/${monitor.id}`
    assert.equal((await api.request('PUT', path, { healthmonitor: { delay: 7 } })).status, 200)
    const rows = await query<{ profile: string; delay_seconds: number }>(
      api.db,
      'select profile, delay_seconds from health_monitor',
    )
    assert.deepEqual(rows, [{ profile: 'octavia', delay_seconds: 7 }])
  })

  test('with Keystone a foreign monitor is forbidden, an unknown one unknown, and lists are scoped', async (t) => {
    const own = await startApi(t)
    const headers = { 'x-project-id': 'mine' }
    const loadBalancer = await aLoadBalancer(own, headers)
    const pool = await aPool(own, loadBalancer.id, {}, headers)
    const monitor = await made(own, 'healthmonitors', { pool_id: pool.id, ...MONITOR }, headers)
    const api = await startApi(t, { db: own.db, identity: { identify } })
    const as = (who: string, method: string, path: string, body?: object) =>
      api.request(method, `${OCTAVIA}${path}`, body, { 'x-auth-token': who })
    const item = `/healthmonitors/${monitor.id}`
    const denied = 'Policy does not allow this request to be performed.'
    assert.equal((await as('mine/reader', 'GET', item)).status, 200)
    assertFault(await as('other/member', 'GET', item), 403, denied)
    assertFault(await as('other/member', 'DELETE', item), 403, denied)
    assertFault(await as('other/member', 'GET', `/pools/${pool.id}/members`), 403, denied)
    assertFault(await as('mine/reader', 'DELETE', item), 403, denied)
    assertFault(await as('mine/nobody', 'GET', '/healthmonitors'), 403, denied)
    const unknown = '00000000-0000-4000-8000-00000000dead'
    assertFault(
      await as('other/member', 'GET', `/healthmonitors/${unknown}`),
      404,
      `Health Monitor ${unknown} not found.`,
    )
    const listed = async (who: string, search = '') =>
      (await as(who, 'GET', `/healthmonitors${search}`)).body.healthmonitors?.length
    assert.equal(await listed('other/member'), 0)
    assert.equal(await listed('mine/reader'), 1)
    assert.equal(await listed('other/admin'), 1)
    assert.equal(await listed('other/admin', '?project_id=other'), 0)
    assertFault(await as('other/member', 'GET', '/healthmonitors?project_id=mine'), 403, denied)
  })

  test('links follow the public URL, else a trusted proxy, else the Host; other headers are ignored', async (t) => {
    const api = await startApi(t)
    const pool = await aPool(api, (await aLoadBalancer(api)).id)
    await aMonitor(api, pool.id)
    const next = async (served: Api, headers: Readonly<Record<string, string>>) => {
      const answer = await served.request('GET', `${OCTAVIA}/healthmonitors?limit=1`, undefined, headers)
      return String(answer.body.healthmonitors_links[0].href).split('/load-balancer')[0]
    }
    const forwarded = {
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'lb.example.org:8443',
      'x-forwarded-prefix': '/front',
    }
    assert.equal(await next(api, forwarded), `http://127.0.0.1:${api.port}`)
    const behind = await startApi(t, { db: api.db, trustedProxies: parseCidrList('127.0.0.0/8') })
    assert.equal(await next(behind, forwarded), 'https://lb.example.org:8443/front')
    assert.equal(await next(behind, { 'x-forwarded-host': 'a/b"' }), `http://127.0.0.1:${behind.port}`)
    const known = await startApi(t, { db: api.db, publicUrl: 'https://known.example.org' })
    assert.equal(await next(known, forwarded), 'https://known.example.org')
  })

  test('every spelling of a path is one resource; as default dialect also without the prefix', async (t) => {
    const api = await startApi(t, { defaultDialect: 'octavia' })
    const pool = await aPool(api, (await aLoadBalancer(api)).id)
    const monitor = await aMonitor(api, pool.id)
    for (const mount of ['', '/load-balancer']) {
      for (const version of ['/v2/lbaas', '/v2.0/lbaas', '/v2', '/v2.0']) {
        for (const end of ['', '/']) {
          const path = `${mount}${version}/healthmonitors/${monitor.id}${end}`
          assert.equal((await api.request('GET', path)).status, 200, path)
        }
      }
      const { versions } = (await api.request('GET', `${mount}/`)).body
      assert.equal(versions.at(-1).status, 'CURRENT')
      assert.equal(versions[0].links[0].href, `http://127.0.0.1:${api.port}${mount}/v2`)
    }
  })

  test('pages are walked forward and back by their links, in the order of creation', async (t) => {
    const api = await startApi(t)
    const loadBalancer = await aLoadBalancer(api)
    const ids: string[] = []
    for (let i = 0; i < 5; i++) ids.push((await aMonitor(api, (await aPool(api, loadBalancer.id)).id)).id)
    const walk = async (start: string, rel: string): Promise<string[][]> => {
      const pages: string[][] = []
      for (let path: string | undefined = start; path !== undefined; ) {
        const { healthmonitors, healthmonitors_links: links }: Json = (await api.request('GET', path)).body
        if (healthmonitors.length > 0) pages.push(healthmonitors.map(({ id }: { id: string }) => id))
        const href: string | undefined = links.find((link: { rel: string }) => link.rel === rel)?.href
        path = href === undefined ? undefined : href.replace(api.url, '')
      }
      return pages
    }
    const forward = await walk(`${OCTAVIA}/healthmonitors?limit=2&type=HTTP`, 'next')
    assert.deepEqual(forward, [ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)])
    const back = await walk(`${OCTAVIA}/healthmonitors?limit=2&marker=${ids[3]}`, 'previous')
    assert.deepEqual(back, [ids.slice(4), ids.slice(2, 4), ids.slice(0, 2)])
  })
})
