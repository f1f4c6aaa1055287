import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  IN_FLIGHT_PER_ADDRESS_MAX,
  STALL_MS,
  WHEEL_SLEEP_MAX_MS,
  WHEEL_TICK_MS,
} from '../../../../src/domain/limits.ts'
import type { Reason } from '../../../../src/domain/result/reasons.ts'
import type { ProbeResult } from '../../../../src/domain/result/probe-result.ts'
import type { Check } from '../../../../src/schedule/loop/check.ts'
import { keepingLog } from '../../../support/prober.ts'
import { config, DELAY_MS, harness, known, pool, STORED, TIMEOUT_MS } from '../../../support/scheduling.ts'

test('a new check is probed within a second, and again one delay after each probe ended', () => {
  const { scheduler, attempts, run, last, now } = harness()
  scheduler.applyPool(pool(config('a')))
  run(1000)
  assert.equal(attempts.length, 1)
  run(700)
  last().end('PASSED')
  const endedMs = now()
  run(DELAY_MS - 2 * WHEEL_TICK_MS)
  assert.equal(attempts.length, 1)
  run(4 * WHEEL_TICK_MS)
  assert.equal(attempts.length, 2)
  assert.ok(last().startedMs - endedMs - DELAY_MS <= WHEEL_TICK_MS)
})

test('a probe that does not end is ended at its timeout and counts as failed', () => {
  const { scheduler, verdicts, run, last, now } = harness()
  scheduler.applyPool(pool(config('a')))
  run(1000)
  run(TIMEOUT_MS)
  assert.equal(last().cancelledBy, 'timeout')
  assert.ok(now() - last().startedMs >= TIMEOUT_MS)
  assert.deepEqual(verdicts, [{ member: 'a', from: 'UNKNOWN', status: 'OFFLINE', run: 0 }])
})

test('at most one probe of a check is in flight, however long it takes', () => {
  const { scheduler, attempts, run } = harness()
  const slow = config('a')
  scheduler.applyPool(pool({ ...slow, target: { ...slow.target, timeoutMs: 60_000 } }))
  run(50_000)
  assert.equal(attempts.length, 1)
})

test('verdicts are reported when status or the pending counter differ from what was written, and only then', () => {
  const { scheduler, verdicts, run, last } = harness()
  scheduler.applyPool(pool(config('a', { fall: 3 })))
  run(1000)
  const probe = (reason: Reason) => {
    last().end(reason)
    run(DELAY_MS + 100)
  }
  for (const reason of [
    'PASSED',
    'PASSED',
    'CONNECT_REFUSED',
    'PROBER_NO_SOCKET',
    'PASSED',
    'PASSED',
  ] as const) {
    probe(reason)
  }
  assert.deepEqual(
    verdicts.map(({ from, status, run: pending }) => [from, status, pending]),
    [
      ['UNKNOWN', 'ONLINE', 0],
      [undefined, 'ONLINE', 1],
      [undefined, 'ONLINE', 0],
    ],
  )
})

test('after a restart the written status holds, a written counter is corrected, and nothing flips without evidence', () => {
  const { scheduler, verdicts, run, last } = harness()
  scheduler.applyPool(pool(known(config('a'), { ...STORED, badRun: 1 })))
  run(500)
  last().end('PASSED')
  assert.deepEqual(verdicts, [{ member: 'a', from: undefined, status: 'ONLINE', run: 0 }])
})

test('whatever was in flight while the event loop stood still cannot fail, neither by timeout nor otherwise', () => {
  for (const end of ['timeout', 'CONNECT_REFUSED', 'RECV_CLOSED'] as const) {
    const { scheduler, verdicts, attempts, run, stall, last } = harness()
    scheduler.applyPool(pool(known(config('a', { fall: 1 }))))
    run(500)
    stall(10_000)
    // The result may be heard before the first timer runs.
    if (end === 'timeout') run(TIMEOUT_MS)
    else last().end(end)
    assert.ok(last().ended)
    assert.deepEqual(verdicts, [])
    // What starts after the stall is judged as ever.
    run(DELAY_MS + 1000)
    assert.equal(attempts.length, 2)
    last().end('CONNECT_REFUSED')
    assert.equal(verdicts.length, 1)
  }
})

