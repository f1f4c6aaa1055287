/** Bounds of a JSON text are found while its bytes come in, however they are cut, and strings count for nothing. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JsonMeter } from '../../../../src/api/http/json-meter.ts'

/** The refusal of a text that comes in pieces of some bytes; undefined = none. */
function refusalOf(
  text: string,
  { values = 1000, piece = Number.POSITIVE_INFINITY } = {},
): string | undefined {
  const bytes = Buffer.from(text)
  const meter = new JsonMeter(values)
  try {
    for (let at = 0; at < bytes.length; at += piece) meter.feed(bytes.subarray(at, at + piece))
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

const object = (keys: number) =>
  JSON.stringify(Object.fromEntries(Array.from({ length: keys }, (_, i) => [`k${i}`, i])))
const list = (items: number) => JSON.stringify(Array.from({ length: items }, () => 'x'))

const PIECES = [1, 2, 3, 7, Number.POSITIVE_INFINITY]

test('an object has at most 128 keys, wherever it is', () => {
  for (const piece of PIECES) {
    assert.equal(refusalOf(object(128), { piece }), undefined)
    assert.equal(refusalOf(object(129), { piece }), 'An object in the body has more than 128 keys.')
    assert.equal(
      refusalOf(`[{"a":[${object(129)}]}]`, { piece }),
      'An object in the body has more than 128 keys.',
    )
    // Objects inside do not count as keys, nor do objects beside each other add up.
    assert.equal(refusalOf(`[${object(100)},${object(100)},{"a":${object(100)}}]`, { piece }), undefined)
  }
})

test('keys and items count together, over all arrays and objects', () => {
  for (const piece of PIECES) {
    assert.equal(refusalOf(list(1000), { piece }), undefined)
    assert.equal(refusalOf(list(1001), { piece }), 'The body has more than 1000 keys and items.')
    assert.equal(refusalOf(`{"a":${list(998)},"b":1}`, { piece }), undefined)
    assert.equal(
      refusalOf(`{"a":${list(998)},"b":[]}`, { piece }),
      'The body has more than 1000 keys and items.',
    )
  }
})

test('32 levels are read and 33 are not', () => {
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
  ] as const) {
    assert.equal(refusalOf(open.repeat(32) + close.repeat(32)), undefined)
    assert.equal(refusalOf(open.repeat(33)), 'The body is nested more than 32 levels deep.')
  }
  // Depth is what is open, not what was.
  assert.equal(refusalOf(`[${Array.from({ length: 100 }, () => '[[]]').join()}]`), undefined)
})

test('the content of strings does not count, escapes included', () => {
  for (const piece of PIECES) {
    const text = JSON.stringify(['[[[{{{'.repeat(100), ',,,"\\"'.repeat(100), '\\', '"', 'ü{'.repeat(50)])
    assert.equal(refusalOf(text, { values: 5, piece }), undefined, `${piece}`)
    assert.equal(refusalOf(text, { values: 4, piece }), 'The body has more than 4 keys and items.')
  }
})

test('text that is no JSON is measured like any other, for the parser to refuse', () => {
  for (const text of ['', ']]]]', '}{', '"', ',,,', '\\"[', '{"a":]}', '[}'])
    assert.equal(refusalOf(text), undefined, text)
  assert.equal(refusalOf(','.repeat(2000)), 'The body has more than 1000 keys and items.')
  assert.equal(
    refusalOf(`${']'.repeat(50)}${'['.repeat(33)}`),
    'The body is nested more than 32 levels deep.',
  )
})
