import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BlockMatch } from '../../../../src/domain/address/block-match.ts'

const blocksOf = (...texts: readonly string[]): Uint8Array[] =>
  texts.map((text) => Buffer.from(text, 'latin1'))

/** Envoy's own words for it (docs/peers/probing.md 14), on the whole answer. */
function matchesWhole(answer: Buffer, blocks: readonly Uint8Array[]): boolean {
  let start = 0
  for (const block of blocks) {
    const at = answer.indexOf(block, start)
    if (at < 0) return false
    start = at + block.length
  }
  return true
}

test('blocks are found in order with anything between them, and not in another order', () => {
  const cases: readonly (readonly [string, readonly string[], boolean])[] = [
    ['+PONG\r\n', ['PONG'], true],
    ['a--b--c', ['a', 'c'], true],
    ['c--b--a', ['a', 'c'], false],
    ['abab', ['ab', 'ab'], true],
    ['aba', ['ab', 'ba'], false],
    ['', [], true],
    ['anything', [], true],
    ['pon', ['pong'], false],
  ]
  for (const [answer, blocks, expected] of cases) {
    assert.equal(new BlockMatch(blocksOf(...blocks)).take(Buffer.from(answer)), expected, answer)
  }
})

test('however the answer is cut into pieces, the same blocks are found', () => {
  const letters = fc.array(fc.constantFrom('a', 'b'), { maxLength: 30 }).map((list) => list.join(''))
  const block = fc
    .array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 4 })
    .map((list) => list.join(''))
  fc.assert(
    fc.property(
      letters,
      fc.array(block, { maxLength: 4 }),
      fc.integer({ min: 1, max: 5 }),
      (text, texts, size) => {
        const answer = Buffer.from(text)
        const blocks = blocksOf(...texts)
        const match = new BlockMatch(blocks)
        for (const time of ['first', 'again']) {
          for (let i = 0; i < answer.length; i += size) {
            const piece = Buffer.from(answer.subarray(i, i + size))
            match.take(piece)
            piece.fill(0)
          }
          assert.equal(match.isComplete, matchesWhole(answer, blocks), time)
          match.reset()
        }
      },
    ),
  )
})

test('a block that nearly comes all the time costs no more than one that never comes', () => {
  const block = new Uint8Array(1024).fill(97)
  block[block.length - 1] = 98
  const answer = new Uint8Array(65_536).fill(97)
  let looks = 0
  const counted = new Proxy(answer, {
    get(bytes, key) {
      const value: unknown = Reflect.get(bytes, key, bytes)
      if (typeof value === 'function') return value.bind(bytes) as unknown
      if (key !== 'length') looks++
      return value
    },
  })
  assert.equal(new BlockMatch([block]).take(counted), false)
  assert.ok(looks <= 2 * answer.length, `${looks} looks at ${answer.length} bytes`)
})
