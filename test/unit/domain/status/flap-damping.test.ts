import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FLAP_WINDOW } from '../../../../src/domain/limits.ts'
import {
  type CheckState,
  initialState,
  type StatePolicy,
  step,
} from '../../../../src/domain/status/state-machine.ts'
import type { StepOutcome } from '../../../../src/domain/status/step-outcome.ts'

const PLAIN: StatePolicy = {
  rise: 1,
  fall: 1,
  initialStatus: 'UNKNOWN',
  firstRise: 1,
  firstFall: 1,
  unknownFall: 1,
  intervals: { online: 1000 },
}
const DAMPED: StatePolicy = { ...PLAIN, flap: { window: 11, highPercent: 50, lowPercent: 20, holdMs: 0 } }

/** The states after each result, one a second. */
function trace(policy: StatePolicy, outcomes: readonly StepOutcome[]): readonly CheckState[] {
  let state = initialState(policy)
  return outcomes.map((outcome, index) => {
    state = step(policy, state, outcome, index * 1000)
    return state
  })
}

function repeat(outcome: StepOutcome, times: number): readonly StepOutcome[] {
  return Array.from({ length: times }, () => outcome)
}

const UP_AND_DOWN: readonly StepOutcome[] = ['passed', 'network', 'passed', 'network', 'passed', 'network']

test('a target that goes up and down is held down until it is steady', () => {
  const states = trace(DAMPED, [...UP_AND_DOWN, ...repeat('passed', 12)])
  const statuses = states.map(({ status }) => status)
  // Five changes of ten are half: from the sixth result on it is flapping.
  assert.deepEqual(statuses.slice(0, 6), ['ONLINE', 'OFFLINE', 'ONLINE', 'OFFLINE', 'ONLINE', 'OFFLINE'])
  assert.equal(states[5]?.flap?.isFlapping, true)
  // Two changes of ten are left when four of the six have left the window.
  const back = statuses.indexOf('ONLINE', 6)
  assert.equal(states[back - 1]?.flap?.isFlapping, true)
  assert.equal(states[back]?.flap?.isFlapping, false)
  assert.equal(back, 14)
  assert.ok(statuses.slice(back).every((status) => status === 'ONLINE'))
})

test('flapping lasts at least as long as it is to be held', () => {
  const held: StatePolicy = {
    ...DAMPED,
    flap: { window: 11, highPercent: 50, lowPercent: 20, holdMs: 30_000 },
  }
  const statuses = trace(held, [...UP_AND_DOWN, ...repeat('passed', 40)]).map(({ status }) => status)
  // Noticed at second 5, over at second 35.
  assert.equal(statuses.indexOf('ONLINE', 6), 35)
})

test('inconclusive results are no changes', () => {
  const outcomes = repeat('inconclusive', 30).flatMap((each) => [each, 'passed' as const])
  assert.ok(trace(DAMPED, outcomes).every(({ flap }) => flap?.isFlapping !== true))
})

test('damping never calls a target ONLINE that would be OFFLINE without it: going OFFLINE is never delayed', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer(FLAP_WINDOW),
      fc.array(fc.constantFrom<StepOutcome>('passed', 'network', 'inconclusive'), { maxLength: 80 }),
      (rise, fall, window, outcomes) => {
        const plain = { ...PLAIN, rise, fall }
        const damped = { ...plain, flap: { window, highPercent: 40, lowPercent: 20, holdMs: 5000 } }
        const expected = trace(plain, outcomes)
        for (const [index, { status }] of trace(damped, outcomes).entries()) {
          if (status === 'ONLINE') assert.equal(expected[index]?.status, 'ONLINE')
        }
      },
    ),
  )
})
