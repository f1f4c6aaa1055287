import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Headers, Identity } from '../../src/identity/identity.ts'
import { type Answer, startApi } from '../support/api.ts'
import { SUBNET } from '../support/api-objects.ts'

/** Who asked in the recordings of test/vectors: project, scope and roles by name. */
const WHO: Readonly<Record<string, Pick<Identity, 'projectId' | 'scope' | 'roles'>>> = {
  admin: { projectId: 'admins', scope: 'project', roles: ['admin', 'manager', 'member', 'reader'] },
  demo: { projectId: 'demo', scope: 'project', roles: ['member', 'reader'] },
  viewer: { projectId: 'demo', scope: 'project', roles: ['reader'] },
  alt: { projectId: 'alt', scope: 'project', roles: ['member', 'reader'] },
  system: { projectId: '', scope: 'system', roles: ['admin', 'manager', 'member', 'reader'] },
  unscoped: { projectId: '', scope: 'unscoped', roles: [] },
  lbMember: { projectId: 'demo', scope: 'project', roles: ['load-balancer_member'] },
  aodh: { projectId: 'services', scope: 'project', roles: ['service'] },
}

function identify(headers: Headers): Identity {
  const who = WHO[String(headers['x-who'])]
  assert.ok(who)
  return { ...who, assumed: false, confined: false }
}

const FORBIDDEN = 'Policy does not allow this request to be performed.'
const NO_PROJECT = /^Validation failure: Missing project ID in request where one is required\./

type Row = readonly [
  who: string,
  method: string,
  path: string,
  body: unknown,
  status: number,
  fault?: string | RegExp,
]

const LB = { loadbalancer: { vip_subnet_id: SUBNET } }
const LB_FOR_ALT = { loadbalancer: { vip_subnet_id: SUBNET, project_id: 'alt' } }
const QUOTA = { quota: { healthmonitor: 1 } }

const ROWS: readonly Row[] = [
  ['admin', 'POST', '/loadbalancers', LB, 201],
  ['demo', 'POST', '/loadbalancers', LB, 201],
  ['viewer', 'POST', '/loadbalancers', LB, 403, FORBIDDEN],
  ['system', 'POST', '/loadbalancers', LB, 400, NO_PROJECT],
  ['unscoped', 'POST', '/loadbalancers', LB, 400, NO_PROJECT],
  ['alt', 'POST', '/loadbalancers', LB_FOR_ALT, 201],
  ['system', 'POST', '/loadbalancers', LB_FOR_ALT, 201],
  ['admin', 'POST', '/loadbalancers', LB_FOR_ALT, 201],
  ['demo', 'POST', '/loadbalancers', LB_FOR_ALT, 403, FORBIDDEN],
  ['unscoped', 'POST', '/loadbalancers', LB_FOR_ALT, 403, FORBIDDEN],
  ['viewer', 'GET', '/loadbalancers', undefined, 200],
  ['unscoped', 'GET', '/loadbalancers', undefined, 403, FORBIDDEN],
  ['admin', 'GET', '/quotas/demo', undefined, 200],
  ['viewer', 'GET', '/quotas/demo', undefined, 200],
  ['alt', 'GET', '/quotas/demo', undefined, 403, FORBIDDEN],
  ['unscoped', 'GET', '/quotas/demo', undefined, 403, FORBIDDEN],
  ['demo', 'PUT', '/quotas/demo', QUOTA, 403, FORBIDDEN],
  ['admin', 'PUT', '/quotas/demo', QUOTA, 202],
  ['admin', 'DELETE', '/quotas/demo', undefined, 202],
  ['system', 'GET', '/quotas', undefined, 200],
  ['unscoped', 'GET', '/quotas', undefined, 403, FORBIDDEN],
  ['demo', 'GET', '/quotas/defaults', undefined, 200],
  ['viewer', 'GET', '/providers', undefined, 200],
  ['viewer', 'GET', '/flavors', undefined, 200],
  ['demo', 'GET', '/providers/octavia/flavor_capabilities', undefined, 403, FORBIDDEN],
  ['viewer', 'GET', '/providers/octavia/availability_zone_capabilities', undefined, 403, FORBIDDEN],
  ['admin', 'GET', '/providers/octavia/flavor_capabilities', undefined, 200],
  ['admin', 'GET', '/providers/octavia/availability_zone_capabilities', undefined, 200],
]

suite('who may do what with load balancers and quotas, as recorded', () => {
  for (const [who, method, path, body, status, fault] of ROWS) {
    test(`${who}: ${method} ${path} ${JSON.stringify(body ?? '')} → ${status}`, async (t) => {
      const api = await startApi(t, { identity: { identify } })
      const answer = await api.request(method, `/load-balancer/v2.0/lbaas${path}`, body, { 'x-who': who })
      assert.equal(answer.status, status, JSON.stringify(answer.body))
      if (fault !== undefined) assert.match(answer.body.faultstring, new RegExp(fault))
    })
  }
})

