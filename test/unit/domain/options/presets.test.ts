import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PRESETS } from '../../../../src/domain/options/monitor-options.ts'
import { presetBehaviour, presetPolicy } from '../../../../src/domain/options/presets.ts'
import { nextIntervalMs } from '../../../../src/domain/timing/probe-times.ts'
import { statePolicy } from '../../../../src/domain/options/profiles.ts'
import { simulate } from '../../../../src/domain/status/simulation.ts'
import { initialState, type StatePolicy } from '../../../../src/domain/status/state-machine.ts'
import type { StepOutcome } from '../../../../src/domain/status/step-outcome.ts'

const PLAIN = { type: 'TCP', rise: 2, fall: 3, intervalMs: 5000 } as const

function trace(policy: StatePolicy, results: readonly StepOutcome[]): readonly string[] {
  return simulate(policy, results).map((step) => `${step?.status} ${step?.next_interval_ms}`)
}

for (const profile of ['elb', 'octavia'] as const) {
  test(`profile ${profile} is the preset of that name`, () => {
    const { type, rise, fall } = PLAIN
    const plain = { type, profile, rise, fall, delaySeconds: 5, timeoutSeconds: 3 }
    assert.deepEqual(presetPolicy(profile, PLAIN), statePolicy(plain))
  })
}

test('envoy: a wrong status is enough, a refused connection is not; OFFLINE sets the pace of the edge towards it', () => {
  const policy = presetPolicy('envoy', { ...PLAIN, trafficSeen: true }, { intervals: { offline_ms: 7000 } })
  assert.deepEqual(trace(policy, ['passed', 'status']), ['ONLINE 5000', 'OFFLINE 7000'])
  assert.deepEqual(trace(policy, ['passed', 'network', 'network', 'network', 'passed']), [
    'ONLINE 5000',
    'ONLINE 7000',
    'ONLINE 7000',
    'OFFLINE 7000',
    'OFFLINE 5000',
  ])
})

test('envoy and kuma: without traffic a minute passes between probes, whatever the interval is', () => {
  for (const preset of ['envoy', 'kuma'] as const) {
    assert.deepEqual(trace(presetPolicy(preset, PLAIN), ['passed', 'status']), [
      'ONLINE 60000',
      'OFFLINE 60000',
    ])
  }
})

test('haproxy: up until its first failure, then the thresholds, with fastinter and downinter where they are given', () => {
  const policy = presetPolicy('haproxy', PLAIN, {
    intervals: { online_pending_ms: 500, offline_ms: 10_000, offline_pending_ms: 500 },
  })
  assert.deepEqual(trace(policy, ['network', 'passed', 'passed', 'network']), [
    'OFFLINE 10000',
    'OFFLINE 500',
    'ONLINE 5000',
    'ONLINE 500',
  ])
})

test('keepalived: one success is enough whatever max_retries says, HTTP_GET wants two', () => {
  const results: StepOutcome[] = ['passed', 'network', 'network', 'network', 'passed', 'passed']
  assert.deepEqual(trace(presetPolicy('keepalived', PLAIN), results), [
    'ONLINE 5000',
    'ONLINE 1000',
    'ONLINE 1000',
    'OFFLINE 5000',
    'ONLINE 5000',
    'ONLINE 5000',
  ])
  assert.deepEqual(
    trace(presetPolicy('keepalived', { ...PLAIN, type: 'HTTP' }, { fall: 1 }), results.slice(3)),
    ['OFFLINE 5000', 'OFFLINE 5000', 'ONLINE 5000'],
  )
})

test('keepalived: HTTP_GET that is DOWN waits as long as between retries when that is longer', () => {
  const results: StepOutcome[] = ['passed', 'status', 'status', 'passed', 'passed']
  const fast = { type: 'HTTP', rise: 1, fall: 2, intervalMs: 1000 } as const
  const waits = (...policy: Parameters<typeof presetPolicy>) =>
    simulate(presetPolicy(...policy), results).map((step) => step?.next_interval_ms)
  assert.deepEqual(waits('keepalived', fast), [1000, 3000, 3000, 1000, 1000])
  assert.deepEqual(
    waits('keepalived', fast, { intervals: { online_pending_ms: 5000 } }),
    [1000, 5000, 5000, 1000, 1000],
  )
  assert.deepEqual(
    waits('keepalived', fast, { intervals: { offline_ms: 700 } }),
    [1000, 3000, 700, 1000, 1000],
  )
  assert.deepEqual(waits('keepalived', { ...fast, type: 'TCP' }), [1000, 1000, 1000, 1000, 1000])
  assert.deepEqual(waits('keepalived', { ...fast, intervalMs: 9000 }), [9000, 3000, 9000, 9000, 9000])
})

test('contrail: probes follow each other at once until the first verdict', () => {
  const results: StepOutcome[] = ['network', 'network', 'network', 'passed']
  assert.deepEqual(trace(presetPolicy('contrail', PLAIN), results), [
    'ONLINE 0',
    'ONLINE 0',
    'OFFLINE 5000',
    'ONLINE 5000',
  ])
})

test('consul: critical until one success, then the thresholds', () => {
  const policy = presetPolicy('consul', PLAIN)
  assert.equal(initialState(policy).status, 'OFFLINE')
  assert.deepEqual(trace(policy, ['passed', 'network', 'network', 'network', 'passed', 'passed']), [
    'ONLINE 5000',
    'ONLINE 5000',
    'ONLINE 5000',
    'OFFLINE 5000',
    'OFFLINE 5000',
    'ONLINE 5000',
  ])
})

test('what the options say wins over every preset', () => {
  for (const preset of PRESETS) {
    const policy = presetPolicy(preset, PLAIN, {
      rise: 4,
      fall: 5,
      interval_ms: 700,
      initial: { status: 'UNKNOWN', rise: 4, unknown_fall: 2 },
      intervals: {
        online_pending_ms: 1,
        offline_ms: 2,
        offline_pending_ms: 3,
        undecided_ms: 4,
        no_traffic_ms: 5,
        no_traffic_healthy_ms: 6,
      },
      hard_failures: ['payload'],
      recovery_extra: 2,
    })
    assert.deepEqual([policy.rise, policy.fall, policy.unknownFall, policy.recoveryExtra], [4, 5, 2, 2])
    assert.equal(policy.initialStatus, 'UNKNOWN')
    assert.equal(policy.firstRise, 4)
    assert.deepEqual(policy.hardFailures, ['payload'])
    assert.deepEqual(policy.intervals, {
      online: 700,
      onlinePending: 1,
      offline: 2,
      offlinePending: 3,
      undecided: 4,
      noTraffic: 5,
      noTrafficHealthy: 6,
    })
  }
})

test('an empty list of hard failures makes every failure of envoy soft', () => {
  const policy = presetPolicy('envoy', PLAIN, { hard_failures: [] })
  assert.deepEqual(
    simulate(policy, ['passed', 'status', 'status', 'status']).map((step) => step?.status),
    ['ONLINE', 'ONLINE', 'ONLINE', 'OFFLINE'],
  )
})

test('every preset starts with a state that has an interval', () => {
  for (const preset of PRESETS) {
    const policy = presetPolicy(preset, PLAIN)
    assert.ok(Number.isFinite(nextIntervalMs(policy, initialState(policy))))
    assert.ok(presetBehaviour(preset).expectedStatuses.length > 0)
  }
})
