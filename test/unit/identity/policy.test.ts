import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApiDependencies } from '../../../src/api/http/context.ts'
import { DIALECTS } from '../../../src/api/dialects.ts'
import { elbRoutes } from '../../../src/api/dialect/elb/routes.ts'
import type { Identity } from '../../../src/identity/identity.ts'
import { noIdentity } from '../../../src/identity/no-identity.ts'
import { decide } from '../../../src/identity/policy.ts'
import { OWN_POLICY } from '../../../src/identity/policy-table.ts'
import { octaviaGoldens, type OctaviaGolden } from '../../support/goldens.ts'
import { ruleFor } from '../../support/policy.ts'

function holder(projectId: string, roles: readonly string[], scope: Identity['scope'] = 'project'): Identity {
  return { projectId, roles, scope, assumed: false, confined: false, userId: 'u' }
}

/** The accounts of the recording; `none` and `garbage` have no identity. */
const ACTORS: Readonly<Record<string, Identity>> = {
  admin: holder('admin', ['admin', 'member', 'reader']),
  demo: holder('demo', ['load-balancer_member', 'reader', 'member']),
  alt: holder('alt', ['load-balancer_member', 'reader', 'member']),
  viewer: holder('demo', ['load-balancer_observer', 'reader']),
  service: holder('service', ['admin', 'service']),
  system: holder('', ['admin', 'member', 'reader'], 'system'),
  unscoped: holder('', [], 'unscoped'),
}

/** Project that a recorded operation acts on: the objects all belong to demo. */
function ownerOf({ case: name, request }: OctaviaGolden, identity: Identity): string | undefined {
  const [operation] = name.split('--')
  if (operation === 'lb-post') return identity.projectId
  if (operation === 'lb-post-for-alt') return 'alt'
  if (/^\/(healthmonitors|loadbalancers|quotas)$/.test(request.path) && request.method === 'GET')
    return undefined
  return 'demo'
}

/** The status that the policy, with the order of checks of the dialect octavia, leads to: 200 for every success. */
function predicted(golden: OctaviaGolden): number {
  const path = golden.request.path.split('?')[0]?.replaceAll(/<[^>]+>/g, '{id}') ?? ''
  const rule = ruleFor(golden.request.method, path === '/' ? path : `/v2.0/lbaas${path}`)
  assert.ok(rule, `a rule for ${golden.request.method} ${path}`)
  if (rule.check === 'anyone') return 200
  const identity = ACTORS[golden.as]
  if (identity === undefined) return 401
  // The owner is known before the policy is asked: an unknown object is 404, a project that nobody named 400.
  if (golden.case.startsWith('hm-get-unknown--')) return 404
  const owner = ownerOf(golden, identity)
  if (owner === '') return 400
  return decide({ rule, identity, rbac: 'both' }, owner) === 'denied' ? 403 : 200
}

test('every recorded answer of Octavia with Keystone is the one that the policy gives', () => {
  const goldens = octaviaGoldens('auth')
  assert.ok(goldens.length >= 100, String(goldens.length))
  for (const golden of goldens) {
    const recorded = golden.status < 300 ? 200 : golden.status
    assert.equal(predicted(golden), recorded, golden.case)
  }
})

test('recorded lists: an identity that may see everything gets everything, others their own project only', () => {
  const lists = octaviaGoldens('auth').filter(
    ({ case: name, status }) => /^(hm|lb)-list--/.test(name) && status === 200,
  )
  assert.ok(lists.length >= 8)
  for (const { case: name, as, body } of lists) {
    const identity = ACTORS[as] ?? assert.fail(name)
    const rule = ruleFor(
      'GET',
      name.startsWith('hm') ? '/v2.0/lbaas/healthmonitors' : '/v2.0/lbaas/loadbalancers',
    )
    const decision = decide({ rule: rule ?? assert.fail(), identity, rbac: 'both' })
    const shown = (body['healthmonitors'] ?? body['loadbalancers']) as { project_id: string }[]
    if (decision === 'own project') {
      for (const { project_id } of shown) assert.equal(project_id, `<project:${identity.projectId}>`, name)
    } else {
      assert.equal(decision, 'allowed')
      assert.ok(
        shown.some(({ project_id }) => project_id !== `<project:${identity.projectId}>`),
        name,
      )
    }
  }
})

