import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { statePolicy } from '../../../src/domain/profiles.ts'
import {
  type CheckState,
  type CheckStatus,
  initialState,
  nextIntervalMs,
  restoredState,
  type StatePolicy,
  step,
  type StepOutcome,
} from '../../../src/domain/state-machine.ts'

interface Vector {
  readonly id: string
  readonly peer: string
  readonly results: readonly string[]
  readonly expect: readonly {
    readonly status: CheckStatus
    readonly next_interval_ms: number
    readonly draining?: boolean
  }[]
  readonly unified_config: Partial<StatePolicy> | null
}

const PEERS = new Set(['otc', 'haproxy'])
const { vectors } = JSON.parse(readFileSync('test/vectors/state-vectors.json', 'utf8')) as {
  vectors: Vector[]
}
const ours = vectors.filter((vector) => PEERS.has(vector.peer) && vector.unified_config !== null)

/** The words of the vectors, in ours. */
function outcomeOf(result: string): StepOutcome {
  if (result === 'success') return 'passed'
  if (result === 'inconclusive') return 'inconclusive'
  if (result === 'cond_pass') return 'conditional'
  assert.match(result, /_fail$|^timeout$/)
  return 'failed'
}

function policyOf(config: Partial<StatePolicy>): StatePolicy {
  const { rise = 1, fall = 1, initialStatus = 'UNKNOWN' } = config
  return {
    rise,
    fall,
    initialStatus,
    firstRise: config.firstRise ?? rise,
    firstFall: config.firstFall ?? fall,
    unknownFall: config.unknownFall ?? 1,
    intervals: config.intervals ?? { online: 1000 },
  }
}

test('there are vectors of both peers', () => {
  assert.deepEqual(new Set(ours.map((vector) => vector.peer)), PEERS)
})

for (const vector of ours) {
  test(`${vector.id}: status and next interval are those of the peer after every result`, () => {
    const policy = policyOf(vector.unified_config ?? {})
    let state = initialState(policy)
    for (const [index, result] of vector.results.entries()) {
      state = step(policy, state, outcomeOf(result))
      const expected = vector.expect[index]
      assert.deepEqual(
        { status: state.status, next: nextIntervalMs(policy, state), draining: state.draining },
        { status: expected?.status, next: expected?.next_interval_ms, draining: expected?.draining ?? false },
        `after result ${index + 1}, ${result}`,
      )
    }
  })
}

const thresholds = fc.record({ rise: fc.integer({ min: 1, max: 10 }), fall: fc.integer({ min: 1, max: 10 }) })
const outcomes = fc.array(fc.constantFrom<StepOutcome>('passed', 'failed', 'inconclusive'), { maxLength: 80 })

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
    else if (status === 'ONLINE' && result === 'failed' && run.length >= fall) status = 'OFFLINE'
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
    ['OFFLINE', 'failed'],
  ] as const) {
    const state = restoredState(status, policy)
    assert.equal(step(policy, state, result), state)
  }
})

test('a restored status falls only after a whole threshold of new evidence', () => {
  const policy = elb({ rise: 2, fall: 3 })
  let state = restoredState('ONLINE', policy)
  for (const expected of ['ONLINE', 'ONLINE', 'OFFLINE']) {
    state = step(policy, state, 'failed')
    assert.equal(state.status, expected)
  }
})
