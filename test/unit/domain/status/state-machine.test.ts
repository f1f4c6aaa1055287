import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { statePolicy } from '../../../../src/domain/options/profiles.ts'
import {
  type CheckState,
  type CheckStatus,
  initialState,
  restoredState,
  type StatePolicy,
  step,
  withTraffic,
} from '../../../../src/domain/status/state-machine.ts'
import type { StepOutcome } from '../../../../src/domain/status/step-outcome.ts'

const thresholds = fc.record({ rise: fc.integer({ min: 1, max: 10 }), fall: fc.integer({ min: 1, max: 10 }) })
const outcomes = fc.array(fc.constantFrom<StepOutcome>('passed', 'network', 'inconclusive'), {
  maxLength: 80,
})

function elb({ rise, fall }: { rise: number; fall: number }): StatePolicy {
  return statePolicy({ profile: 'elb', rise, fall, delaySeconds: 5, timeoutSeconds: 5 })
}

/** The rule as people say it: n results of the other kind in a row change the status; inconclusive ones do not exist. */
function byCounting(rise: number, fall: number, results: readonly StepOutcome[]): CheckStatus {
  let status: CheckStatus = 'UNKNOWN'
  let run: StepOutcome[] = []
  for (const result of results.filter((each) => each !== 'inconclusive')) {
    run = run[0] === result ? [...run, result] : [result]
    if (status === 'UNKNOWN') status = result === 'passed' ? 'ONLINE' : 'OFFLINE'
    else if (status === 'ONLINE' && result === 'network' && run.length >= fall) status = 'OFFLINE'
    else if (status === 'OFFLINE' && result === 'passed' && run.length >= rise) status = 'ONLINE'
  }
  return status
}

test('the threshold machine is "n results in a row" for every rise and fall', () => {
  fc.assert(
    fc.property(thresholds, outcomes, (limits, results) => {
      const policy = elb(limits)
      const state = results.reduce<CheckState>(
        (before, result) => step(policy, before, result),
        initialState(policy),
      )
      assert.equal(state.status, byCounting(limits.rise, limits.fall, results))
    }),
  )
})

test('runs stay within their thresholds, and an inconclusive result changes nothing at all', () => {
  fc.assert(
    fc.property(thresholds, outcomes, (limits, results) => {
      const policy = elb(limits)
      let state = initialState(policy)
      for (const result of results) {
        const after = step(policy, state, result)
        if (result === 'inconclusive') assert.equal(after, state)
        assert.ok(after.okRun <= limits.rise && after.badRun < limits.fall)
        state = after
      }
    }),
  )
})

test('a steady state is the same object after one more result', () => {
  const policy = elb({ rise: 3, fall: 3 })
  for (const [status, result] of [
    ['ONLINE', 'passed'],
    ['OFFLINE', 'network'],
  ] as const) {
    const state = restoredState(status, policy)
    assert.equal(step(policy, state, result), state)
  }
})

test('a restored status falls only after a whole threshold of new evidence', () => {
  const policy = elb({ rise: 2, fall: 3 })
  let state = restoredState('ONLINE', policy)
  for (const expected of ['ONLINE', 'ONLINE', 'OFFLINE']) {
    state = step(policy, state, 'network')
    assert.equal(state.status, expected)
  }
})

test('traffic that was seen stays seen, and seeing it again changes nothing', () => {
  const before = initialState(elb({ rise: 2, fall: 2 }))
  assert.equal(before.trafficSeen, false)
  const seen = withTraffic(before)
  assert.deepEqual(seen, { ...before, trafficSeen: true })
  assert.equal(withTraffic(seen), seen, 'the same object: nothing is to be written')
})
