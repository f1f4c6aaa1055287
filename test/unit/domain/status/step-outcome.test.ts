import assert from 'node:assert/strict'
import { test } from 'node:test'
import { outcomeOfWord, RESULT_WORDS } from '../../../../src/domain/status/step-outcome.ts'

test('only the words of results name an outcome, and what every object has is none of them', () => {
  for (const [word, outcome] of Object.entries(RESULT_WORDS)) assert.equal(outcomeOfWord(word), outcome)
  for (const word of ['', 'Success', 'passed', 'constructor', 'toString', '__proto__'])
    assert.equal(outcomeOfWord(word), undefined, word)
})
