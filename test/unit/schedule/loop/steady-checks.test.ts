/** Checks that go on passing by the batch: nothing is judged, and nothing is missed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { CheckConfig } from '../../../../src/domain/prober/check.ts'
import { STALE_WINDOWS } from '../../../../src/domain/limits.ts'
import type { Reason } from '../../../../src/domain/result/reasons.ts'
import type { StatePolicy } from '../../../../src/domain/status/state-machine.ts'
import type { SchedulerOptions } from '../../../../src/schedule/loop/scheduler.ts'
import { FakeCore } from '../../../support/fake-core.ts'
import { config, DELAY_MS, harness, known, pool, TIMEOUT_MS } from '../../../support/scheduling.ts'

function withCore(options: Partial<SchedulerOptions> = {}) {
  const core = new FakeCore()
  // What is a getter stays one: a budget may change.
  const all = Object.defineProperties({ coreOf: () => core }, Object.getOwnPropertyDescriptors(options))
  return { core, ...harness(all) }
}

const POLICIES: readonly Partial<StatePolicy>[] = [
  {},
  { invert: true },
  { recoveryExtra: 2 },
  { haltWhenOffline: true },
  { anchor: 'start', jitter: { spreadPercent: 10 } },
  { flap: { window: 5, highPercent: 50, lowPercent: 25, holdMs: 0 } },
  {
    intervals: { online: DELAY_MS, onlinePending: 1000, offline: 2000, offlinePending: 500, undecided: 300 },
  },
]

/** A change of the configuration. Results of a check that depends on something do not count, in this test. */
const CHANGES = {
  'another rule': (before: CheckConfig) => ({
    policy: { ...before.policy, fall: 5 - before.policy.fall },
  }),
  'another target': ({ target, generation }: CheckConfig) => ({
    generation: generation + 1,
    publishedFrom: 1,
    target: { ...target, port: target.port + 1 },
  }),
  'a dependency, or none': ({ dependsOn, ...before }: CheckConfig) =>
    dependsOn === undefined ? { ...before, dependsOn: ['parent'] } : before,
} as const

const STEPS = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant<Reason>('PASSED') },
    { weight: 2, arbitrary: fc.constantFrom<Reason>('CONNECT_REFUSED', 'PROBER_NO_SOCKET') },
    { weight: 1, arbitrary: fc.constantFrom(...(Object.keys(CHANGES) as (keyof typeof CHANGES)[])) },
  ),
  { maxLength: 40 },
)

const reconsider: SchedulerOptions['reconsider'] = ({ config: { dependsOn } }, result) =>
  dependsOn === undefined ? result : { ...result, outcome: 'inconclusive', reason: 'DEPENDENCY_DOWN' }

function isChange(step: string): step is keyof typeof CHANGES {
  return step in CHANGES
}

test('whatever the policy is and changes, a core and a prober lead to the same verdicts and counters', () => {
  fc.assert(
    fc.property(fc.constantFrom(...POLICIES), STEPS, (policy, steps) => {
      const cored = withCore({ reconsider })
      const plain = harness({ reconsider })
      const both = [cored, plain]
      const base = config('a')
      let present: CheckConfig = { ...base, policy: { ...base.policy, ...policy } }
      for (const { scheduler } of both) scheduler.applyPool(pool(present))
      for (const step of steps) {
        if (isChange(step)) {
          const { dependsOn: _, ...rest } = present
          present = { ...rest, ...CHANGES[step](present) }
          for (const { scheduler } of both) scheduler.applyPool(pool(present))
          continue
        }
        for (let ms = 0; ms < 2 * DELAY_MS && cored.core.inFlight === 0; ms += 100)
          for (const { run } of both) run(100)
        // It was halted.
        if (cored.core.inFlight === 0) break
        for (const slot of cored.core.flying) cored.core.answer(slot, step)
        plain.last().end(step)
        for (const { run } of both) run(10)
      }
      assert.deepEqual(cored.verdicts, plain.verdicts)
      const [byCore, byProber] = both.map(({ scheduler }) =>
        [...scheduler.checks()].map(({ state: { status, okRun, badRun }, lastResult, lastPhases }) => [
          status,
          okRun,
          badRun,
          lastResult?.reason,
          lastPhases,
        ]),
      )
      assert.deepEqual(byCore, byProber)
    }),
    { numRuns: 200 },
  )
})

test('a check that goes on passing is probed one interval after the end of its last probe', () => {
  const { core, scheduler, run, now } = withCore()
  core.immediately = ['PASSED', 700]
  scheduler.applyPool(pool(known(config('a'))))
  run(4 * DELAY_MS)
  const [check] = scheduler.checks()
  assert.equal(check?.isSteady, true)
  assert.equal(check?.dueMs, (check?.endedMs ?? 0) + DELAY_MS)
  const batches = core.batches.length
  run((check?.dueMs ?? 0) - now() - 10)
  assert.equal(core.batches.length, batches)
  run(20)
  assert.equal(core.batches.length, batches + 1)
})

test('a check that was made due at once goes on at the times that it had', () => {
  const { core, scheduler, run } = withCore()
  core.immediately = ['PASSED', 700]
  const member = config('a')
  scheduler.applyPool(pool(known(member)))
  run(4 * DELAY_MS + 1000)
  const planned = [...scheduler.checks()][0]?.dueMs
  scheduler.probeNow(member, { counted: true, onDone: () => undefined })
  run(100)
  assert.equal([...scheduler.checks()][0]?.dueMs, planned)
})

test('a steady check that could not be probed for long is stale, and fresh again with its next pass', () => {
  let budget = 100
  const { core, scheduler, run, stale } = withCore({
    get budget() {
      return budget
    },
  })
  core.immediately = ['PASSED', 700]
  scheduler.applyPool(pool(known(config('a'))))
  run(4 * DELAY_MS)
  budget = 0
  run((STALE_WINDOWS + 1) * (DELAY_MS + TIMEOUT_MS))
  scheduler.checkpointOf(7)
  assert.deepEqual(stale, [true])
  budget = 100
  run(DELAY_MS)
  assert.deepEqual(stale, [true, false])
})

test('a steady check that begins to depend on something is reconsidered with its next result', () => {
  const { core, scheduler, run } = withCore({ reconsider })
  core.immediately = ['PASSED', 700]
  scheduler.applyPool(pool(known(config('a'))))
  run(4 * DELAY_MS)
  scheduler.applyPool(pool(config('a', { dependsOn: ['parent'] })))
  run(2 * DELAY_MS)
  assert.equal([...scheduler.checks()][0]?.lastResult?.reason, 'DEPENDENCY_DOWN')
})
