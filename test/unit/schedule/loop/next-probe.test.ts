import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { CheckConfig } from '../../../../src/domain/prober/check.ts'
import { INTERVAL_FLOOR_MS, WHEEL_TICK_MS } from '../../../../src/domain/limits.ts'
import type { StatePolicy } from '../../../../src/domain/status/state-machine.ts'
import { config, DELAY_MS, harness, known, pool, STORED } from '../../../support/scheduling.ts'

function judging(more: Partial<StatePolicy>): CheckConfig {
  const base = config('a')
  return { ...base, policy: { ...base.policy, ...more } }
}

/** Starts of the probes of one check, each ended after so many milliseconds; the last may still be in flight. */
function startsOf(
  policy: Partial<StatePolicy>,
  durationsMs: readonly number[],
  random: () => number = () => 0.5,
): { readonly starts: readonly number[]; readonly ends: readonly number[] } {
  const { scheduler, attempts, run, now } = harness({ random })
  const base = judging(policy)
  scheduler.applyPool(pool({ ...base, target: { ...base.target, timeoutMs: 60_000 } }))
  const ends: number[] = []
  for (const durationMs of durationsMs) {
    const before = attempts.length
    while (attempts.length === before) run(WHEEL_TICK_MS)
    run(durationMs)
    assert.equal(attempts.length, before + 1, 'no second probe starts while one is in flight')
    ends.push(now())
    attempts.at(-1)?.end('PASSED')
  }
  return { starts: attempts.map(({ startedMs }) => startedMs), ends }
}

const durations = fc.array(fc.integer({ min: 0, max: 3500 }), { minLength: 2, maxLength: 12 })
const intervals = fc.integer({ min: 20, max: 150 }).map((hundredths) => hundredths * 10)
const RUNS = { numRuns: 60 }

test('counted from the start, probes stay on one grid for ever, and times of it that pass meanwhile are dropped', () => {
  fc.assert(
    fc.property(intervals, durations, (online, durationsMs) => {
      const { starts, ends } = startsOf({ anchor: 'start', intervals: { online } }, durationsMs)
      const [first = 0] = starts
      for (const [index, start] of starts.entries()) {
        const offGrid = (start - first) % online
        assert.ok(Math.min(offGrid, online - offGrid) <= WHEEL_TICK_MS, `${offGrid} ms off the grid`)
        const ended = ends[index - 1]
        // The first time of the grid that was not over when the probe before ended: neither made up for nor skipped.
        if (ended !== undefined) assert.ok(start >= ended && start - ended <= online + WHEEL_TICK_MS)
      }
    }),
    RUNS,
  )
})

test('counted from the end, every wait is the interval', () => {
  fc.assert(
    fc.property(intervals, durations, (online, durationsMs) => {
      const { starts, ends } = startsOf({ intervals: { online } }, durationsMs)
      for (const [index, start] of starts.slice(1).entries()) {
        const late = start - (ends[index] ?? 0) - online
        assert.ok(late >= 0 && late <= WHEEL_TICK_MS)
      }
    }),
    RUNS,
  )
})

