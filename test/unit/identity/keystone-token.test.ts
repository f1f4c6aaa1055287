import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readKeystoneToken } from '../../../src/identity/keystone-token.ts'

const ENDS = '2026-11-20T21:41:38.000000Z'

/** A token document with what decides, and what differs from it; undefined leaves a field out. */
function read(otherwise: Readonly<Record<string, unknown>> = {}) {
  const token = {
    user: { id: 'u', name: 'demo' },
    project: { id: 'p', name: 'demo' },
    roles: [{ id: '1', name: 'member' }],
    expires_at: ENDS,
    ...otherwise,
  }
  return readKeystoneToken({ token })
}

test('a token of a project says who, where, with which roles, and until when', () => {
  assert.deepEqual(read(), {
    identity: {
      projectId: 'p',
      assumed: false,
      scope: 'project',
      roles: ['member'],
      confined: false,
      userId: 'u',
    },
    expiresAt: Date.parse(ENDS),
  })
})

test('scope: a project goes before all, then the whole system, then a domain, and nothing is unscoped', () => {
  const scopes: readonly (readonly [object, string, string])[] = [
    [{ system: { all: true }, domain: { id: 'd' } }, 'project', 'p'],
    [{ project: undefined, system: { all: true }, domain: { id: 'd' } }, 'system', ''],
    [{ project: undefined, system: { all: false } }, 'unscoped', ''],
    [{ project: undefined, system: { all: 'true' }, domain: { id: 'd' } }, 'domain', ''],
    [{ project: undefined, domain: null }, 'unscoped', ''],
    [{ project: { name: 'without an id' } }, 'unscoped', ''],
    [{ project: { id: '' } }, 'unscoped', ''],
    [{ project: { id: 7 } }, 'unscoped', ''],
  ]
  for (const [otherwise, scope, projectId] of scopes) {
    const identity = read({ ...otherwise })?.identity
    assert.deepEqual([identity?.scope, identity?.projectId], [scope, projectId], JSON.stringify(otherwise))
  }
})

test('roles are names; what has none is passed over, and no list is no role', () => {
  const roles: readonly (readonly [unknown, readonly string[]])[] = [
    [
      [{ name: 'reader' }, { id: 'nameless' }, null, 'admin', { name: '' }, { name: 'member' }],
      ['reader', 'member'],
    ],
    [undefined, []],
    [{ name: 'admin' }, []],
    ['admin', []],
  ]
  for (const [given, expected] of roles) assert.deepEqual(read({ roles: given })?.identity.roles, expected)
})

test('a document without a user or an expiry is not a token, and gives no access', () => {
  for (const otherwise of [
    { user: undefined },
    { user: {} },
    { user: { id: '' } },
    { expires_at: undefined },
    { expires_at: 'soon' },
    { expires_at: 4102444800000 },
  ]) {
    assert.equal(read(otherwise), undefined, JSON.stringify(otherwise))
  }
  for (const body of [undefined, null, 'token', {}, { token: null }, { token: 'x' }, [], { error: {} }]) {
    assert.equal(readKeystoneToken(body), undefined, JSON.stringify(body))
  }
})
