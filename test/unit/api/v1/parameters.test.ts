import assert from 'node:assert/strict'
import { test } from 'node:test'
import { knownParameters } from '../../../../src/api/v1/parameters.ts'
import { DomainError } from '../../../../src/domain/errors.ts'

const refusal = (querystring: string, once: readonly string[], repeatable?: readonly string[]): string => {
  try {
    knownParameters({ querystring }, once, repeatable)
  } catch (error) {
    assert.ok(error instanceof DomainError && error.code === 'INVALID_QUERY')
    return error.message
  }
  return ''
}

test('a parameter that is not known, or sent twice, is refused by its name', () => {
  assert.equal(refusal('marker=1&colour=red', ['marker']), 'There is no parameter colour here.')
  assert.equal(refusal('marker=1&marker=1', ['marker']), 'marker may be sent once.')
  assert.equal(refusal(`${'x'.repeat(300)}=1`, []), `There is no parameter ${'x'.repeat(64)} here.`)
})

test('a parameter whose values are alternatives may be repeated, and others of the same request may not', () => {
  const parameters = knownParameters({ querystring: 'to=A&limit=1&to=B' }, ['limit'], ['to'])
  assert.deepEqual([parameters.getAll('to'), parameters.get('limit')], [['A', 'B'], '1'])
  assert.equal(refusal('to=A&to=B&limit=1&limit=1', ['limit'], ['to']), 'limit may be sent once.')
})
