import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OCTAVIA_PROJECT_ID_MAX } from '../../../../src/api/dialect/octavia/limits.ts'
import { namedIn, ownerOf } from '../../../../src/api/dialect/octavia/owner.ts'
import type { Asker } from '../../../../src/api/resource/load-balancers.ts'

const asker = (projectId: string, asked: string[] = []) =>
  ({
    identity: { projectId },
    access: { authorise: (owner: string) => void asked.push(owner) },
  }) as unknown as Asker

test('the project of a new load balancer is that of the body, else that of the request, and the policy is asked', () => {
  const asked: string[] = []
  assert.equal(ownerOf({ project_id: 'p', tenant_id: 't' }, asker('own', asked)), 'p')
  assert.equal(ownerOf({ tenant_id: 't' }, asker('own', asked)), 't')
  assert.equal(ownerOf({ project_id: '', tenant_id: null }, asker('own', asked)), 'own')
  assert.deepEqual(asked, ['p', 't', 'own'])
  assert.throws(() => ownerOf({}, asker('', asked)), { code: 'INVALID_FIELD' })
  assert.equal(asked.length, 3)
})

test('of a body that is not parsed yet only what can be the id of a project is read, whatever else it is', () => {
  const named = (loadbalancer: unknown) => namedIn({ loadbalancer })
  const longest = 'x'.repeat(OCTAVIA_PROJECT_ID_MAX)
  assert.deepEqual(named({ project_id: 'p', tenant_id: 't', name: 'n' }), { project_id: 'p', tenant_id: 't' })
  assert.deepEqual(named({ project_id: longest, tenant_id: `${longest}x` }), { project_id: longest })
  assert.deepEqual(named({ project_id: 1, tenant_id: ['t'] }), {})
  for (const odd of [undefined, null, 'lb', 1, [], [{ project_id: 'p' }]]) assert.deepEqual(named(odd), {})
  for (const odd of [undefined, null, 'lb', 1, []]) assert.deepEqual(namedIn(odd), {})
})
