import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import fc from 'fast-check'
import { EXPECTED_CODES_MAX } from '../../../../src/domain/limits.ts'
import {
  codesField,
  isExpectedCode,
  parseExpectedCodes,
} from '../../../../src/domain/target/expected-codes.ts'

function accepts(expression: string, status: number): boolean {
  const codes = parseExpectedCodes(expression)
  assert.ok(codes !== undefined, `${expression} is refused`)
  return isExpectedCode(codes, status)
}

describe('expected codes', () => {
  it('are a single code, a list, a range, or a list of both', () => {
    assert.ok(accepts('200', 200))
    assert.ok(!accepts('200', 201))
    assert.ok(accepts('200,202', 202))
    assert.ok(!accepts('200,202', 201))
    assert.ok(accepts('200-204', 203))
    assert.ok(!accepts('200-204', 205))
    for (const status of [200, 204, 300, 302, 401]) assert.ok(accepts('200-204,300-302,401', status))
    for (const status of [205, 299, 303, 400, 402]) assert.ok(!accepts('200-204,300-302,401', status))
  })

  it('may have white space around commas', () => {
    assert.ok(accepts('200 , 202', 202))
  })

  it('are refused when they are not codes, leave 100..599 or run backwards', () => {
    for (const text of [
      '',
      ' ',
      ',',
      '200,',
      '20',
      '2000',
      'abc',
      '200-',
      '-200',
      '204-200',
      '099',
      '600',
      '200;202',
    ]) {
      assert.equal(parseExpectedCodes(text), undefined, text)
    }
  })

  it('contain exactly the codes of every range and list one can write', () => {
    const code = fc.integer({ min: 100, max: 599 })
    const range = fc.tuple(code, code).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }))
    fc.assert(
      fc.property(fc.array(range, { minLength: 1, maxLength: 5 }), code, (ranges, status) => {
        const expression = ranges.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(',')
        assert.equal(
          accepts(expression, status),
          ranges.some(({ from, to }) => status >= from && status <= to),
        )
      }),
    )
  })
})

test('the ranges of an option are shown in the plain field as far as they fit, whole ranges only', () => {
  assert.equal(codesField([]), null)
  assert.equal(codesField([{ start: 200, end: 201 }]), '200')
  assert.equal(
    codesField([
      { start: 200, end: 300 },
      { start: 404, end: 405 },
    ]),
    '200-299,404',
  )
  const many = Array.from({ length: 100 }, (_, i) => ({ start: 200 + 2 * i, end: 201 + 2 * i }))
  const shown = codesField(many) ?? assert.fail()
  assert.ok(shown.length <= EXPECTED_CODES_MAX && shown.length > EXPECTED_CODES_MAX - 4, String(shown.length))
  assert.deepEqual(
    parseExpectedCodes(shown),
    many.slice(0, shown.split(',').length).map(({ start }) => ({ from: start, to: start })),
  )
})
