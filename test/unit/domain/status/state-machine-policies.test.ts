import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { FailureKind } from '../../../../src/domain/result/reasons.ts'
import {
  type CheckState,
  type CheckStatus,
  initialState,
  restoredState,
  type StatePolicy,
  step,
} from '../../../../src/domain/status/state-machine.ts'
import { isPass, type StepOutcome } from '../../../../src/domain/status/step-outcome.ts'

const PASSES = ['passed', 'degraded', 'warning'] as const
const FAILURES = ['network', 'timeout', 'status', 'payload', 'immediate', 'retriable'] as const

const count = fc.integer({ min: 1, max: 6 })
const policies = fc
  .record({
    rise: count,
    fall: count,
    initialStatus: fc.constantFrom<CheckStatus>('UNKNOWN', 'ONLINE', 'OFFLINE'),
    firstRise: count,
    firstFall: count,
    unknownFall: count,
    hardFailures: fc.subarray<FailureKind>(['status', 'payload', 'immediate']),
    recoveryExtra: fc.integer({ min: 0, max: 2 }),
    intervals: fc.constant({ online: 1000 }),
  })
  .map((policy) => ({
    ...policy,
    firstRise: Math.min(policy.rise, policy.firstRise),
    firstFall: Math.min(policy.fall, policy.firstFall),
  }))
const results = fc.array(fc.constantFrom<StepOutcome>(...PASSES, ...FAILURES, 'inconclusive'), {
  maxLength: 60,
})

const BASE: StatePolicy = {
  rise: 2,
  fall: 2,
  initialStatus: 'UNKNOWN',
  firstRise: 1,
  firstFall: 1,
  unknownFall: 1,
  intervals: { online: 1000 },
}

function last(
  policy: StatePolicy,
  outcomes: readonly StepOutcome[],
  from = initialState(policy),
): CheckState {
  return outcomes.reduce((state, outcome) => step(policy, state, outcome), from)
}

/** The rule as people say it, by looking back over all results each time; a credit is so many results before the first. */
function byLookingBack(policy: StatePolicy, outcomes: readonly StepOutcome[]): CheckStatus {
  const { rise, fall, firstRise, firstFall, recoveryExtra = 0, hardFailures = [] } = policy
  let status = policy.initialStatus
  // Whether each result passed; `undefined` marks a change to OFFLINE, which no run of failures or successes goes beyond.
  const seen: (boolean | undefined)[] = []
  let hasFallen = false
  for (const outcome of outcomes.filter((each) => each !== 'inconclusive')) {
    const passed = isPass(outcome)
    seen.push(passed)
    const others = seen.findLastIndex((each) => each !== passed)
    const reachesStart = others < 0
    const run = seen.length - 1 - others
    if (passed) {
      const credit = reachesStart ? rise - firstRise : 0
      const needed = status === 'OFFLINE' && hasFallen ? rise + recoveryExtra : rise
      if (status !== 'ONLINE' && run + credit >= needed) status = 'ONLINE'
      continue
    }
    if (status === 'OFFLINE') {
      hasFallen = true
      continue
    }
    const credit = reachesStart && policy.initialStatus === 'ONLINE' ? fall - firstFall : 0
    const enough = status === 'UNKNOWN' ? run >= policy.unknownFall : run + credit >= fall
    if (!enough && !(hardFailures as readonly StepOutcome[]).includes(outcome)) continue
    status = 'OFFLINE'
    hasFallen = true
    seen.push(undefined)
  }
  return status
}

test('for every policy the counter is "n in a row", credits included, and inconclusive results do not exist', () => {
  fc.assert(
    fc.property(policies, results, (policy, outcomes) => {
      assert.equal(last(policy, outcomes).status, byLookingBack(policy, outcomes))
    }),
    { numRuns: 2000 },
  )
})

test('a status never changes but by a result that speaks for it, and never sooner than its threshold', () => {
  fc.assert(
    fc.property(policies, results, (policy, outcomes) => {
      let state = restoredState('ONLINE', policy)
      let sinceChange = 0
      for (const outcome of outcomes) {
        const after = step(policy, state, outcome)
        if (outcome !== 'inconclusive') sinceChange++
        if (after.status !== state.status) {
          const isHard = (policy.hardFailures as readonly StepOutcome[]).includes(outcome)
          assert.equal(after.status === 'ONLINE', isPass(outcome))
          assert.ok(isHard || sinceChange >= (after.status === 'ONLINE' ? policy.rise : policy.fall))
          sinceChange = 0
        }
        state = after
      }
    }),
  )
})

test('an inconclusive result is no result at all, in every policy and at every point', () => {
  fc.assert(
    fc.property(policies, results, (policy, outcomes) => {
      const state = last(policy, outcomes)
      assert.equal(step(policy, state, 'inconclusive'), state)
    }),
  )
})

test('the same result again and again ends in one and the same object', () => {
  const damping = { window: 21, highPercent: 50, lowPercent: 25, holdMs: 100 }
  const repeated = fc.constantFrom<StepOutcome>(...PASSES, 'draining', ...FAILURES)
  fc.assert(
    fc.property(policies, fc.boolean(), results, repeated, (plain, isDamped, outcomes, outcome) => {
      const policy = isDamped ? { ...plain, flap: damping } : plain
      let state = last(policy, outcomes)
      for (let atMs = 0; atMs < 40; atMs++) state = step(policy, state, outcome, 1000 + atMs)
      // An OFFLINE target that is to be drained fails: it can never come back, and stays the same all the same.
      assert.equal(step(policy, state, outcome, 2000), state)
    }),
  )
})

