import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { standardBase64 } from '../../../../src/domain/kuma/base64.ts'
import {
  durationMs,
  goDuration,
  parseDuration,
  protobufDuration,
} from '../../../../src/domain/kuma/duration.ts'

const SECOND = 1_000_000_000n

test('durations are read as Go reads them', () => {
  const read: readonly (readonly [string, bigint | undefined])[] = [
    ['10s', 10n * SECOND],
    ['1500ms', 1_500_000_000n],
    ['1m30s', 90n * SECOND],
    ['1.5h', 5400n * SECOND],
    ['-1s', -SECOND],
    ['0', 0n],
    ['0s', 0n],
    ['.5s', SECOND / 2n],
    ['1µs', 1000n],
    ['2562047h47m16.854775807s', 2n ** 63n - 1n],
    ['2562047h47m16.854775808s', undefined],
    ['', undefined],
    ['10', undefined],
    ['s', undefined],
    ['soon', undefined],
    ['1s ', undefined],
    ['1e3s', undefined],
    ['1d', undefined],
  ]
  for (const [text, nanos] of read) assert.equal(parseDuration(text), nanos, text)
})

test('durations are shown as protobuf and as Go show them', () => {
  const shown: readonly (readonly [string, string, string])[] = [
    ['1500ms', '1.500s', '1.5s'],
    ['1m', '60s', '1m0s'],
    ['90s', '90s', '1m30s'],
    ['2h', '7200s', '2h0m0s'],
    ['100ms', '0.100s', '100ms'],
    ['1us', '0.000001s', '1µs'],
    ['1ns', '0.000000001s', '1ns'],
    ['0s', '0s', '0s'],
    ['-1500ms', '-1.500s', '-1.5s'],
    ['1.0001s', '1.000100s', '1.0001s'],
  ]
  for (const [text, protobuf, go] of shown) {
    const nanos = parseDuration(text)
    assert.ok(nanos !== undefined, text)
    assert.deepEqual([protobufDuration(nanos), goDuration(nanos)], [protobuf, go], text)
  }
})

test('what is shown is read as the same duration', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }), (nanos) => {
      assert.equal(parseDuration(protobufDuration(nanos)), nanos)
      assert.equal(parseDuration(goDuration(nanos)), nanos)
    }),
  )
})

test('milliseconds are rounded up, so that what is positive stays so', () => {
  assert.deepEqual(
    [durationMs('1ns'), durationMs('1.5ms'), durationMs('2s'), durationMs('-1s')],
    [1, 2, 2000, -1000],
  )
  assert.deepEqual([durationMs(undefined), durationMs('x')], [undefined, undefined])
})

test('base64 of either alphabet becomes the padded one, and what is none is refused', () => {
  assert.deepEqual(['Zm9v', 'Zg', 'Zg==', '-_8', ''].map(standardBase64), [
    'Zm9v',
    'Zg==',
    'Zg==',
    '+/8=',
    '',
  ])
  assert.deepEqual(
    ['***', 'A', 'Zg=', 'Zm9v====', 'Zm 9v'].map(standardBase64),
    Array.from({ length: 5 }, () => undefined),
  )
})