test('the time in which nothing was probed was no stall', () => {
  const log = keepingLog()
  const { scheduler, verdicts, run, stall, last } = harness({ log, random: () => 0 })
  stall(60_000)
  scheduler.applyPool(pool(config('a')))
  run(WHEEL_TICK_MS)
  last().end('CONNECT_REFUSED')
  assert.deepEqual(
    verdicts.map(({ status }) => status),
    ['OFFLINE'],
  )
  assert.deepEqual(log.lines, [])
})

test('what passed in spite of a stall has passed, and a pause below the limit is no stall', () => {
  const { scheduler, verdicts, run, stall, last } = harness()
  scheduler.applyPool(pool(config('a')))
  run(1000)
  stall(10_000)
  last().end('PASSED')
  assert.equal(verdicts.length, 1)
  run(DELAY_MS + 1000)
  stall(WHEEL_SLEEP_MAX_MS + STALL_MS - 100)
  last().end('CONNECT_REFUSED')
  assert.equal(verdicts.length, 2)
})

test('a target that the policy denies is never probed, and its result is inconclusive', () => {
  const { scheduler, attempts, verdicts, run } = harness({ denies: () => 'denied' })
  scheduler.applyPool(pool(config('a')))
  run(30_000)
  assert.equal(attempts.length, 0)
  assert.equal(verdicts.length, 0)
  assert.equal(scheduler.checkpointOf(7).entries[0]?.reason, 'TARGET_DENIED')
})

test('three windows of nothing but inconclusive results make a check stale, and a conclusive one ends that', () => {
  const { scheduler, stale, run, last } = harness()
  scheduler.applyPool(pool(config('a')))
  for (let i = 0; i < 6; i++) {
    run(DELAY_MS + 500)
    last().end('PROBER_NO_SOCKET')
  }
  assert.deepEqual(stale, [true])
  assert.equal(scheduler.stale, 1)
  assert.equal(scheduler.checkpointOf(7).entries[0]?.stale, true)
  run(DELAY_MS + 500)
  last().end('PASSED')
  assert.deepEqual(stale, [true, false])
  assert.equal(scheduler.stale, 0)
})

test('a check that gets no turn is stale too, until it is gone or becomes another', () => {
  const { scheduler, stale, run } = harness({ budget: 0 })
  scheduler.applyPool(pool(config('a'), config('b')))
  run(3 * (DELAY_MS + TIMEOUT_MS))
  scheduler.checkpointOf(7)
  assert.deepEqual(stale, [true, true])
  assert.equal(scheduler.stale, 2)
  scheduler.applyPool(pool({ ...config('a'), generation: 2 }, config('b')))
  assert.equal(scheduler.stale, 1)
  scheduler.applyPool(pool({ ...config('a'), generation: 2 }))
  assert.equal(scheduler.stale, 0)
})

test('probes beyond the budget wait their turn in order, and their timeout starts when they do', () => {
  const { scheduler, attempts, run } = harness({ budget: 2 })
  scheduler.applyPool(pool(config('a'), config('b'), config('c')))
  run(1000)
  assert.equal(attempts.length, 2)
  assert.equal(scheduler.queued, 1)
  run(1000)
  attempts[0]?.end('PASSED')
  run(WHEEL_TICK_MS)
  assert.equal(attempts.length, 3)
  run(TIMEOUT_MS - 100)
  assert.equal(attempts[2]?.ended, false)
  run(200)
  assert.equal(attempts[2]?.cancelledBy, 'timeout')
})

test('towards one address only so many probes are in flight; others do not wait for it', () => {
  const { scheduler, attempts, run } = harness()
  const lone = Math.ceil((IN_FLIGHT_PER_ADDRESS_MAX * 4) / 5)
  const crowd = Array.from({ length: lone + 10 }, (_, i) => config(`a${i}`))
  const other = config('b')
  scheduler.applyPool(pool(...crowd, { ...other, target: { ...other.target, address: '10.0.0.2' } }))
  run(2700)
  const inFlight = () =>
    attempts.filter((attempt) => !attempt.ended && attempt.target.address === '10.0.0.1').length
  assert.equal(inFlight(), lone)
  assert.ok(attempts.some((attempt) => attempt.target.address === '10.0.0.2'))
  for (const attempt of attempts.slice(0, 20)) attempt.end('PASSED')
  run(WHEEL_TICK_MS)
  assert.ok(inFlight() <= lone)
  assert.equal(attempts.length, crowd.length + 1)
})