test('runs stay within their thresholds', () => {
  fc.assert(
    fc.property(policies, results, (policy, outcomes) => {
      let state = initialState(policy)
      for (const outcome of outcomes) {
        state = step(policy, state, outcome)
        assert.ok(state.okRun <= policy.rise + policy.recoveryExtra)
        assert.ok(state.badRun < Math.max(policy.fall, policy.unknownFall))
      }
    }),
  )
})

test('a failure of a hard kind is enough, a retriable status and a timeout are not', () => {
  const policy: StatePolicy = { ...BASE, fall: 3, hardFailures: ['status', 'payload', 'immediate'] }
  for (const outcome of FAILURES) {
    const isHard = outcome === 'status' || outcome === 'payload' || outcome === 'immediate'
    assert.equal(last(policy, ['passed', outcome]).status, isHard ? 'OFFLINE' : 'ONLINE', outcome)
  }
})

test('what a policy starts with is no verdict until a result confirmed it', () => {
  const up: StatePolicy = { ...BASE, initialStatus: 'ONLINE', firstFall: 2 }
  assert.equal(last(up, ['network']).decided, false)
  assert.equal(last(up, ['network', 'network']).decided, true)
  assert.equal(last(up, ['passed']).decided, true)
  const down: StatePolicy = { ...BASE, initialStatus: 'OFFLINE', firstRise: 2 }
  assert.equal(last(down, ['passed']).decided, false)
  assert.equal(last(down, ['network']).decided, true)
})

test('an inconclusive result breaks the run, or fails, where the policy wants that', () => {
  const run: readonly StepOutcome[] = ['passed', 'network', 'inconclusive', 'network']
  assert.equal(last(BASE, run).status, 'OFFLINE')
  assert.equal(last({ ...BASE, inconclusive: 'break_run' }, run).status, 'ONLINE')
  assert.equal(last({ ...BASE, inconclusive: 'fail' }, run.slice(0, 3)).status, 'OFFLINE')
})

test('inverted, a failure of any kind is a success, and a success is never a hard failure', () => {
  const policy: StatePolicy = { ...BASE, invert: true, hardFailures: ['status'] }
  assert.equal(last(policy, ['status']).status, 'ONLINE')
  assert.equal(last(policy, ['status', 'passed']).status, 'ONLINE')
  assert.equal(last(policy, ['status', 'passed', 'degraded']).status, 'OFFLINE')
  assert.equal(last(policy, ['status', 'inconclusive']).badRun, 0)
})

test('leaving OFFLINE takes the extra successes, coming up for the first time does not', () => {
  const policy: StatePolicy = { ...BASE, rise: 1, recoveryExtra: 1, initialStatus: 'OFFLINE' }
  assert.equal(last(policy, ['passed']).status, 'ONLINE')
  assert.equal(last(policy, ['network', 'passed']).status, 'OFFLINE')
  assert.equal(last(policy, ['network', 'passed', 'passed']).status, 'ONLINE')
  assert.equal(last(policy, ['network', 'passed', 'network', 'passed']).status, 'OFFLINE')
})

test('draining: kept while ONLINE, taken at the first result, never brought back from OFFLINE', () => {
  assert.deepEqual(pick(last(BASE, ['passed', 'draining'])), ['ONLINE', 'draining'])
  assert.deepEqual(pick(last(BASE, ['passed', 'draining', 'passed'])), ['ONLINE'])
  assert.deepEqual(pick(last(BASE, ['draining'])), ['ONLINE', 'draining'])
  assert.deepEqual(pick(last(BASE, ['network', 'draining', 'draining', 'draining'])), ['OFFLINE'])
})

test('degraded comes and goes with each success; failures leave it, OFFLINE ends it', () => {
  assert.deepEqual(pick(last(BASE, ['degraded'])), ['ONLINE', 'degraded'])
  assert.deepEqual(pick(last(BASE, ['degraded', 'network'])), ['ONLINE', 'degraded'])
  assert.deepEqual(pick(last(BASE, ['degraded', 'passed'])), ['ONLINE'])
  assert.deepEqual(pick(last(BASE, ['degraded', 'network', 'network'])), ['OFFLINE'])
})

test('a warning shows, and goes, only when the run of successes is full', () => {
  assert.deepEqual(pick(last(BASE, ['passed', 'warning'])), ['ONLINE', 'warning'])
  assert.deepEqual(pick(last(BASE, ['passed', 'network', 'warning'])), ['ONLINE'])
  assert.deepEqual(pick(last(BASE, ['passed', 'network', 'warning', 'warning'])), ['ONLINE', 'warning'])
  assert.deepEqual(pick(last(BASE, ['passed', 'warning', 'network', 'passed'])), ['ONLINE', 'warning'])
})

test('a halted check takes no more outcomes', () => {
  const policy: StatePolicy = { ...BASE, haltWhenOffline: true, inconclusive: 'break_run', passive: 'hard' }
  const state = last(policy, ['network'])
  for (const outcome of ['passed', 'network', 'inconclusive', 'passive'] as const) {
    assert.equal(step(policy, state, outcome), state)
  }
})

test('a failure seen on traffic counts only where the policy says so', () => {
  const state = last(BASE, ['passed'])
  assert.equal(step(BASE, state, 'passive'), state)
  assert.equal(step({ ...BASE, passive: 'hard' }, state, 'passive').status, 'OFFLINE')
})

function pick(state: CheckState): readonly string[] {
  const flags = (['degraded', 'warning', 'draining'] as const).filter((flag) => state[flag])
  return [state.status, ...flags]
}
