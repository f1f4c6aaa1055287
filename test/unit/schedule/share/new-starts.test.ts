import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FIRST_PROBES_WITHIN_MS, NEW_STARTS_PER_SECOND } from '../../../../src/domain/limits.ts'
import { firstProbeWindowsMs, NewStarts } from '../../../../src/schedule/share/new-starts.ts'
import { config, harness, poolOf, START_MS } from '../../../support/scheduling.ts'

const SHARD = new Set([7])
/** Milliseconds that the first probes of so many new checks take at the most. */
function neededMs(count: number): number {
  return (count / NEW_STARTS_PER_SECOND) * 1000 * 1.12 + 200
}

/** An address of its own for each member. */
function spread(i: number, { target }: { target: ReturnType<typeof config>['target'] }) {
  return { target: { ...target, address: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}` } }
}

test('a pool of 5 000 that changes is probed anew within what the starts need, not over its whole delay', () => {
  const starts = new NewStarts()
  const windows = firstProbeWindowsMs({ ...config('a').policy, intervals: { online: 60_000 } })
  const moments = Array.from({ length: 5000 }, () => starts.reserve(START_MS, windows, Math.random))
  assert.ok(Math.max(...moments) - START_MS <= neededMs(5000), `${Math.max(...moments) - START_MS} ms`)
  assert.ok(Math.min(...moments) >= START_MS)
})

test('moments that are given back are free again, the soonest first', () => {
  const starts = new NewStarts()
  const reserve = () => starts.reserve(START_MS, [1000], Math.random)
  const moments = Array.from({ length: 10_000 }, reserve)
  assert.equal(starts.reserved(START_MS), 10_000)
  for (const moment of moments) starts.cancel(moment)
  assert.equal(starts.reserved(START_MS), 0)
  const again = Array.from({ length: 10_000 }, reserve)
  assert.ok(Math.max(...again) - START_MS <= neededMs(10_000))
})

test('whatever is reserved and given back in which order, no second has more than its starts and the count is true', () => {
  const steps = fc.array(
    fc.record({
      what: fc.constantFrom('reserve', 'cancel', 'pass'),
      count: fc.integer({ min: 1, max: 700 }),
      which: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    }),
    { maxLength: 40 },
  )
  fc.assert(
    fc.property(steps, (all) => {
      const starts = new NewStarts()
      let nowMs = START_MS
      let reserved: number[] = []
      const begun: number[] = []
      for (const { what, count, which } of all) {
        if (what === 'reserve')
          for (let i = 0; i < count; i++)
            reserved.push(starts.reserve(nowMs, [600, 1000], () => (which + i * 0.618) % 1))
        else if (what === 'cancel')
          for (const moment of reserved.splice(Math.floor(which * reserved.length), count))
            starts.cancel(moment)
        else nowMs += count
        begun.push(...reserved.filter((moment) => moment < nowMs))
        reserved = reserved.filter((moment) => moment >= nowMs)
      }
      const bucket = Math.floor(nowMs / 100) * 100
      const current = begun.filter((moment) => moment >= bucket).length
      assert.equal(starts.reserved(nowMs), reserved.length + current)
      const moments = [...begun, ...reserved].toSorted((a, b) => a - b)
      for (const [i, moment] of moments.entries()) {
        const next = moments[i + NEW_STARTS_PER_SECOND]
        assert.ok(next === undefined || next - moment >= 1000)
      }
    }),
    { numRuns: 100 },
  )
})

test('four acquisitions of 50 000 never probed checks in a row: none queues behind the ones before', () => {
  const { scheduler, attempts, run } = harness({ random: Math.random, budget: 1_000_000 })
  const gained = poolOf('one project', 50_000, spread)
  for (let acquisition = 0; acquisition < 4; acquisition++) {
    const before = attempts.length
    scheduler.applyPool(gained)
    run(1000)
    assert.ok(
      attempts.length - before >= 1500,
      `${attempts.length - before} began in acquisition ${acquisition}`,
    )
    if (acquisition < 3) scheduler.dropShards(SHARD)
    else run(neededMs(50_000) - 1000)
    if (acquisition === 3)
      assert.ok(new Set(attempts.slice(before).map(({ target }) => target.address)).size === 50_000)
  }
})

test('a million checks of one project make their first probes within one interval, at the rate they have anyway', () => {
  const starts = new NewStarts()
  const { policy } = config('a')
  const perSecond = (1_000_000 * 1000) / policy.intervals.online
  const windows = firstProbeWindowsMs(policy)
  const moments: number[] = []
  for (let i = 0; i < 1_000_000; i++) {
    starts.addCheck(policy)
    moments.push(starts.reserve(START_MS, windows, Math.random))
  }
  moments.sort((a, b) => a - b)
  assert.ok(
    moments.at(-1)! - START_MS <= policy.intervals.online * 1.12 + 200,
    `${moments.at(-1)! - START_MS} ms`,
  )
  for (let i = 0; i + perSecond < moments.length; i += 1000)
    assert.ok(moments[i + perSecond]! - moments[i]! >= 1000)
})

test('a million checks with an interval of an hour make their first probes within a minute', () => {
  const starts = new NewStarts()
  const policy = { ...config('a').policy, intervals: { online: 3_600_000 } }
  const windows = firstProbeWindowsMs(policy)
  let lastMs = 0
  for (let i = 0; i < 1_000_000; i++) {
    starts.addCheck(policy)
    lastMs = Math.max(lastMs, starts.reserve(START_MS, windows, Math.random))
  }
  assert.ok(lastMs - START_MS <= FIRST_PROBES_WITHIN_MS * 1.12 + 200, `${lastMs - START_MS} ms`)
})

test('when the checks of a project are gone, its first probes are as slow as before', () => {
  const starts = new NewStarts()
  const { policy } = config('a')
  for (let i = 0; i < 1_000_000; i++) starts.addCheck(policy)
  for (let i = 0; i < 1_000_000; i++) starts.removeCheck(policy)
  const moments = Array.from({ length: 10_000 }, () => starts.reserve(START_MS, [1000], Math.random))
  assert.ok(Math.max(...moments) - START_MS >= 4000)
})