test('with jitter of every kind, probes neither overlap nor burst, and counted from the start they never drift', () => {
  const jitters = fc.record({
    ms: fc.integer({ min: 0, max: 300 }),
    percent: fc.integer({ min: 0, max: 40 }),
    spreadPercent: fc.integer({ min: 0, max: 50 }),
  })
  const anchors = fc.constantFrom('start' as const, 'completion' as const)
  const numbers = fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 7 })
  const cases = fc.record({ online: intervals, jitter: jitters, anchor: anchors, chance: numbers })
  fc.assert(
    fc.property(cases, durations, ({ online, jitter, anchor, chance }, durationsMs) => {
      let drawn = 0
      const random = () => chance[drawn++ % chance.length] ?? 0
      const short = durationsMs.map((durationMs) => durationMs % 100)
      const { starts, ends } = startsOf({ anchor, jitter, intervals: { online } }, short, random)
      const [first = 0] = starts
      const reach = jitter.ms + (online * (jitter.percent + jitter.spreadPercent)) / 100
      for (const [index, start] of starts.entries()) {
        const before = starts[index - 1]
        if (before !== undefined) assert.ok(start - before >= INTERVAL_FLOOR_MS - WHEEL_TICK_MS)
        const ended = ends[index - 1]
        if (ended !== undefined) assert.ok(start >= ended)
        // However many probes there were, the last is no further from its place on the grid than the first was.
        if (anchor === 'start' && reach < online / 2) {
          const off = Math.abs(start - (first + index * online))
          assert.ok(off <= reach + INTERVAL_FLOOR_MS + WHEEL_TICK_MS, `${off} ms off`)
        }
      }
    }),
    RUNS,
  )
})

test('a change that is neither of the request nor of the timing leaves the grid and the jitter alone', () => {
  const startsWith = (more: (round: number) => Partial<CheckConfig>): readonly number[] => {
    let drawn = 0
    const { scheduler, attempts, run } = harness({ random: () => (++drawn * 0.37) % 1 })
    const planned = judging({ anchor: 'start', jitter: { ms: 700 } })
    scheduler.applyPool(pool(planned))
    for (let round = 0; round < 8; round++) {
      while (attempts.at(-1)?.ended !== false) run(WHEEL_TICK_MS)
      run(900)
      attempts.at(-1)?.end('PASSED')
      run(600)
      scheduler.applyPool(pool({ ...planned, ...more(round) }))
    }
    return attempts.map(({ startedMs }) => startedMs)
  }
  const undisturbed = startsWith(() => ({}))
  const window = (round: number) => ({ maintenance: [{ startMs: round, endMs: round + 1 }] })
  assert.deepEqual(startsWith(window), undisturbed)
  assert.deepEqual(
    startsWith((round) => ({ dependsOn: [`parent ${round}`] })),
    undisturbed,
  )
})

test('a check whose result is held has no plan: a change of anything has it probed again', () => {
  const { scheduler, attempts, run, last } = harness({ reconsider: () => undefined })
  scheduler.applyPool(pool(config('a')))
  run(1000)
  last().end('CONNECT_REFUSED')
  run(2 * DELAY_MS)
  assert.equal(attempts.length, 1)
  scheduler.applyPool(pool(config('a', { dependsOn: ['parent'] })))
  run(1000)
  assert.equal(attempts.length, 2)
})

test('a check that halts is probed no more, is not stale, and begins again with another request', () => {
  const { scheduler, attempts, stale, run, last } = harness()
  const halting = judging({ haltWhenOffline: true })
  scheduler.applyPool(pool(halting))
  run(1000)
  last().end('CONNECT_REFUSED')
  run(20 * DELAY_MS)
  assert.equal(attempts.length, 1)
  const [entry] = scheduler.checkpointOf(7).entries
  assert.equal(entry?.stale, false)
  assert.deepEqual(stale, [])
  assert.ok(entry !== undefined && entry.nextAt <= entry.probedAt, 'no next probe is announced')
  scheduler.applyPool(pool({ ...halting, target: { ...halting.target, port: 81 } }))
  run(1000)
  assert.equal(attempts.length, 2)
  last().end('PASSED')
  run(DELAY_MS + 100)
  assert.equal(attempts.length, 3)
})

