import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  INTERVAL_FLOOR_MS,
  STALL_MS,
  WHEEL_SLEEP_MAX_MS,
  WHEEL_TICK_MS,
} from '../../../../src/domain/limits.ts'
import type { ProbeResult } from '../../../../src/domain/result/probe-result.ts'
import type { AskedResult } from '../../../../src/schedule/asked/asked-probes.ts'
import { createMetrics } from '../../../../src/runtime/metrics/metrics.ts'
import type { Check } from '../../../../src/schedule/loop/check.ts'
import { config, DELAY_MS, harness, known, pool, poolOf } from '../../../support/scheduling.ts'

const A = { poolId: 'pool', memberId: 'a' }
/** Its next probe is due 100 ms after the start. */
const ONE = pool(known(config('a')))

/** Asks, and keeps the answers: undefined = the check is gone. */
function asking(scheduler: ReturnType<typeof harness>['scheduler'], counted: boolean, key = A) {
  const answers: (AskedResult | undefined)[] = []
  const probe = scheduler.probeNow(key, { counted, onDone: (found) => answers.push(found) })
  assert.ok(probe, 'there is such a check')
  return { probe, answers }
}

/** A check that was probed once; when it is due next. */
function probedOnce(options: Parameters<typeof harness>[0] = {}) {
  const world = harness(options)
  world.scheduler.applyPool(ONE)
  world.run(100 + WHEEL_TICK_MS)
  world.last().end('PASSED')
  return { ...world, dueMs: world.now() + DELAY_MS }
}

test('a probe that is not counted starts at once, and neither counter, verdict nor schedule notice it', () => {
  const { scheduler, attempts, verdicts, run, last, now, dueMs } = probedOnce()
  run(1000)
  const { answers, probe } = asking(scheduler, false)
  assert.equal(probe.stage, 'waiting')
  const askedMs = now()
  run(2 * WHEEL_TICK_MS)
  assert.equal(attempts.length, 2)
  assert.equal(probe.stage, 'in_flight')
  assert.ok(last().startedMs - askedMs <= WHEEL_TICK_MS)
  last().end('CONNECT_REFUSED')
  assert.deepEqual(
    answers.map((each) => [each?.result.reason, each?.counted, each?.startedMs, each?.evidence['port']]),
    [['CONNECT_REFUSED', false, last().startedMs, 80]],
  )
  run(dueMs - now() - 2 * WHEEL_TICK_MS)
  assert.equal(attempts.length, 2, 'not before it is due')
  run(4 * WHEEL_TICK_MS)
  assert.equal(attempts.length, 3, 'and then it is')
  assert.deepEqual(verdicts, [])
  const [check] = scheduler.checks()
  assert.deepEqual([check?.state.badRun, check?.lastResult?.reason], [0, 'PASSED'])
})

test('one that is not counted goes beside a scheduled one that is in flight', () => {
  const { scheduler, attempts, run } = harness()
  scheduler.applyPool(ONE)
  run(100 + WHEEL_TICK_MS)
  const { answers } = asking(scheduler, false)
  run(2 * WHEEL_TICK_MS)
  assert.equal(attempts.length, 2)
  attempts[1]!.end('PASSED')
  assert.equal(answers.length, 1)
  assert.equal(attempts[0]!.ended, false)
})

test('a counted probe is made now and judged; the next one comes when it would have come without', () => {
  const { scheduler, attempts, verdicts, run, last, now, dueMs } = probedOnce()
  run(1000)
  const { answers } = asking(scheduler, true)
  run(2 * WHEEL_TICK_MS)
  assert.equal(attempts.length, 2)
  last().end('CONNECT_REFUSED')
  assert.deepEqual(
    answers.map((each) => [each?.result.reason, each?.counted]),
    [['CONNECT_REFUSED', true]],
  )
  assert.deepEqual(verdicts.at(-1), { member: 'a', from: undefined, status: 'ONLINE', run: 1 })
  run(dueMs - now() - 2 * WHEEL_TICK_MS)
  assert.equal(attempts.length, 2)
  run(4 * WHEEL_TICK_MS)
  assert.equal(attempts.length, 3)
  last().end('CONNECT_REFUSED')
  assert.equal(verdicts.at(-1)?.status, 'OFFLINE')
})