test('every route of dialect elb has a rule, and all spellings of a route that have one have the same', () => {
  for (const { method, paths, open } of elbRoutes({} as ApiDependencies)) {
    const rules = paths.map((path) => ruleFor(method, path))
    assert.ok(rules[0], `a rule for ${method} ${paths[0]} in the policy of the dialect`)
    assert.equal(open === true, rules[0].check === 'anyone', `${method} ${paths[0]}`)
    for (const rule of rules) assert.ok(rule === undefined || rule === rules[0], `${method} ${paths.join()}`)
  }
})

test('an operation of a dialect has one rule, and a rule one name', () => {
  for (const dialect of DIALECTS) {
    const policy = [...dialect.policy, ...OWN_POLICY]
    const operations = policy.flatMap((rule) =>
      rule.operations.map(({ method, path }) => `${method} ${path.replaceAll(/\{[^}]*\}/g, '{}')}`),
    )
    assert.equal(new Set(operations).size, operations.length)
    assert.equal(new Set(policy.map(({ name }) => name)).size, policy.length)
    for (const { name, description } of policy) assert.ok(description.length > 8, name)
  }
})

const RULES = {
  read: ruleFor('GET', '/v2.0/lbaas/pools/:id') ?? assert.fail(),
  write: ruleFor('PUT', '/v2.0/lbaas/pools/{pool_id}') ?? assert.fail(),
  failover: ruleFor('PUT', '/v2.0/lbaas/loadbalancers/:id/failover') ?? assert.fail(),
  readQuota: ruleFor('GET', '/v2.0/quotas/:project') ?? assert.fail(),
  writeQuota: ruleFor('PUT', '/v2.0/lbaas/quotas/:project') ?? assert.fail(),
}

test('each family of roles alone is enough: reader, member, admin; load-balancer_*', () => {
  const table: readonly (readonly [string, string])[] = [
    // What a role allows, each as own/foreign: a = allowed, . = denied. read write failover readQuota writeQuota
    ['reader', 'a. .. .. a. ..'],
    ['member', 'a. a. .. a. ..'],
    ['admin', 'aa aa aa aa aa'],
    ['load-balancer_observer', 'a. .. .. a. ..'],
    ['load-balancer_member', 'a. a. .. a. ..'],
    ['load-balancer_global_observer', 'aa .. .. aa ..'],
    ['load-balancer_quota_admin', '.. .. .. aa aa'],
    ['load-balancer_admin', 'aa aa aa aa aa'],
    ['service', '.. .. .. .. ..'],
    ['', '.. .. .. .. ..'],
  ]
  for (const [role, expected] of table) {
    const identity = holder('mine', [role])
    const actual = Object.values(RULES)
      .map((rule) =>
        ['mine', 'yours']
          .map((owner) => (decide({ rule, identity, rbac: 'both' }, owner) === 'allowed' ? 'a' : '.'))
          .join(''),
      )
      .join(' ')
    assert.equal(actual, expected, role)
  }
})

test('roles on a domain, or on nothing, allow nothing', () => {
  for (const scope of ['domain', 'unscoped'] as const) {
    for (const rule of Object.values(RULES)) {
      const identity = holder('', ['admin', 'member', 'reader'], scope)
      assert.equal(decide({ rule, identity, rbac: 'both' }), 'denied')
      assert.equal(decide({ rule, identity, rbac: 'both' }, ''), 'denied')
      assert.equal(decide({ rule, identity, rbac: 'both' }, 'mine'), 'denied')
    }
  }
})

test('without identity everything may be done, in one project only', () => {
  const identity = noIdentity('mine')({ 'x-roles': 'admin' })
  for (const rule of Object.values(RULES)) {
    assert.equal(decide({ rule, identity, rbac: 'both' }), 'own project')
    assert.equal(decide({ rule, identity, rbac: 'both' }, 'mine'), 'allowed')
    assert.equal(decide({ rule, identity, rbac: 'both' }, 'yours'), 'denied')
  }
})
