import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Access,
  type AccessRule,
  accessOf,
  anyProject,
  ownerDecides,
  ownProjectOnly,
} from '../../../../src/api/http/access.ts'
import { DomainError } from '../../../../src/domain/errors.ts'
import type { Identity } from '../../../../src/identity/identity.ts'
import { ruleFor } from '../../../support/policy.ts'

const WRITE = ['PUT', '/v2.0/lbaas/pools/:id'] as const

function holder(projectId: string, roles: readonly string[], more: Partial<Identity> = {}): Identity {
  return { projectId, roles, scope: 'project', assumed: false, confined: false, userId: 'u', ...more }
}

const WHO = {
  admin: holder('mine', ['admin']),
  member: holder('mine', ['member']),
  reader: holder('mine', ['reader']),
  system: holder('', ['admin'], { scope: 'system' }),
  confined: holder('mine', [], { confined: true }),
  nobody: holder('mine', []),
} as const

/** What a rule gives for a write: whose objects it finds by id and lists, and whose it may write; or FORBIDDEN. */
function accessTo(rule: AccessRule, identity: Identity): string {
  try {
    const access = accessOf(rule, { ruleFor, identity, rbac: 'both', method: WRITE[0], path: WRITE[1] })
    const writes = ['mine', 'yours'].filter((owner) => isAuthorised(access, owner)).join()
    return `finds ${access.byId ?? 'any'}, lists ${access.inLists ?? 'all'}, writes ${writes || 'none'}`
  } catch (error) {
    assert.ok(error instanceof DomainError)
    assert.match(error.message, /^Policy doesn't allow os_load-balancer_api:pool:put to be performed\.$/)
    return error.code
  }
}

function isAuthorised({ authorise }: Access, owner: string): boolean {
  try {
    authorise(owner)
    return true
  } catch (error) {
    assert.ok(error instanceof DomainError && error.code === 'FORBIDDEN')
    return false
  }
}

test('who may reach what: in their own project only, in any that the policy allows, or as the owner decides', () => {
  const table: readonly (readonly [keyof typeof WHO, string, string, string])[] = [
    [
      'admin',
      'finds mine, lists mine, writes mine,yours',
      'finds any, lists all, writes mine,yours',
      'finds any, lists all, writes mine,yours',
    ],
    [
      'member',
      'finds mine, lists mine, writes mine',
      'finds any, lists mine, writes mine',
      'finds any, lists mine, writes mine',
    ],
    ['reader', 'FORBIDDEN', 'FORBIDDEN', 'finds any, lists mine, writes none'],
    [
      'system',
      'FORBIDDEN',
      'finds any, lists all, writes mine,yours',
      'finds any, lists all, writes mine,yours',
    ],
    [
      'confined',
      'finds mine, lists mine, writes mine',
      'finds mine, lists mine, writes mine',
      'finds mine, lists mine, writes mine',
    ],
    ['nobody', 'FORBIDDEN', 'FORBIDDEN', 'finds any, lists mine, writes none'],
  ]
  for (const [who, ...expected] of table) {
    const actual = [ownProjectOnly, anyProject, ownerDecides].map((rule) => accessTo(rule, WHO[who]))
    assert.deepEqual(actual, expected, who)
  }
})

test('an operation without a rule is forbidden to everybody', () => {
  const asked = {
    ruleFor,
    identity: WHO.admin,
    rbac: 'both',
    method: 'PATCH',
    path: '/v2.0/lbaas/pools',
  } as const
  for (const rule of [ownProjectOnly, anyProject, ownerDecides])
    assert.throws(() => accessOf(rule, asked), { code: 'FORBIDDEN' })
})