test('a counted request while a probe is in flight is answered by a later one: the first began before it', () => {
  const { scheduler, attempts, run, last } = harness()
  scheduler.applyPool(ONE)
  run(100 + WHEEL_TICK_MS)
  run(500)
  const { answers } = asking(scheduler, true)
  last().end('PASSED')
  assert.equal(answers.length, 0)
  run(2 * WHEEL_TICK_MS)
  assert.equal(attempts.length, 2)
  last().end('CONNECT_REFUSED')
  assert.deepEqual(
    answers.map((each) => each?.result.reason),
    ['CONNECT_REFUSED'],
  )
})

test('a counted request survives a change of the configuration, and is answered by a probe of the new one', () => {
  const { scheduler, attempts, run, last } = probedOnce()
  run(1000)
  const { answers } = asking(scheduler, true)
  run(2 * WHEEL_TICK_MS)
  const { target } = config('a')
  scheduler.applyPool(pool(config('a', { generation: 2, target: { ...target, port: 81 } })))
  assert.equal(attempts[1]?.cancelledBy, 'shutdown')
  run(INTERVAL_FLOOR_MS + WHEEL_TICK_MS)
  last().end('PASSED')
  assert.deepEqual(
    answers.map((each) => each?.evidence['port']),
    [81],
  )
})

test('an inconclusive result of a counted probe has not counted', () => {
  const { scheduler, run, last } = probedOnce()
  run(1000)
  const { answers } = asking(scheduler, true)
  run(2 * WHEEL_TICK_MS)
  last().end('PROBER_NO_SOCKET')
  assert.equal(answers[0]?.counted, false)
})

test('a probe that was in flight during a stall of the event loop cannot fail, counted or not', () => {
  for (const counted of [false, true]) {
    const { scheduler, run, stall, last } = probedOnce()
    run(1000)
    const { answers } = asking(scheduler, counted)
    run(2 * WHEEL_TICK_MS)
    stall(WHEEL_SLEEP_MAX_MS + STALL_MS + 1)
    last().end('CONNECT_REFUSED')
    assert.deepEqual([answers[0]?.result.reason, answers[0]?.counted], ['PROBER_OVERLOAD', false])
  }
})

test('the faults of our own network apply to a probe that is not counted; what may change something does not', () => {
  const seen: string[] = []
  const offline = (result: ProbeResult): ProbeResult => ({
    ...result,
    outcome: 'inconclusive',
    reason: 'PROBER_OFFLINE',
  })
  const { scheduler, run, last } = probedOnce({
    reconsider: (check: Check, result) => {
      seen.push(check.config.memberId)
      return result
    },
    reconsiderUncounted: (_check, result) => offline(result),
  })
  seen.length = 0
  const { answers } = asking(scheduler, false)
  run(2 * WHEEL_TICK_MS)
  last().end('CONNECT_TIMEOUT')
  assert.equal(answers[0]?.result.reason, 'PROBER_OFFLINE')
  assert.deepEqual(seen, [])
})

test('a failure that waits for the canaries answers a counted request when it is concluded', () => {
  let isHeld = false
  const { scheduler, run, last } = probedOnce({
    reconsider: (_check, result) => (isHeld ? undefined : result),
  })
  isHeld = true
  const { answers, probe } = asking(scheduler, true)
  run(20 * WHEEL_TICK_MS)
  last().end('CONNECT_REFUSED')
  assert.equal(answers.length, 0)
  assert.equal(probe.stage, 'held')
  const [check] = scheduler.checks()
  const result: ProbeResult = {
    outcome: 'failed',
    reason: 'CONNECT_REFUSED',
    detail: '',
    phases: { totalMs: 1 },
  }
  scheduler.concludeHeld(check!, check!.config, result)
  assert.deepEqual([answers[0]?.result.reason, answers[0]?.counted], ['CONNECT_REFUSED', true])
})

test('a target that is denied is not probed: TARGET_DENIED, which has not counted', () => {
  for (const counted of [false, true]) {
    const { scheduler, attempts, run } = harness({ denies: () => 'no' })
    scheduler.applyPool(ONE)
    const { answers } = asking(scheduler, counted)
    run(200)
    assert.deepEqual([answers[0]?.result.reason, answers[0]?.counted], ['TARGET_DENIED', false])
    assert.equal(attempts.length, 0)
  }
})

