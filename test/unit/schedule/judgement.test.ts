import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Reason } from '../../../src/domain/reasons.ts'
import type { StatePolicy } from '../../../src/domain/state-machine.ts'
import { config, DELAY_MS, harness, pool } from '../../support/scheduling.ts'

/** The status of a check after probes that end so. */
function statusAfter(policy: Partial<StatePolicy>, reasons: readonly Reason[]): string | undefined {
  const { scheduler, verdicts, run, last } = harness()
  const base = config('a', { fall: 3 })
  scheduler.applyPool(pool({ ...base, policy: { ...base.policy, ...policy } }))
  run(1000)
  for (const reason of reasons) {
    last().end(reason)
    run(DELAY_MS + 100)
  }
  return verdicts.at(-1)?.status
}

test('the kind of a failure reaches the state machine: one hard failure is enough, soft ones are counted', () => {
  const policy: Partial<StatePolicy> = { hardFailures: ['status', 'payload', 'immediate'] }
  for (const reason of ['STATUS_MISMATCH', 'BODY_MISMATCH', 'IMMEDIATE_FAIL', 'IDENTITY_MISMATCH'] as const) {
    assert.equal(statusAfter(policy, ['PASSED', reason]), 'OFFLINE', reason)
    assert.equal(statusAfter({}, ['PASSED', reason]), 'ONLINE', reason)
  }
  for (const reason of ['CONNECT_REFUSED', 'CONNECT_TIMEOUT', 'STATUS_RETRIABLE'] as const) {
    assert.equal(statusAfter(policy, ['PASSED', reason]), 'ONLINE', reason)
    assert.equal(statusAfter(policy, ['PASSED', reason, reason, reason]), 'OFFLINE', reason)
  }
})

test('inverted, a target that answers is OFFLINE', () => {
  assert.equal(statusAfter({ invert: true }, ['PASSED']), 'OFFLINE')
  assert.equal(statusAfter({ invert: true }, ['CONNECT_REFUSED']), 'ONLINE')
})

test('a status that a policy only starts with is told to nobody', () => {
  const up: Partial<StatePolicy> = { initialStatus: 'ONLINE', firstFall: 3 }
  assert.equal(statusAfter(up, ['CONNECT_REFUSED', 'CONNECT_REFUSED']), undefined)
  assert.equal(statusAfter(up, ['CONNECT_REFUSED', 'CONNECT_REFUSED', 'CONNECT_REFUSED']), 'OFFLINE')
  assert.equal(statusAfter(up, ['CONNECT_REFUSED', 'PASSED']), 'ONLINE')
})
