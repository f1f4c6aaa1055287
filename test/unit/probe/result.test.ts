import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MAX_DETAIL_BYTES } from '../../../src/domain/limits.ts'
import { boundedDetail, result } from '../../../src/probe/result.ts'

test('the outcome of a result is its reason’s', () => {
  assert.equal(result('PASSED', '', { totalMs: 1 }).outcome, 'passed')
  assert.equal(result('CONNECT_REFUSED', '', { totalMs: 1 }).outcome, 'failed')
  assert.equal(result('PROBER_FAULT', '', { totalMs: 1 }).outcome, 'inconclusive')
})

test('a detail is at most MAX_DETAIL_BYTES of valid UTF-8 without control characters, whatever it is made of', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.nat({ max: 0xffff }).map((c) => String.fromCharCode(c)), maxLength: 300 }),
      (text) => {
        const detail = boundedDetail(text)
        assert.ok(Buffer.byteLength(detail) <= MAX_DETAIL_BYTES)
        assert.doesNotMatch(detail, /[\p{Cc}\p{Cs}]/u)
        assert.equal(Buffer.from(detail).toString(), detail)
      },
    ),
  )
  assert.equal(boundedDetail('got 503, expected 200'), 'got 503, expected 200')
  assert.equal(boundedDetail('x'.repeat(200)).length, MAX_DETAIL_BYTES)
})
