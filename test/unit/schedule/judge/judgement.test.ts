import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Reason } from '../../../../src/domain/result/reasons.ts'
import { probeTarget, type TargetMonitor } from '../../../../src/domain/target/monitor-target.ts'
import type { Probe } from '../../../../src/probe/probe.ts'
import type { Check } from '../../../../src/schedule/loop/check.ts'
import type { SchedulerOptions } from '../../../../src/schedule/loop/scheduler.ts'
import type { StatePolicy } from '../../../../src/domain/status/state-machine.ts'
import { config, DELAY_MS, harness, known, pool } from '../../../support/scheduling.ts'

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

test('where a monitor lets local faults count as failures, results that say nothing about a member still do not count', () => {
  const policy = { inconclusive: 'fail' } as const
  for (const reason of [
    'PROBER_STOPPING',
    'PROBER_MASS_FAILURE',
    'DEPENDENCY_DOWN',
    'TARGET_DENIED',
  ] as const) {
    assert.equal(statusAfter(policy, ['PASSED', reason, reason, reason]), 'ONLINE', reason)
  }
  for (const reason of ['PROBER_NO_SOCKET', 'PROBER_OVERLOAD', 'PROBER_OFFLINE'] as const) {
    assert.equal(statusAfter(policy, ['PASSED', reason, reason, reason]), 'OFFLINE', reason)
    assert.equal(statusAfter({}, ['PASSED', reason, reason, reason]), 'ONLINE', reason)
  }
})

test('a prober that stops decides nothing, whatever the probes in flight give', () => {
  for (const inconclusive of ['keep', 'fail'] as const) {
    const refused = {
      outcome: 'failed',
      reason: 'CONNECT_REFUSED',
      detail: '',
      phases: { totalMs: 1 },
    } as const
    const probe: Probe = (_, done) => () => done(refused)
    const { scheduler, verdicts, run } = harness({
      probers: new Proxy({}, { get: () => probe }) as SchedulerOptions['probers'],
    })
    const base = config('a', { fall: 1 })
    const policy = { ...base.policy, inconclusive }
    scheduler.applyPool(pool(known({ ...base, policy })))
    run(1000)
    scheduler.stop()
    assert.deepEqual(verdicts, [])
  }
})

test('a verdict that a maintenance withholds goes with the question that it answered', () => {
  const port = (each: number) => ({ ...config('a').target, port: each })
  const now = [{ startMs: 0, endMs: Number.POSITIVE_INFINITY }]
  for (const policy of [{}, { haltWhenOffline: true }]) {
    const base = config('a', { fall: 1, maintenance: now })
    const asked = { ...base, policy: { ...base.policy, ...policy } }
    const { scheduler, verdicts, run, last } = harness()
    scheduler.applyPool(pool(known(asked)))
    run(1000)
    last().end('CONNECT_REFUSED')
    const [check] = scheduler.checks()
    assert.equal(check?.withheld?.status, 'OFFLINE')
    scheduler.applyPool(pool({ ...asked, target: port(81) }))
    assert.equal(check?.withheld, undefined)
    run(1000)
    last().end('PASSED')
    assert.equal(check?.withheld, undefined)
    assert.deepEqual(verdicts, [])
  }
})

test('a check whose verdict is withheld is reported, and no other check is', () => {
  const told: string[] = []
  const silent = {
    onVerdict: () => undefined,
    onWorthCheckpoint: () => undefined,
    onStaleChange: () => undefined,
  }
  const { scheduler, attempts, run } = harness({
    events: { ...silent, onWithheld: ({ config: { memberId } }) => void told.push(memberId) },
  })
  const now = [{ startMs: 0, endMs: Number.POSITIVE_INFINITY }]
  scheduler.applyPool(
    pool(known({ ...config('a', { fall: 1 }), maintenance: now }), known(config('b', { fall: 1 }))),
  )
  run(1000)
  for (const attempt of attempts.splice(0)) attempt.end('CONNECT_REFUSED')
  assert.deepEqual(told, ['a'])
})

test('the initial status of a policy is not published', () => {
  const up: Partial<StatePolicy> = { initialStatus: 'ONLINE', firstFall: 3 }
  assert.equal(statusAfter(up, ['CONNECT_REFUSED', 'CONNECT_REFUSED']), undefined)
  assert.equal(statusAfter(up, ['CONNECT_REFUSED', 'CONNECT_REFUSED', 'CONNECT_REFUSED']), 'OFFLINE')
  assert.equal(statusAfter(up, ['CONNECT_REFUSED', 'PASSED']), 'ONLINE')
})

test('a verdict says what its probe waited for, in the words of its type', () => {
  const expected = (monitor: Partial<TargetMonitor>): unknown => {
    const told: Check[] = []
    const events = {
      onWorthCheckpoint: () => undefined,
      onWithheld: () => undefined,
      onStaleChange: () => undefined,
    }
    const { scheduler, run, last } = harness({
      events: { ...events, onVerdict: (check) => void told.push(check) },
    })
    const target = probeTarget({ ...MONITOR, ...monitor }, MEMBER)
    scheduler.applyPool(pool({ ...config('a', { rise: 1 }), target }))
    run(1000)
    last().end('PASSED')
    return told.at(-1)?.verdict?.evidence['expected']
  }
  assert.equal(expected({ type: 'TCP' }), 'a connection')
  assert.equal(expected({ type: 'SCTP' }), 'a connection')
  assert.equal(expected({ type: 'TLS-HELLO' }), 'a TLS handshake')
  assert.equal(expected({ type: 'PING' }), 'an echo reply')
  assert.equal(expected({ type: 'UDP-CONNECT' }), 'no ICMP unreachable')
  assert.equal(expected({ type: 'UDP-CONNECT', options: { udp: { require_reply: true } } }), 'a reply')
  assert.equal(expected({ type: 'HTTP', expectedCodes: '200-204' }), 'status 200-204')
  const searched = { http: { expected_body: ['6f6b'] } }
  assert.equal(
    expected({ type: 'HTTP', options: searched }),
    'status 200 with the expected bytes in the body',
  )
  assert.equal(expected({ type: 'HTTP', options: { grpc: {} } }), 'SERVING')
  assert.equal(expected({ type: 'TCP', options: { tcp: { receive: ['6f6b'] } } }), 'the expected bytes')
})

const MONITOR: TargetMonitor = {
  type: 'TCP',
  profile: 'elb',
  timeoutSeconds: 3,
  monitorPort: null,
  domainName: null,
  urlPath: '/',
  httpMethod: 'GET',
  httpVersion: null,
  expectedCodes: '200',
}
const MEMBER = { address: '10.0.0.1', protocolPort: 80, monitorAddress: null, monitorPort: null }