test("another project's load balancer and listener are forbidden, an unknown one unknown, and lists are one's own", async (t) => {
  const api = await startApi(t, { identity: { identify } })
  const ask = (who: string, method: string, path: string, body?: unknown): Promise<Answer> =>
    api.request(method, `/load-balancer/v2.0/lbaas${path}`, body, { 'x-who': who })
  const { id } = (await ask('demo', 'POST', '/loadbalancers', LB)).body.loadbalancer
  const made = await ask('admin', 'POST', '/listeners', {
    listener: { loadbalancer_id: id, protocol: 'TCP', protocol_port: 1 },
  })
  const { listener } = made.body
  assert.equal(listener.project_id, 'demo')
  const paths: readonly (readonly [method: string, path: string, body?: unknown])[] = [
    ['GET', `/loadbalancers/${id}`],
    ['PUT', `/loadbalancers/${id}`, { loadbalancer: { name: 'x' } }],
    ['DELETE', `/loadbalancers/${id}?cascade=true`],
    ['GET', `/loadbalancers/${id}/status`],
    ['GET', `/loadbalancers/${id}/stats`],
    ['GET', `/listeners/${listener.id}`],
    ['PUT', `/listeners/${listener.id}`, { listener: { name: 'x' } }],
    ['DELETE', `/listeners/${listener.id}`],
    ['GET', `/listeners/${listener.id}/stats`],
    ['POST', '/listeners', { listener: { loadbalancer_id: id, protocol: 'TCP', protocol_port: 2 } }],
  ]
  for (const [method, path, body] of paths) {
    const answer = await ask('alt', method, path, body)
    assert.deepEqual([answer.status, answer.body.faultstring], [403, FORBIDDEN], `${method} ${path}`)
  }
  assert.equal((await ask('demo', 'PUT', `/loadbalancers/${id}/failover`)).status, 403)
  assert.equal((await ask('admin', 'PUT', `/loadbalancers/${id}/failover`)).status, 202)
  const unknown = '00000000-0000-4000-8000-00000000dead'
  assert.equal((await ask('alt', 'GET', `/loadbalancers/${unknown}`)).status, 404)
  assert.deepEqual((await ask('alt', 'GET', '/loadbalancers')).body.loadbalancers, [])
  assert.equal((await ask('admin', 'GET', '/loadbalancers')).body.loadbalancers.length, 1)
  await ask('admin', 'PUT', '/quotas/demo', QUOTA)
  assert.equal((await ask('admin', 'GET', '/quotas')).body.quotas.length, 1)
  assert.deepEqual((await ask('alt', 'GET', '/quotas')).body.quotas, [])
})

test("the role service lists the members of any project's pool, and neither shows nor changes anything", async (t) => {
  const api = await startApi(t, { identity: { identify } })
  const ask = (who: string, method: string, path: string, body?: unknown): Promise<Answer> =>
    api.request(method, `/load-balancer/v2.0/lbaas${path}`, body, { 'x-who': who })
  const { id } = (await ask('demo', 'POST', '/loadbalancers', LB)).body.loadbalancer
  const made = await ask('demo', 'POST', '/pools', {
    pool: { loadbalancer_id: id, protocol: 'TCP', lb_algorithm: 'ROUND_ROBIN' },
  })
  const members = `/pools/${made.body.pool.id}/members`
  const { member } = (
    await ask('demo', 'POST', members, { member: { address: '127.0.0.9', protocol_port: 1 } })
  ).body
  const listed = await ask('aodh', 'GET', members)
  assert.deepEqual(
    [listed.status, listed.body.members.map((each: { id: string }) => each.id)],
    [200, [member.id]],
  )
  for (const [method, path, body] of [
    ['GET', `${members}/${member.id}`],
    ['PUT', `${members}/${member.id}`, { member: { weight: 2 } }],
    ['DELETE', `${members}/${member.id}`],
    ['POST', members, { member: { address: '127.0.0.9', protocol_port: 2 } }],
    ['GET', '/pools'],
    ['GET', '/loadbalancers'],
  ] as const) {
    assert.equal((await ask('aodh', method, path, body)).status, 403, `${method} ${path}`)
  }
})

const LISTS = ['/load-balancer/v2.0/lbaas/pools', '/elb/v2.0/lbaas/pools', '/v2.0/subnets?name=x'] as const

for (const [rbac, allowed] of [
  ['both', { demo: 200, lbMember: 200, admin: 200 }],
  ['load_balancer_roles', { demo: 403, lbMember: 200, admin: 200 }],
  ['default_roles', { demo: 200, lbMember: 403, admin: 200 }],
] as const) {
  test(`HM_RBAC=${rbac}: who lists, reads subnets and creates, in both dialects`, async (t) => {
    const api = await startApi(t, { identity: { identify }, rbac, networkReads: true })
    for (const [who, status] of Object.entries(allowed)) {
      for (const path of LISTS) {
        assert.equal((await api.request('GET', path, undefined, { 'x-who': who })).status, status, who + path)
      }
      for (const mount of ['/load-balancer', '/elb']) {
        const answer = await api.request('POST', `${mount}/v2.0/lbaas/loadbalancers`, LB, { 'x-who': who })
        assert.equal(answer.status, status === 200 ? 201 : 403, `${who} ${mount}`)
      }
      const probers = await api.request('GET', '/v1/probers', undefined, { 'x-who': who })
      assert.equal(probers.status, who === 'admin' ? 200 : 403)
    }
  })
}
