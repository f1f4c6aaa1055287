import assert from 'node:assert/strict'
import { test } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { startApi, UNLIMITED } from '../support/api.ts'
import {
  aListener,
  aLoadBalancer,
  aMonitor,
  aPool,
  assertRefused,
  contents,
  SUBNET,
} from '../support/api-objects.ts'

const QUOTAS = '/v2.0/lbaas/quotas'

test('quotas show the configured default, and the row of the project over it', async (t) => {
  const api = await startApi(t, { quotas: { ...UNLIMITED, pool: 7 } })
  await query(api.db, `insert into quota values ('default-project', 'member', 3)`)
  const expected = {
    tenant_id: 'default-project',
    project_id: 'default-project',
    loadbalancer: -1,
    listener: -1,
    pool: 7,
    member: 3,
    healthmonitor: -1,
  }
  assert.deepEqual((await api.request('GET', QUOTAS)).body, { quotas: [expected] })
  assert.deepEqual((await api.request('GET', `${QUOTAS}/default-project`)).body, { quota: expected })
  const named = await api.request('GET', `${QUOTAS}/other`)
  assert.deepEqual(named.body.quota, { ...expected, tenant_id: 'other', project_id: 'other', member: -1 })
  const foreign = await api.request('GET', `${QUOTAS}/default-project`, undefined, {
    'x-project-id': 'other',
  })
  assertRefused(foreign, {
    status: 404,
    code: 'ELB.8904',
    message: 'quota default-project could not be found.',
  })
  assertRefused(await api.request('PUT', `${QUOTAS}/default-project`, { quota: { pool: 1 } }), {
    status: 405,
    code: 'APIGW.0101',
  })
})

test('each kind is refused beyond its quota, and another project has its own', async (t) => {
  const api = await startApi(t, {
    quotas: { loadbalancer: 1, listener: 1, pool: 1, member: 1, healthmonitor: 1 },
  })
  const lb = await aLoadBalancer(api)
  await aListener(api, lb.id)
  const pool = await aPool(api, lb.id)
  await aMonitor(api, pool.id)
  const members = `/v2.0/lbaas/pools/${pool.id}/members`
  const member = { address: '127.0.0.1', protocol_port: 1, subnet_id: SUBNET }
  assert.equal((await api.request('POST', members, { member })).status, 201)
  const before = await contents(api)
  const refused = async (path: string, body: object, resource: string) =>
    assertRefused(await api.request('POST', path, body), {
      status: 400,
      code: 'ELB.9807',
      message: `Quota exceeded for resources:['${resource}'].`,
    })
  await refused('/v2.0/lbaas/loadbalancers', { loadbalancer: { vip_subnet_id: SUBNET } }, 'loadbalancer')
  const listener = { loadbalancer_id: lb.id, protocol: 'TCP', protocol_port: 81 }
  await refused('/v2.0/lbaas/listeners', { listener }, 'listener')
  const second = { loadbalancer_id: lb.id, protocol: 'TCP', lb_algorithm: 'ROUND_ROBIN' }
  await refused('/v2.0/lbaas/pools', { pool: second }, 'pool')
  await refused(members, { member: { ...member, protocol_port: 2 } }, 'member')
  assert.deepEqual(await contents(api), before)
  const other = { 'x-project-id': 'other' }
  const answer = await api.request(
    'POST',
    '/v2.0/lbaas/loadbalancers',
    { loadbalancer: { vip_subnet_id: SUBNET } },
    other,
  )
  assert.equal(answer.status, 201)
})

test('creates at once never pass the quota', async (t) => {
  const api = await startApi(t, { quotas: { ...UNLIMITED, loadbalancer: 4 } })
  const answers = await Promise.all(
    Array.from({ length: 12 }, () =>
      api.request('POST', '/v2.0/lbaas/loadbalancers', { loadbalancer: { vip_subnet_id: SUBNET } }),
    ),
  )
  assert.equal(answers.filter((answer) => answer.status === 201).length, 4)
  assert.equal((await api.request('GET', '/v2.0/lbaas/loadbalancers')).body.loadbalancers.length, 4)
})
