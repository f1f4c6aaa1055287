/** The policy is Octavia's: walks the matrices of docs/peers/octavia-rbac.md, which were written from Octavia's own files. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { type Rbac, RBAC_MODES } from '../../../src/domain/types.ts'
import type { Identity } from '../../../src/identity/identity.ts'
import { decide } from '../../../src/identity/policy.ts'
import { POLICY, ruleFor } from '../../support/policy.ts'

const DOCUMENT = readFileSync('docs/peers/octavia-rbac.md', 'utf8')

/** Rows of the first table below a heading, by their first cell. */
function tableOf(heading: string): readonly Readonly<Record<string, string>>[] {
  const below = DOCUMENT.split(`${heading}\n`)[1] ?? assert.fail(heading)
  const lines = below.split('\n')
  const first = lines.findIndex((line) => line.startsWith('|'))
  const last = lines.findIndex((line, i) => i > first && !line.startsWith('|'))
  const [names = [], , ...rows] = lines.slice(first, last).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  )
  return rows.map((cells) => Object.fromEntries(names.map((name, i) => [name, cells[i] ?? ''])))
}

type Column = Exclude<Rbac, 'both'>
const MATRICES: Readonly<Record<Column, ReturnType<typeof tableOf>>> = {
  default_roles: tableOf('### default_roles'),
  load_balancer_roles: tableOf('### load_balancer_roles'),
}
const OPERATIONS = tableOf('## What an operation requires')

/** What a role may do where these roles count, as the document says it. */
function documented(rbac: Column, role: string, right: string): string {
  const row = MATRICES[rbac].find(({ Role }) => Role === role)
  return row?.[right] ?? assert.fail(`${rbac}: ${role}: ${right}`)
}

function holder(role: string): Identity {
  return { projectId: 'mine', roles: [role], scope: 'project', assumed: false, confined: false }
}

/** `own`, `all` or nothing, by what the policy decides about lists and about objects of two projects. */
function decided(operation: string, role: string, rbac: Rbac): string {
  const [method = '', path = ''] = operation.split(' ')
  const rule = ruleFor(method, `/v2.0${path}`) ?? assert.fail(`a rule for ${operation}`)
  const question = { rule, identity: holder(role), rbac }
  const answers = [decide(question), decide(question, 'mine'), decide(question, 'yours')].join(', ')
  const words: Readonly<Record<string, string>> = {
    'allowed, allowed, allowed': 'all',
    'own project, allowed, denied': 'own',
    'denied, denied, denied': '',
  }
  return words[answers] ?? answers
}

test('both matrices name the same nine roles and the same six things to do', () => {
  const [first, second] = Object.values(MATRICES).map((rows) =>
    rows.map((row) => [row['Role'], Object.keys(row)]),
  )
  assert.deepEqual(first, second)
  assert.equal(first?.length, 9)
  assert.equal(OPERATIONS.length, new Set(OPERATIONS.map((row) => row['Operation'])).size)
})

for (const rbac of ['default_roles', 'load_balancer_roles'] as const) {
  test(`HM_RBAC=${rbac}: every role may do what Octavia's matrix says, with every operation`, () => {
    for (const { Operation = '', requires = '' } of OPERATIONS) {
      for (const { Role = '' } of MATRICES[rbac]) {
        assert.equal(
          decided(Operation, Role, rbac),
          documented(rbac, Role, requires),
          `${Role}: ${Operation}`,
        )
      }
    }
  })
}

test('HM_RBAC=both: what either matrix allows', () => {
  for (const { Operation = '', requires = '' } of OPERATIONS) {
    for (const { Role = '' } of MATRICES.default_roles) {
      const either = ['default_roles', 'load_balancer_roles'].map((rbac) =>
        documented(rbac as Column, Role, requires),
      )
      const most = ['all', 'own', ''].find((word) => either.includes(word))
      assert.equal(decided(Operation, Role, 'both'), most, `${Role}: ${Operation}`)
    }
  }
})

test("an identity with roles of the other family only may do nothing, with any operation of Octavia's or ours", () => {
  const others: Readonly<Record<Column, RegExp>> = {
    default_roles: /^load-balancer_/,
    load_balancer_roles: /^(reader|member)$/,
  }
  for (const [rbac, role] of Object.entries(others)) {
    for (const { Role = '' } of MATRICES.default_roles.filter((row) => role.test(row['Role'] ?? ''))) {
      for (const rule of POLICY.filter(({ check }) => check !== 'anyone')) {
        assert.equal(
          decide({ rule, identity: holder(Role), rbac: rbac as Rbac }, 'mine'),
          'denied',
          `${rbac}: ${Role}: ${rule.name}`,
        )
      }
    }
  }
})

test('every rule but those of elb and ours is an operation of the document', () => {
  const documentedRules = new Set(
    OPERATIONS.map(({ Operation = '' }) => {
      const [method = '', path = ''] = Operation.split(' ')
      return ruleFor(method, `/v2.0${path}`)
    }),
  )
  const missing = POLICY.filter(
    (rule) =>
      rule.check !== 'anyone' && !documentedRules.has(rule) && !/\((ours|elb)\)|elb's/.test(rule.description),
  )
  assert.deepEqual(
    missing.map(({ name }) => name),
    [],
  )
})

test('the settings are those of the document', () => {
  assert.deepEqual(
    tableOf('# Who may do what in Octavia').map((row) => row['HM_RBAC']?.replaceAll('`', '')),
    ['default_roles', 'load_balancer_roles', 'both'],
  )
  assert.deepEqual(RBAC_MODES.toSorted(), ['both', 'default_roles', 'load_balancer_roles'])
})
