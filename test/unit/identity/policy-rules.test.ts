/** Rules over the whole table of the policy: a line that gives more than it should is noticed, whichever it is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Identity } from '../../../src/identity/identity.ts'
import { decide } from '../../../src/identity/policy.ts'
import { POLICY } from '../../support/policy.ts'

const MINE = 'mine'
const YOURS = 'yours'

/** With both families of roles, so that the rules hold in every way to read them. */
function holder(...roles: readonly string[]): Identity {
  return { projectId: MINE, roles, scope: 'project', assumed: false, confined: false, userId: 'u' }
}

const READER = holder('reader', 'load-balancer_observer')
const OBSERVER_OF_ALL = holder('load-balancer_global_observer')
const MEMBER = holder('member', 'reader', 'load-balancer_member', 'load-balancer_observer')
const QUOTA_ADMIN = holder('load-balancer_quota_admin')
const ADMIN = holder('admin', 'member', 'reader', 'load-balancer_admin')

const operations = POLICY.flatMap((rule) =>
  rule.operations.map((operation) => ({ ...operation, rule, name: `${operation.method} ${operation.path}` })),
)
type Line = (typeof operations)[number]

const closed = operations.filter(({ rule }) => rule.check !== 'anyone')
const writes = closed.filter(({ method }) => method !== 'GET')
const isQuota = ({ path }: Line): boolean => /\/quotas\b/.test(path)

/** What providers and their machines are made of. */
const OPERATORS_ONLY = /_capabilities$|\/(flavorprofiles|availabilityzoneprofiles|amphorae)\b/

/** What is not for members, though it is in their project or reads only. */
function isForAdministrators(line: Line): boolean {
  const { method, path } = line
  return (
    (isQuota(line) && method !== 'GET') ||
    path.endsWith('/failover') ||
    path === '/v1/probers' ||
    OPERATORS_ONLY.test(path) ||
    (method === 'POST' && /\/(flavors|availabilityzones)$/.test(path))
  )
}

const may = ({ rule }: Line, who: Identity, owner: string): boolean =>
  decide({ rule, identity: who, rbac: 'both' }, owner) === 'allowed'
const inLists = ({ rule }: Line, who: Identity): string => decide({ rule, identity: who, rbac: 'both' })

test('the table is as large as it should be for these rules to say anything', () => {
  assert.ok(closed.length > 60, String(closed.length))
  assert.ok(writes.length > 25, String(writes.length))
  assert.ok(operations.filter(isForAdministrators).length >= 4)
})

test('only the reads of versions are for everybody', () => {
  for (const { rule, name, path, method } of operations) {
    if (rule.check !== 'anyone') continue
    assert.equal(method, 'GET', name)
    assert.match(path, /^\/(v2(\.0)?(\/lbaas)?)?$/)
  }
})

test('and they are, whatever the token is for and whatever roles it has', () => {
  for (const { rule, name } of operations.filter(({ rule: { check } }) => check === 'anyone')) {
    for (const who of [holder(), READER, { ...holder(), scope: 'unscoped', projectId: '' } as const]) {
      assert.equal(decide({ rule, identity: who, rbac: 'both' }), 'allowed', name)
    }
  }
})

test('anything but GET is refused to readers, in every project', () => {
  for (const line of writes) {
    for (const who of [READER, OBSERVER_OF_ALL]) {
      for (const owner of [MINE, YOURS]) assert.equal(may(line, who, owner), false, line.name)
      assert.equal(inLists(line, who), 'denied', line.name)
    }
  }
})

test('writes of quotas, failover and the list of probers are for administrators, also in the own project', () => {
  for (const line of operations.filter(isForAdministrators)) {
    for (const who of [READER, OBSERVER_OF_ALL, MEMBER]) {
      assert.equal(may(line, who, MINE), false, line.name)
      assert.equal(inLists(line, who), 'denied', line.name)
    }
    assert.equal(may(line, ADMIN, YOURS), true, line.name)
  }
})

test('only roles for every project allow anything in a foreign project, or in all', () => {
  for (const line of closed) {
    for (const who of [READER, MEMBER]) {
      assert.equal(may(line, who, YOURS), false, line.name)
      assert.notEqual(inLists(line, who), 'allowed', `${line.name}: all projects`)
    }
  }
})

test('a member writes what is not for administrators, and a reader reads it, each in the own project', () => {
  for (const line of writes.filter((each) => !isForAdministrators(each))) {
    assert.equal(may(line, MEMBER, MINE), true, line.name)
  }
  const reads = closed.filter((line) => line.method === 'GET' && /\/\{|\/members|\/pools/.test(line.path))
  for (const line of reads.filter((each) => !isForAdministrators(each))) {
    assert.equal(may(line, READER, MINE), true, line.name)
  }
})

test('who administers quotas does nothing else, and an administrator everything, everywhere', () => {
  for (const line of closed) {
    assert.equal(may(line, QUOTA_ADMIN, YOURS), isQuota(line), line.name)
    assert.equal(may(line, ADMIN, YOURS), true, line.name)
  }
})

test('without a role, and with unknown roles, nothing is allowed', () => {
  for (const line of closed) {
    for (const who of [holder(), holder('heat_stack_owner', 'manager_of_nothing')]) {
      for (const owner of [MINE, YOURS]) assert.equal(may(line, who, owner), false, line.name)
    }
  }
})
