/** Checks that were probed elsewhere before: after a take-over, a pause beyond the lease, or a restart. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { WHEEL_TICK_MS } from '../../../../src/domain/limits.ts'
import { statePolicy } from '../../../../src/domain/options/profiles.ts'
import { Check } from '../../../../src/schedule/loop/check.ts'
import { resumption } from '../../../../src/schedule/loop/next-probe.ts'
import {
  config,
  DELAY_MS,
  harness,
  checkpointEntry,
  pool,
  poolOf,
  shareOf,
  START_MS,
  STORED,
} from '../../../support/scheduling.ts'

function every(delaySeconds: number) {
  return statePolicy({ profile: 'elb', rise: 2, fall: 2, delaySeconds, timeoutSeconds: 3 })
}

function gained(): Check {
  const share = shareOf('10.0.0.1')
  return new Check(config('a'), STORED, {
    nowMs: START_MS,
    pool: { isGone: false },
    share,
    denied: undefined,
  })
}

test('a check keeps its place in its interval, whether its plan has passed, is to come or was made by another clock', () => {
  const check = gained()
  fc.assert(
    fc.property(fc.integer({ min: -10 * DELAY_MS, max: 10 * DELAY_MS }), (aheadMs) => {
      const nextMs = START_MS + aheadMs
      const { dueMs, gridMs } = resumption(check, { nowMs: START_MS, nextMs }, Math.random)
      assert.ok(dueMs >= START_MS && dueMs < START_MS + DELAY_MS)
      assert.equal(Math.abs(gridMs - nextMs) % DELAY_MS, 0)
      const isMissed = aheadMs < 0 && aheadMs > -DELAY_MS
      if (!isMissed) assert.equal(dueMs, gridMs)
    }),
  )
})

test('a probe that was missed while a check changed hands is made up for, no later than it is late, and within half an interval', () => {
  const check = gained()
  fc.assert(
    fc.property(fc.integer({ min: 1, max: DELAY_MS - 1 }), (lateMs) => {
      const { dueMs } = resumption(check, { nowMs: START_MS, nextMs: START_MS - lateMs }, Math.random)
      assert.ok(dueMs - START_MS <= Math.min(lateMs, DELAY_MS / 2))
    }),
  )
})

test('after a probe that made up for a missed one, a check is back in its place in the interval', () => {
  const { scheduler, attempts, run, last } = harness({ random: () => 0.5 })
  const lateMs = 800
  const checkpoint = checkpointEntry(config('a'), START_MS - lateMs)
  scheduler.applyPool(pool({ config: config('a'), verdict: STORED, checkpoint }))
  run(lateMs / 2 + WHEEL_TICK_MS)
  assert.equal(attempts.length, 1)
  last().end('CONNECT_REFUSED')
  const [entry] = scheduler.checkpointOf(7).entries
  assert.equal(entry?.nextAt, START_MS - lateMs + DELAY_MS)
  run(DELAY_MS)
  assert.equal(attempts.length, 2)
  const endedMs = last().startedMs
  last().end('CONNECT_REFUSED')
  const [later] = scheduler.checkpointOf(7).entries
  assert.ok(
    (later?.nextAt ?? 0) - endedMs >= DELAY_MS,
    'from then on the delay counts from the end of a probe',
  )
})

test('50 000 known checks are all probed within one delay, each at its place and no faster than they were', () => {
  const { scheduler, attempts, run } = harness({ random: Math.random, budget: 1_000_000 })
  const gained = poolOf('one', 50_000, (i, { target }) => ({
    target: { ...target, address: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}` },
  }))
  const planned = (i: number): number => START_MS - 30_000 + ((i * 7919) % DELAY_MS)
  scheduler.applyPool({
    ...gained,
    checks: gained.checks.map(({ config: each }, i) => ({
      config: each,
      verdict: STORED,
      checkpoint: checkpointEntry(each, planned(i)),
    })),
  })
  run(DELAY_MS + WHEEL_TICK_MS)
  assert.equal(attempts.length, 50_000)
  assert.equal(new Set(attempts.map(({ target }) => target.address)).size, 50_000)
  const perSecond = Array.from({ length: 6 }, () => 0)
  for (const { startedMs } of attempts) perSecond[Math.floor((startedMs - START_MS) / 1000)]! += 1
  assert.ok(Math.max(...perSecond) <= 10_100, perSecond.join())
})

test('known checks without a stored plan are spread over one interval', () => {
  const { scheduler, attempts, run } = harness({ random: Math.random, budget: 1_000_000 })
  const gained = poolOf('one', 2000, (i, { target }) => ({
    target: { ...target, address: `10.0.${i >> 8}.${i & 255}` },
  }))
  scheduler.applyPool({
    ...gained,
    checks: gained.checks.map(({ config: each }) => ({ config: each, verdict: STORED })),
  })
  run(DELAY_MS / 2)
  assert.ok(attempts.length > 700 && attempts.length < 1300, `${attempts.length} in the first half`)
  run(DELAY_MS / 2 + WHEEL_TICK_MS)
  assert.equal(attempts.length, 2000)
})

test('what the last prober saw is kept until there is a result here, with the time that is planned here', () => {
  const { scheduler, run, last, now } = harness()
  const checkpoint = checkpointEntry(config('a'), START_MS + 1000)
  scheduler.applyPool(pool({ config: config('a'), verdict: STORED, checkpoint }))
  assert.deepEqual(scheduler.checkpointOf(7).entries, [checkpoint])
  run(1000 + WHEEL_TICK_MS)
  last().end('CONNECT_REFUSED')
  const [entry] = scheduler.checkpointOf(7).entries
  assert.deepEqual([entry?.reason, entry?.probedAt], ['CONNECT_REFUSED', last().startedMs])
  assert.equal(entry?.nextAt, now() + DELAY_MS)
})

test('what was seen of an earlier generation, or is probed no more, is not kept', () => {
  const { scheduler } = harness()
  const now = config('a', { generation: 2 })
  scheduler.applyPool(
    pool({ config: now, verdict: STORED, checkpoint: checkpointEntry(config('a'), START_MS + 1000) }),
  )
  assert.deepEqual(scheduler.checkpointOf(7).entries, [])
  scheduler.applyPool(
    pool({ config: now, verdict: STORED, checkpoint: checkpointEntry(now, START_MS + 1000) }),
  )
  assert.deepEqual(scheduler.checkpointOf(7).entries, [], 'it runs here: what others left means nothing')
  const other = harness()
  other.scheduler.applyPool(
    pool({ config: now, verdict: STORED, checkpoint: checkpointEntry(now, START_MS + 1000) }),
  )
  other.scheduler.applyPool(pool(config('a', { generation: 3 })))
  assert.deepEqual(other.scheduler.checkpointOf(7).entries, [])
})

test('a shorter delay counts at once, also for a check whose plan came from elsewhere', () => {
  const { scheduler, attempts, run } = harness()
  const slow = config('a', { policy: every(50) })
  scheduler.applyPool(
    pool({ config: slow, verdict: STORED, checkpoint: checkpointEntry(slow, START_MS + 45_000) }),
  )
  run(1000)
  scheduler.applyPool(pool(config('a', { policy: every(2) })))
  run(2000 + WHEEL_TICK_MS)
  assert.equal(attempts.length, 1)
})
