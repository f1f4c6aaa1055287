import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { byName } from '../../../../src/domain/kuma/objects.ts'

test('names are in the order of their bytes, as Go compares them, beyond U+FFFF too', () => {
  const names = ['\u{1F600}', '\uFF5E', 'a', '', 'é', '\uE000', 'ab']
  const sorted = names.map((name) => ({ name })).toSorted(byName)
  assert.deepEqual(
    sorted.map(({ name }) => name),
    ['', 'a', 'ab', 'é', '\uE000', '\uFF5E', '\u{1F600}'],
  )
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
      assert.equal(
        Math.sign(byName({ name: a }, { name: b })),
        Buffer.compare(Buffer.from(a), Buffer.from(b)),
      )
    }),
  )
})