test('a check that is probed no more is probed uncounted', () => {
  const halting = config('a')
  const { scheduler, run, last } = harness()
  const policy = { ...halting.policy, haltWhenOffline: true }
  scheduler.applyPool(
    pool(
      known({ ...halting, policy }, { ...known(halting).verdict!, status: 'OFFLINE', okRun: 0, badRun: 2 }),
    ),
  )
  run(200)
  const { answers } = asking(scheduler, true)
  run(2 * WHEEL_TICK_MS)
  last().end('PASSED')
  assert.deepEqual([answers[0]?.result.reason, answers[0]?.counted], ['PASSED', false])
})

test('a request waits for the share of its project as a scheduled probe does, and another project’s does not', () => {
  const { scheduler, attempts, run } = harness({ budget: 10 })
  scheduler.applyPool(poolOf('much', 40))
  scheduler.applyPool(poolOf('little', 1))
  run(1100)
  attempts.find(({ target }) => target.port === 80)?.end('PASSED')
  const much = asking(scheduler, false, { poolId: 'pool of much', memberId: 'much 0' })
  const little = asking(scheduler, false, { poolId: 'pool of little', memberId: 'little 0' })
  const before = attempts.length
  run(10 * WHEEL_TICK_MS)
  assert.ok(attempts.length > before)
  assert.deepEqual([much.probe.stage, little.probe.stage], ['waiting', 'in_flight'])
})

test('a probe that is not counted and has to wait long is no planned probe that was skipped', () => {
  const skipped: number[] = []
  const limits = { budget: 0 }
  const { scheduler, attempts, run } = harness({
    metrics: { ...createMetrics('test'), probesSkipped: (count) => void skipped.push(count) },
    get budget() {
      return limits.budget
    },
  })
  scheduler.applyPool(ONE)
  asking(scheduler, false)
  run(3 * DELAY_MS)
  assert.equal(attempts.length, 0)
  limits.budget = 10
  run(2 * WHEEL_TICK_MS)
  assert.equal(attempts.length, 2)
  assert.deepEqual(skipped, [2], 'those of the check itself')
})

test('who asks hears when the check is removed, and nothing after a cancel; a probe that nobody wants is ended', () => {
  for (const counted of [false, true]) {
    const { scheduler, attempts, run } = probedOnce()
    run(1000)
    const removed = asking(scheduler, counted)
    const cancelled = asking(scheduler, counted)
    run(2 * WHEEL_TICK_MS)
    cancelled.probe.cancel()
    assert.equal(attempts.at(-1)?.cancelledBy, counted ? undefined : 'shutdown')
    scheduler.removePool('pool')
    assert.deepEqual([removed.answers, cancelled.answers], [[undefined], []])
    assert.ok(attempts.every(({ ended }) => ended))
    assert.equal(scheduler.inFlight, 0)
    assert.equal(scheduler.probeNow(A, { counted, onDone: () => undefined }), undefined)
  }
})

test('a scheduler that stops ends what was asked for, and reports nothing', () => {
  const { scheduler, attempts, run } = probedOnce()
  const { answers } = asking(scheduler, false)
  run(2 * WHEEL_TICK_MS)
  scheduler.stop()
  assert.deepEqual(answers, [])
  assert.equal(attempts.at(-1)?.cancelledBy, 'shutdown')
  assert.equal(scheduler.probeNow(A, { counted: false, onDone: () => undefined }), undefined)
})

test('a probe that is not counted has a connection of its own: the kept one stays for the scheduled probes', () => {
  const { scheduler, attempts, run } = harness()
  const { target } = config('a')
  const reuse = { freshEvery: 10, idleCloseIsFailure: false }
  scheduler.applyPool(pool(known(config('a', { target: { ...target, reuse } }))))
  asking(scheduler, false)
  run(200)
  const kept = attempts.filter((attempt) => attempt.target.reuse !== undefined)
  assert.deepEqual([kept.length, attempts.length], [1, 2])
})
