import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Identity } from '../../src/identity/identity.ts'
import { query } from '../../src/store/connection/database.ts'
import { DEFAULT_PROJECT, type Json, startApi, UNLIMITED } from '../support/api.ts'
import { assertFault, OCTAVIA, startOctaviaApi } from '../support/octavia-api.ts'

const ALL = {
  load_balancer: -1,
  listener: -1,
  member: -1,
  pool: -1,
  health_monitor: -1,
  l7policy: -1,
  l7rule: -1,
}

test('quotas are set, shown, listed and reset, with lbaas in the path and without', async (t) => {
  const api = await startOctaviaApi(t)
  for (const base of ['/load-balancer/v2.0/lbaas', '/load-balancer/v2.0', '/load-balancer/v2']) {
    const own = `${base}/quotas/${DEFAULT_PROJECT}`
    assert.deepEqual((await api.request('GET', own)).body, { quota: ALL })
    assert.deepEqual((await api.request('GET', `${base}/quotas`)).body, { quotas: [], quotas_links: [] })
    const quota = { loadbalancer: 5, health_monitor: 0, l7rule: 7 }
    const put = await api.request('PUT', own, { quota })
    assert.equal(put.status, 202)
    assert.deepEqual(put.body, { quota: { ...ALL, load_balancer: 5, health_monitor: 0, l7rule: 7 } })
    assert.deepEqual((await api.request('GET', own)).body, put.body)
    assert.deepEqual((await api.request('GET', `${base}/quotas`)).body.quotas, [
      {
        project_id: DEFAULT_PROJECT,
        loadbalancer: 5,
        load_balancer: 5,
        listener: null,
        member: null,
        pool: null,
        healthmonitor: 0,
        health_monitor: 0,
        l7policy: null,
        l7rule: 7,
        tenant_id: DEFAULT_PROJECT,
      },
    ])
    assert.deepEqual((await api.request('GET', `${own}/default`)).body, { quota: ALL })
    assert.deepEqual((await api.request('GET', `${base}/quotas/defaults`)).body, { quota: ALL })
    const partly = await api.request('PUT', own, { quota: { loadbalancer: null, pool: 3 } })
    assert.deepEqual(partly.body, { quota: { ...ALL, pool: 3, health_monitor: 0, l7rule: 7 } })
    const reset = await api.request('DELETE', own)
    assert.deepEqual([reset.status, reset.body, reset.headers['content-type']], [202, undefined, undefined])
    assert.deepEqual((await api.request('GET', own)).body, { quota: ALL })
  }
})

test('the configured default holds where nothing was set', async (t) => {
  const api = await startOctaviaApi(t, { quotas: { ...UNLIMITED, pool: 4 } })
  assert.equal((await api.send('GET', `/quotas/${DEFAULT_PROJECT}`)).body.quota.pool, 4)
  assert.equal((await api.send('GET', '/quotas/defaults')).body.quota.pool, 4)
})

test('what a quota cannot be is refused', async (t) => {
  const api = await startOctaviaApi(t)
  const put = (quota: unknown) => api.send('PUT', `/quotas/${DEFAULT_PROJECT}`, { quota })
  assertFault(
    await put({ pool: -2 }),
    400,
    "Invalid input for field/attribute pool. Value: '-2'. Value should be greater or equal to -1",
  )
  assertFault(
    await put({ pool: 2000000001 }),
    400,
    "Invalid input for field/attribute pool. Value: '2000000001'. Value should be lower or equal to 2000000000",
  )
  assertFault(await put({ bogus: 1 }), 400, 'Unknown attribute for argument quotas.quota: bogus')
  assertFault(await put({ pool: 'x' }), 400, /invalid literal for int\(\) with base 10: 'x'$/)
})

test("another project's quota is forbidden to who has named his own", async (t) => {
  const api = await startOctaviaApi(t)
  const answer = await api.request('GET', '/load-balancer/v2.0/lbaas/quotas/other', undefined, {
    'x-project-id': 'mine',
  })
  assertFault(answer, 403, 'Policy does not allow this request to be performed.')
})

test('who sees the own quota only finds none of another project in the list', async (t) => {
  const api = await startOctaviaApi(t)
  await api.send('PUT', `/quotas/${DEFAULT_PROJECT}`, { quota: { pool: 1 } })
  const listed = async (project: string) =>
    (await api.send('GET', `/quotas?project_id=${project}`)).body.quotas as Json[]
  assert.deepEqual(
    (await listed(DEFAULT_PROJECT)).map((one) => one.project_id),
    [DEFAULT_PROJECT],
  )
  assert.deepEqual(await listed('another'), [])
})

test('the quota of load balancers is refused in words of Octavia, and holds for both dialects', async (t) => {
  const api = await startOctaviaApi(t)
  await api.send('PUT', `/quotas/${DEFAULT_PROJECT}`, { quota: { load_balancer: 1 } })
  const { vip_subnet_id } = await api.loadBalancer()
  const body = { loadbalancer: { vip_subnet_id } }
  assertFault(
    await api.send('POST', '/loadbalancers', body),
    403,
    'Quota has been met for resources: Load Balancer',
  )
  const elbs = await api.request('POST', '/elb/v2.0/lbaas/loadbalancers', body)
  assert.equal(elbs.body.error_code, 'ELB.9807')
})

test('administrators page through the quotas of all projects, and filter by one', async (t) => {
  const api = await startOctaviaApi(t)
  for (const project of ['a', 'b', 'c']) {
    await query(api.db, "insert into quota (project_id, resource, quota) values ($1, 'pool', 5)", [project])
  }
  const admin: Identity = {
    projectId: 'admin',
    assumed: false,
    scope: 'project',
    roles: ['admin'],
    confined: false,
  }
  const served = await startApi(t, { db: api.db, identity: { identify: () => admin } })
  const list = async (search: string) => {
    const answer = await served.request('GET', `${OCTAVIA}/quotas${search}`)
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    return answer.body
  }
  const projects = (body: Json) => body.quotas.map((one: Json) => one.project_id)
  const next = (body: Json) =>
    String(new URL(body.quotas_links.find((link: Json) => link.rel === 'next').href).search)
  const first = await list('?limit=2')
  assert.deepEqual(projects(first), ['a', 'b'])
  const second = await list(next(first))
  assert.deepEqual(projects(second), ['c'])
  assert.deepEqual(projects(await list('?limit=1&marker=c&page_reverse=True')), ['b'])
  assert.deepEqual(projects(await list('?project_id=b')), ['b'])
  assert.deepEqual((await list('?fields=pool&project_id=b')).quotas, [{ pool: 5 }])
  const short = await startApi(t, { db: api.db, pageMax: 2, identity: { identify: () => admin } })
  const whole = (await short.request('GET', `${OCTAVIA}/quotas`)).body
  assert.deepEqual([projects(whole), next(whole)], [['a', 'b'], '?limit=2&marker=b'])
  for (const search of ['?marker=x', '?limit=x', '?colour=red', '?project_id=a&project_id=b']) {
    assert.equal((await served.request('GET', `${OCTAVIA}/quotas${search}`)).status, 400, search)
  }
})
