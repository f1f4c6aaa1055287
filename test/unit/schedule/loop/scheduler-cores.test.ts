/** Checks whose probes a core makes: scheduled, judged and ended as those of a prober. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BATCH_MESSAGES } from '../../../../src/domain/limits.ts'
import type { Reason } from '../../../../src/domain/result/reasons.ts'
import type { ProbeTarget } from '../../../../src/domain/target/probe-target.ts'
import { FakeCore } from '../../../support/fake-core.ts'
import { config, DELAY_MS, harness, known, pool, poolOf, TIMEOUT_MS } from '../../../support/scheduling.ts'

function withCore(options: Parameters<typeof harness>[0] = {}) {
  const core = new FakeCore()
  return { core, ...harness({ coreOf: () => core, ...options }) }
}

const target = (more: Partial<ProbeTarget> = {}): ProbeTarget => ({
  type: 'TCP',
  address: '10.0.0.1',
  family: 4,
  port: 80,
  timeoutMs: TIMEOUT_MS,
  ...more,
})

const REASONS_OF_CORE = fc.constantFrom<Reason>(
  'PASSED',
  'CONNECT_REFUSED',
  'CONNECT_TIMEOUT',
  'PROBER_NO_SOCKET',
)

test('whatever the results are, a core and a prober lead to the same verdicts, rings and checkpoints', () => {
  fc.assert(
    fc.property(fc.array(REASONS_OF_CORE, { maxLength: 40 }), (reasons) => {
      const cored = withCore()
      const plain = harness()
      for (const { scheduler } of [cored, plain]) scheduler.applyPool(pool(config('a')))
      for (const reason of reasons) {
        for (const { run } of [cored, plain]) run(1000)
        while (cored.core.inFlight === 0) {
          cored.run(100)
          plain.run(100)
        }
        for (const slot of cored.core.flying) cored.core.answer(slot, reason)
        plain.last().end(reason)
        for (const { run } of [cored, plain]) run(10)
      }
      assert.deepEqual(cored.verdicts, plain.verdicts)
      const [withNumbers, withObjects] = [cored, plain].map(({ scheduler }) => scheduler.checkpointOf(7))
      assert.deepEqual(
        withNumbers?.entries.map(({ outcome, reason, okRun, badRun, phases }) => [
          outcome,
          reason,
          okRun,
          badRun,
          phases,
        ]),
        withObjects?.entries.map(({ outcome, reason, okRun, badRun, phases }) => [
          outcome,
          reason,
          okRun,
          badRun,
          phases,
        ]),
      )
    }),
    { numRuns: 60 },
  )
})

test('a check that goes on passing makes no result, and its checkpoint has its last probe', () => {
  const { core, scheduler, run, now, verdicts } = withCore()
  core.immediately = ['PASSED', 700]
  scheduler.applyPool(pool(known(config('a'))))
  run(4 * DELAY_MS)
  const told = core.told
  const before = verdicts.length
  core.immediately = ['PASSED', 1234]
  run(4 * DELAY_MS)
  assert.equal(core.told, told, 'a steady pass makes no text')
  assert.equal(verdicts.length, before)
  const [entry] = scheduler.checkpointOf(7).entries
  assert.equal(entry?.phases.totalMs, 1.234)
  assert.ok((entry?.probedAt ?? 0) > now() - DELAY_MS - 100)
})

test('a check that passes in other words has the text of that probe', () => {
  const { core, scheduler, run } = withCore()
  core.immediately = ['PASSED', 700]
  scheduler.applyPool(pool(known(config('a'))))
  run(4 * DELAY_MS)
  const [check] = scheduler.checks()
  const before = check?.lastResult
  const told = core.told
  core.hasOtherWords = true
  run(DELAY_MS + 100)
  assert.ok(core.told > told)
  assert.notEqual(check?.lastResult, before)
  assert.equal(check?.lastPhases?.totalMs, 0.7)
})

test('a deadline ends the probe once, and an answer that arrived before it is judged counts', () => {
  const { core, scheduler, run, now, verdicts } = withCore()
  scheduler.applyPool(pool(known(config('silent')), known(config('late'))))
  run(1000)
  assert.equal(core.inFlight, 2)
  run(TIMEOUT_MS - 1500)
  const late = [...scheduler.checks()].find(({ config: { memberId } }) => memberId === 'late')
  assert.ok(late)
  // The first look after the deadline finds nothing; the answer has arrived at the second one, in the next turn.
  let looks = 0
  core.onCollect = () => {
    if (now() >= late.startedMs + TIMEOUT_MS && ++looks === 2) core.answer(1, 'PASSED')
  }
  run(1000)
  run(100)
  assert.deepEqual(core.expired, [0])
  assert.equal(core.inFlight, 0)
  assert.equal(late.lastResult?.outcome, 'passed')
  assert.equal(verdicts.filter(({ member }) => member === 'late').length, 0)
})

test('a failure of a probe that was in flight during a stall is inconclusive, a pass counts', () => {
  const { core, scheduler, run, stall } = withCore()
  scheduler.applyPool(pool(known(config('fails')), known(config('passes'))))
  run(1000)
  stall(1000)
  core.answer(0, 'CONNECT_REFUSED')
  core.answer(1, 'PASSED')
  run(10)
  const reasons = [...scheduler.checks()].map(({ lastResult }) => lastResult?.reason)
  assert.deepEqual(reasons, ['PROBER_OVERLOAD', 'PASSED'])
})

test('a check that is removed while its probe is in flight has no result, and gives its slot back', () => {
  const { core, scheduler, run, verdicts } = withCore()
  scheduler.applyPool(pool(known(config('a')), known(config('b'))))
  run(1000)
  scheduler.applyPool(pool(config('b')))
  assert.deepEqual(core.dropped, [0])
  assert.equal(core.targets[0], undefined)
  core.answer(0, 'CONNECT_REFUSED')
  core.answer(1, 'PASSED')
  run(100)
  assert.deepEqual(verdicts, [])
  assert.equal(scheduler.inFlight, 0)
  scheduler.removePool('pool')
  run(10)
  assert.deepEqual(core.targets, [undefined, undefined])
})

test('a new target in mid-flight ends the old probe without a result, and is probed soon from a slot of its own', () => {
  const { core, scheduler, run } = withCore()
  scheduler.applyPool(pool(known(config('a'))))
  run(1000)
  scheduler.applyPool(pool(config('a', { generation: 2, target: target({ address: '10.0.0.2' }) })))
  assert.deepEqual(core.dropped, [0])
  run(1500)
  assert.deepEqual(core.targets, [undefined, target({ address: '10.0.0.2' })])
  assert.deepEqual([...core.flying], [1])
})

test('another timeout alone lets the probe in flight go on to its new deadline', () => {
  const { core, scheduler, run } = withCore()
  scheduler.applyPool(pool(known(config('a'))))
  run(1000)
  scheduler.applyPool(pool(config('a', { target: target({ timeoutMs: 1500 }) })))
  assert.deepEqual(core.dropped, [])
  run(1000)
  assert.deepEqual(core.expired, [0])
  assert.deepEqual(core.targets, [undefined, target({ timeoutMs: 1500 })])
  run(DELAY_MS)
  assert.deepEqual([...core.flying], [1])
})

test('a target that leaves the core goes on with its prober, and one that joins it with the core', () => {
  const core = new FakeCore()
  const { scheduler, run, attempts } = harness({
    coreOf: ({ halfOpen }) => (halfOpen === true ? core : undefined),
  })
  scheduler.applyPool(pool(known(config('a', { target: target({ halfOpen: true }) })), known(config('b'))))
  run(1000)
  assert.equal(core.inFlight, 1)
  assert.equal(attempts.length, 1)
  core.answer(0, 'PASSED')
  attempts[0]?.end('PASSED')
  run(10)
  scheduler.applyPool(pool(config('a'), config('b', { target: target({ halfOpen: true }) })))
  run(1500)
  assert.equal(core.inFlight, 1)
  assert.equal(attempts.length, 2)
  assert.equal(core.targets.filter((each) => each !== undefined).length, 1)
})

test('a target that is denied is in no batch', () => {
  const { core, scheduler, run } = withCore({ denies: () => 'denied' })
  scheduler.applyPool(pool(known(config('a'))))
  run(DELAY_MS)
  assert.deepEqual(core.batches, [])
  const [check] = scheduler.checks()
  assert.equal(check?.lastResult?.reason, 'TARGET_DENIED')
})

test('batches are bounded, divided by project, and hold no more than the budget', () => {
  const { core, scheduler, run } = withCore({ budget: 100 })
  const address = (i: number): string => `10.1.${i >> 8}.${i & 255}`
  for (const [project, count] of [
    ['many', 1000],
    ['few', 10],
  ] as const)
    scheduler.applyPool(
      poolOf(project, count, (i) => ({
        target: target({ address: project === 'few' ? `10.2.0.${i}` : address(i) }),
      })),
    )
  run(1500)
  assert.ok(core.batches.every(({ length }) => length <= BATCH_MESSAGES))
  assert.ok(core.inFlight <= 100)
  const few = [...core.flying].filter((slot) => core.targets[slot]?.address.startsWith('10.2.'))
  assert.equal(few.length, 10, 'the small project has all its probes in flight')
})

test('what is stopped is reported once, and nothing of a core is in flight after it', () => {
  const { core, scheduler, run } = withCore()
  scheduler.applyPool(pool(known(config('a')), known(config('b'))))
  run(1000)
  scheduler.stop()
  assert.equal(core.inFlight, 0)
  assert.equal(scheduler.inFlight, 0)
  const reasons = [...scheduler.checks()].map(({ lastResult }) => lastResult?.reason)
  assert.deepEqual(reasons, ['PROBER_STOPPING', 'PROBER_STOPPING'])
})

test('somebody who asks for a probe of a check that goes on passing gets its result', () => {
  const { core, scheduler, run } = withCore()
  core.immediately = ['PASSED', 700]
  const member = config('a')
  scheduler.applyPool(pool(known(member)))
  run(3 * DELAY_MS)
  const answers: unknown[] = []
  core.immediately = ['PASSED', 900]
  scheduler.probeNow(member, {
    counted: true,
    onDone: (asked) => answers.push([asked?.counted, asked?.result.reason, asked?.result.phases.totalMs]),
  })
  run(100)
  assert.deepEqual(answers, [[true, 'PASSED', 0.9]])
})

test('a pass that says something else than the last one is handed over with its text', () => {
  const { core, scheduler, run } = withCore()
  let isOther = false
  const collect = core.collect.bind(core)
  core.collect = () => {
    collect()
    if (isOther) core.ended.areOther.fill(1, 0, core.ended.count)
  }
  core.immediately = ['PASSED', 700]
  scheduler.applyPool(pool(known(config('a'))))
  run(4 * DELAY_MS)
  const { told } = core
  run(2 * DELAY_MS)
  assert.equal(core.told, told)
  isOther = true
  run(2 * DELAY_MS)
  assert.ok(core.told > told)
})
