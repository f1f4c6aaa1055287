import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tokenOf } from '../../../src/identity/identity.ts'

test('the token of a request is one header of printable ASCII, of 8 KiB at most', () => {
  const longest = 'x'.repeat(8192)
  for (const token of ['!', '~', 'gAAAA-_=', longest]) assert.equal(tokenOf({ 'x-auth-token': token }), token)
  for (const odd of ['', ' ', 'a b', 'ü', 'a\n', '\x7f', `${longest}x`, ['a'], ['a', 'b'], undefined])
    assert.equal(tokenOf({ 'x-auth-token': odd }), undefined, JSON.stringify(odd))
  assert.equal(tokenOf({ 'x-subject-token': 'b' }, 'x-subject-token'), 'b')
  assert.equal(tokenOf({ 'x-subject-token': 'b' }), undefined)
})
