import assert from 'node:assert/strict'
import { test } from 'node:test'
import { delayMs, statePolicy, timeoutMs } from '../../../../src/domain/options/profiles.ts'
import { initialState, step } from '../../../../src/domain/status/state-machine.ts'

const MONITOR = { rise: 3, fall: 3, delaySeconds: 5, timeoutSeconds: 3 }

test('elb: the first result alone decides, in either direction', () => {
  const policy = statePolicy({ ...MONITOR, profile: 'elb' })
  assert.equal(initialState(policy).status, 'UNKNOWN')
  assert.equal(step(policy, initialState(policy), 'passed').status, 'ONLINE')
  assert.equal(step(policy, initialState(policy), 'network').status, 'OFFLINE')
})

test('octavia: a member starts up and falls at its first failure, then the thresholds hold', () => {
  const policy = statePolicy({ ...MONITOR, profile: 'octavia' })
  assert.equal(initialState(policy).status, 'ONLINE')
  const down = step(policy, initialState(policy), 'network')
  assert.equal(down.status, 'OFFLINE')
  const confirmed = step(policy, initialState(policy), 'passed')
  assert.equal(step(policy, confirmed, 'network').status, 'ONLINE')
})

test('a delay or timeout of zero, which Octavia allows, is probed as one second', () => {
  assert.equal(delayMs({ delaySeconds: 0 }), 1000)
  assert.equal(timeoutMs({ timeoutSeconds: 0 }), 1000)
  assert.equal(delayMs({ delaySeconds: 5 }), 5000)
})
