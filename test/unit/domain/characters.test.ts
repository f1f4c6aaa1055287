import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { charactersOf, hasMoreCharacters } from '../../../src/domain/characters.ts'

test('characters are counted as PostgreSQL counts them, also those outside of the basic plane', () => {
  for (const [text, characters] of [
    ['', 0],
    ['abc', 3],
    ['ä€字', 3],
    ['𝄞🐘', 2],
  ] as const)
    assert.equal(charactersOf(text), characters, text)
})

test('a text has more characters than it may exactly where the count says so', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 12 }), fc.nat(12), (text, max) => {
      assert.equal(hasMoreCharacters(text, max), Array.from(text).length > max)
    }),
  )
})