test('a halted check that fails again with another request publishes no second OFFLINE, whatever it starts with', () => {
  for (const start of [
    {},
    { unknownFall: 2 },
    { initialStatus: 'ONLINE', fall: 2, firstFall: 2 },
    { initialStatus: 'OFFLINE', firstRise: 1 },
  ] as const) {
    const { scheduler, attempts, verdicts, run } = harness()
    const halting = judging({ haltWhenOffline: true, ...start })
    const failUntilHalted = () => {
      for (let before = -1; before < attempts.length; ) {
        before = attempts.length
        run(2 * DELAY_MS)
        attempts.at(-1)?.end('CONNECT_REFUSED')
      }
    }
    scheduler.applyPool(pool(halting))
    failUntilHalted()
    const probes = attempts.length
    const asked = { ...halting, target: { ...halting.target, port: 81 } }
    scheduler.applyPool(pool(asked))
    // Another rule before the first result of the new request does not halt it again.
    scheduler.applyPool(pool({ ...asked, policy: { ...asked.policy, rise: 3 } }))
    failUntilHalted()
    assert.equal(attempts.length, 2 * probes, 'it was probed anew until it was sure')
    assert.deepEqual(
      verdicts.filter(({ from }) => from !== undefined).map(({ from, status }) => [from, status]),
      [['UNKNOWN', 'OFFLINE']],
    )
  }
})

test('a long interval that is meant is not taken for silence', () => {
  const { scheduler, attempts, stale, run, last } = harness()
  scheduler.applyPool(pool(judging({ intervals: { online: DELAY_MS, noTraffic: 60_000 } })))
  run(1000)
  last().end('PASSED')
  run(59_000)
  assert.equal(scheduler.checkpointOf(7).entries[0]?.stale, false)
  run(1000)
  assert.equal(attempts.length, 2)
  assert.deepEqual(stale, [])
})

test('a check that had halted is not probed by the next prober either', () => {
  const { scheduler, attempts, run } = harness()
  const halting = judging({ haltWhenOffline: true })
  scheduler.applyPool(pool(known(halting, { ...STORED, status: 'OFFLINE' })))
  run(20 * DELAY_MS)
  assert.equal(attempts.length, 0)
  scheduler.removePool('pool')
  assert.equal(scheduler.size, 0)
})

test('probes that follow each other at once still leave a tenth of a second between them', () => {
  const undecided = { rise: 3, firstRise: 3, intervals: { online: DELAY_MS, undecided: 0 } }
  const { starts } = startsOf(undecided, [0, 0, 0])
  assert.equal(starts.length, 3)
  for (const [index, start] of starts.slice(1).entries()) {
    const waitedMs = start - (starts[index] ?? 0)
    assert.ok(waitedMs >= INTERVAL_FLOOR_MS && waitedMs < 2 * INTERVAL_FLOOR_MS)
  }
})

test('jitter that changes resets no counter', () => {
  const { scheduler, verdicts, run, last } = harness()
  scheduler.applyPool(pool(known(config('a', { fall: 2 }))))
  run(500)
  last().end('CONNECT_REFUSED')
  scheduler.applyPool(pool(judging({ jitter: { percent: 10 }, anchor: 'start' })))
  run(2 * DELAY_MS)
  last().end('CONNECT_REFUSED')
  assert.deepEqual(verdicts.at(-1), { member: 'a', from: 'ONLINE', status: 'OFFLINE', run: 0 })
})

test('the first probe of a check starts within the time that it is spread over', () => {
  const { scheduler, attempts, run } = harness({ random: () => 0.9 })
  scheduler.applyPool(pool(judging({ jitter: { initialMs: 20_000 } })))
  run(17_900)
  assert.equal(attempts.length, 0)
  run(200)
  assert.equal(attempts.length, 1)
})

test('an inconclusive result counts only where the policy wants it to', () => {
  for (const [inconclusive, status] of [
    [undefined, 'ONLINE'],
    ['fail', 'OFFLINE'],
  ] as const) {
    const { scheduler, verdicts, run, last } = harness()
    scheduler.applyPool(pool(judging(inconclusive === undefined ? {} : { inconclusive })))
    run(1000)
    for (const reason of ['PASSED', 'PROBER_NO_SOCKET', 'PROBER_NO_SOCKET'] as const) {
      last().end(reason)
      run(DELAY_MS + 100)
    }
    assert.equal(verdicts.at(-1)?.status, status)
  }
})
