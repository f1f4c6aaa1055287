import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  RECENT_BYTES,
  RECENT_HEADER_BYTES,
  unpackRecent,
} from '../../../../src/domain/result/recent-results.ts'
import { type Reason, REASONS } from '../../../../src/domain/result/reasons.ts'
import { ResultRings } from '../../../../src/schedule/loop/result-rings.ts'

const resultOf = (reason: Reason, totalMs = 1.5) => ({
  outcome: REASONS[reason].outcome,
  reason,
  detail: '',
  phases: { totalMs },
})
const REASON_NAMES = Object.keys(REASONS) as Reason[]

test('of any run of results the last eight that passed and the last eight that did not are kept, newest first', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...REASON_NAMES, 'PASSED' as const), { maxLength: 60 }),
      (reasons) => {
        const rings = new ResultRings()
        const holder = { ring: -1 }
        const noted = reasons.map((reason, i) => ({ reason, nowMs: 1000 * (i + 1) }))
        for (const { reason, nowMs } of noted) rings.note(holder, resultOf(reason), nowMs)
        const lastOf = (isPass: boolean) =>
          noted.filter(({ reason }) => (reason === 'PASSED') === isPass).slice(-8)
        const expected = [...lastOf(true), ...lastOf(false)].sort((a, b) => b.nowMs - a.nowMs)
        const kept = unpackRecent(rings.pack([holder], 5_000_000))
        assert.deepEqual(
          kept.map(({ at, reason, outcome, latencyMs }) => [at.getTime(), reason, outcome, latencyMs]),
          expected.map(({ reason, nowMs }) => [5_000_000 + nowMs, reason, REASONS[reason].outcome, 1.5]),
        )
      },
    ),
  )
})

test('many checks share slabs without seeing each other, and a slot that is given back is empty', () => {
  const rings = new ResultRings()
  const holders = Array.from({ length: 2000 }, () => ({ ring: -1 }))
  for (const [i, holder] of holders.entries()) rings.note(holder, resultOf('PASSED', i / 100), 20)
  const packed = rings.pack(holders, 0)
  for (const i of [0, 511, 512, 1999]) {
    const one = new Uint8Array(RECENT_HEADER_BYTES + RECENT_BYTES)
    one.set(packed.subarray(0, RECENT_HEADER_BYTES))
    one.set(
      packed.subarray(RECENT_HEADER_BYTES + i * RECENT_BYTES).subarray(0, RECENT_BYTES),
      RECENT_HEADER_BYTES,
    )
    assert.deepEqual(
      unpackRecent(one).map(({ latencyMs }) => latencyMs),
      [i / 100],
    )
  }
  const [first] = holders
  const bytes = rings.bytes
  rings.release(first ?? assert.fail())
  const another = { ring: -1 }
  rings.note(another, resultOf('CONNECT_REFUSED'), 30)
  assert.deepEqual(
    unpackRecent(rings.pack([another], 0)).map(({ reason }) => reason),
    ['CONNECT_REFUSED'],
  )
  assert.equal(rings.bytes, bytes)
  assert.ok(bytes / holders.length < 150, `${bytes / holders.length} bytes a check`)
})

test('a duration that is too long for its field is shown as the longest, and no result as none', () => {
  const rings = new ResultRings()
  const holder = { ring: -1 }
  assert.deepEqual(unpackRecent(rings.pack([holder], 0)), [])
  rings.note(holder, resultOf('CONNECT_TIMEOUT', 10_000_000), 50)
  assert.equal(unpackRecent(rings.pack([holder], 0))[0]?.latencyMs, 167_772.15)
})

test('every reason has a number of its own in stored results', () => {
  const rings = new ResultRings()
  for (const reason of REASON_NAMES) {
    const holder = { ring: -1 }
    rings.note(holder, resultOf(reason), 10)
    assert.equal(unpackRecent(rings.pack([holder], 0))[0]?.reason, reason)
  }
})