test('no more than 2 000 new checks of a project start in any second, and all of them start', () => {
  const { scheduler, attempts, run } = harness({ random: Math.random })
  const many = Array.from({ length: 9000 }, (_, i) => {
    const each = config(`m${i}`)
    return { ...each, target: { ...each.target, address: `10.0.${i >> 8}.${i & 255}` } }
  })
  scheduler.applyPool(pool(...many))
  run(7000)
  assert.equal(attempts.length, many.length)
  const starts = attempts.map((attempt) => attempt.startedMs).toSorted((a, b) => a - b)
  for (const [i, startMs] of starts.entries()) {
    const next = starts[i + 2000]
    assert.ok(
      next === undefined || next - startMs >= 1000 - 2 * WHEEL_TICK_MS,
      `2 000 within ${(next ?? 0) - startMs} ms`,
    )
  }
})

test('a check that is removed is ended, forgotten and never probed again', () => {
  const { scheduler, attempts, verdicts, run, last } = harness()
  scheduler.applyPool(pool(config('a'), config('b')))
  run(1000)
  scheduler.applyPool(pool(config('b')))
  assert.equal(scheduler.size, 1)
  assert.equal(attempts[0]?.cancelledBy, 'shutdown')
  last().end('PASSED')
  scheduler.dropShards(new Set([7]))
  run(60_000)
  assert.deepEqual([scheduler.size, scheduler.inFlight, scheduler.queued, attempts.length], [0, 0, 0, 2])
  assert.deepEqual(
    verdicts.map((verdict) => verdict.member),
    ['b'],
  )
})

test('a result that waits counts once, when it is concluded, and not at all for another question', () => {
  const waiting: { check: Check; result: ProbeResult }[] = []
  const { scheduler, verdicts, run, last } = harness({
    reconsider: (check, result) => {
      waiting.push({ check, result })
      return undefined
    },
  })
  scheduler.applyPool(pool(config('a', { rise: 1 })))
  run(1000)
  last().end('PASSED')
  const [{ check, result } = assert.fail()] = waiting
  scheduler.concludeHeld(check, { ...check.config }, result)
  assert.deepEqual(verdicts, [], 'the check has been configured anew')
  for (let n = 0; n < 2; n++) scheduler.concludeHeld(check, check.config, result)
  assert.deepEqual(
    verdicts.map(({ status }) => status),
    ['ONLINE'],
  )
  run(DELAY_MS + 100)
  last().end('CONNECT_REFUSED')
  scheduler.stop()
  scheduler.concludeHeld(check, check.config, waiting.at(-1)?.result ?? assert.fail())
  assert.equal(check.lastResult?.outcome, 'passed', 'a prober that has stopped decides nothing')
})

test('the end of the checks of a pool that does not run, or of a scheduler that has stopped, changes nothing', () => {
  const { scheduler } = harness()
  scheduler.completePool({ poolId: 'unknown' }, new Set())
  scheduler.applyPool(pool(config('a')))
  scheduler.stop()
  scheduler.completePool({ poolId: 'pool' }, new Set())
  assert.equal([...scheduler.checks()].length, 1, 'its checkpoint can still be read')
})

test('it sleeps until the next check is due, at most a bound, and not at all without checks', () => {
  const { scheduler, run, last } = harness()
  assert.equal(scheduler.sleepMs(), undefined)
  scheduler.applyPool(pool(config('a')))
  run(1000)
  last().end('PASSED')
  assert.equal(scheduler.sleepMs(), WHEEL_SLEEP_MAX_MS, 'it is due in some seconds')
  run(DELAY_MS - 2 * WHEEL_TICK_MS)
  const soonMs = scheduler.sleepMs() ?? 0
  assert.ok(soonMs >= 1 && soonMs <= 3 * WHEEL_TICK_MS, `${soonMs} ms`)
})

test('a stop ends every probe and starts none', () => {
  const { scheduler, attempts, verdicts, run } = harness()
  scheduler.applyPool(pool(config('a'), config('b')))
  run(1000)
  scheduler.stop()
  assert.deepEqual(
    attempts.map((attempt) => attempt.cancelledBy),
    ['shutdown', 'shutdown'],
  )
  run(60_000)
  assert.deepEqual([scheduler.inFlight, attempts.length, verdicts.length], [0, 2, 0])
})
