import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClientFailure, EXIT } from '../../../src/client/failure.ts'
import { onlyOne } from '../../../src/client/only-one.ts'
import { CLIENT_NAMED_MAX } from '../../../src/domain/limits.ts'

const rowsOf = (count: number) => Array.from({ length: count }, (_, i) => ({ id: `id-${i}` }))

function refusal(rows: readonly { readonly id: string }[], more: object = {}): string {
  try {
    onlyOne({ kind: 'pool', named: 'app', ...more }, rows)
  } catch (error) {
    assert.ok(error instanceof ClientFailure)
    assert.equal(error.exitCode, EXIT.mistake)
    return error.message
  }
  assert.fail('it is refused')
}

test('the one object of a name is found', () => {
  assert.deepEqual(onlyOne({ kind: 'pool', named: 'app' }, rowsOf(1)), { id: 'id-0' })
})

test('a name that nothing has, or several have, is refused in one sentence', () => {
  assert.equal(refusal([]), 'there is no pool "app"')
  assert.equal(refusal([], { where: ' in project x' }), 'there is no pool "app" in project x')
  assert.equal(refusal(rowsOf(2)), '"app" is the name of several pools: id-0, id-1 (an id says which)')
})

test('of many ids some are listed, and the sentence says that there are more', () => {
  const sentence = refusal(rowsOf(CLIENT_NAMED_MAX + 1), { hint: 'use an id' })
  assert.match(sentence, new RegExp(`id-${CLIENT_NAMED_MAX - 1}, … \\(use an id\\)$`))
})
