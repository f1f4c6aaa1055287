import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { isGrowing, type Sample, trendOf } from '../../../bench/trend.ts'
import { seededRandom } from '../../support/random.ts'

const EVERY_SECONDS = 10
const MINUTES = 30
const MEGABYTE = 1024 * 1024

/** Half an hour of a heap of 200 MB that grows by 20 MB between collections, with noise, and by `leak` bytes a second. */
function heap(t: TestContext, leak: number): readonly Sample[] {
  const random = seededRandom(t, 'heap')
  const period = 70 + random(60)
  return Array.from({ length: (MINUTES * 60) / EVERY_SECONDS + 1 }, (_, n) => {
    const atSeconds = n * EVERY_SECONDS
    const saw = (20 * MEGABYTE * (atSeconds % period)) / period
    return { atSeconds, value: 200 * MEGABYTE + saw + random(4 * MEGABYTE) + leak * atSeconds }
  })
}

test('the slope of a straight line is its own, with an interval of no width', () => {
  const line = Array.from({ length: 20 }, (_, n) => ({ atSeconds: n * 2, value: 7 + n * 3 }))
  assert.deepEqual(trendOf(line), { slope: 1.5, least: 1.5, most: 1.5 })
})

test('a leak of a third of a byte per probe at 50 000 probes a second is found under the saw of collections', (t) => {
  const leak = 50_000 / 3
  const samples = heap(t, leak)
  const { slope, least, most } = trendOf(samples)
  assert.ok(Math.abs(slope - leak) < leak / 4, `${slope} instead of ${leak}`)
  assert.ok(least < leak && leak < most, `${leak} is not within ${least} and ${most}`)
  assert.ok(isGrowing(samples))
})

test('a heap that only goes up and down is flat', (t) => {
  assert.ok(!isGrowing(heap(t, 0)))
})

test('one step is no growth: what is made once, and kept', () => {
  const samples = Array.from({ length: 181 }, (_, n) => ({ atSeconds: n * 10, value: n < 20 ? 100 : 130 }))
  assert.equal(trendOf(samples).slope, 0)
  assert.ok(!isGrowing(samples))
})

test('memory that is given back is no growth', () => {
  const samples = Array.from({ length: 60 }, (_, n) => ({ atSeconds: n, value: 1000 - n }))
  assert.ok(!isGrowing(samples))
  assert.equal(trendOf(samples).slope, -1)
})

test('two samples have no trend', () => {
  assert.throws(
    () =>
      trendOf([
        { atSeconds: 0, value: 1 },
        { atSeconds: 1, value: 2 },
      ]),
    RangeError,
  )
})
