/** What a change of the configuration does to checks that run. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CONFIG_COALESCE_MS } from '../../../../src/domain/limits.ts'
import { statePolicy } from '../../../../src/domain/options/profiles.ts'
import type { Reason } from '../../../../src/domain/result/reasons.ts'
import type { ProbeTarget } from '../../../../src/domain/target/probe-target.ts'
import type { Check } from '../../../../src/schedule/loop/check.ts'
import { config, DELAY_MS, harness, known, pool, STORED } from '../../../support/scheduling.ts'

/** Milliseconds that reading a changed pool may take. */
const READING_MS = 100

test('an unchanged configuration touches nothing', () => {
  const { scheduler, attempts, run, last } = harness()
  scheduler.applyPool(pool(config('a')))
  run(1000)
  for (let i = 0; i < 5; i++) scheduler.applyPool(pool(config('a')))
  assert.equal(last().cancelledBy, undefined)
  last().end('PASSED')
  run(DELAY_MS - 100)
  scheduler.applyPool(pool(config('a')))
  assert.equal(attempts.length, 1)
  run(200)
  assert.equal(attempts.length, 2)
})

test('another generation begins as never probed, and a probe that is under way counts for nothing', () => {
  const { scheduler, verdicts, run, last } = harness()
  scheduler.applyPool(pool(known(config('a'))))
  run(500)
  const moved = config('a', { generation: 2 })
  scheduler.applyPool(pool({ ...moved, target: { ...moved.target, address: '10.0.0.9' } }))
  assert.equal(verdicts.length, 0)
  run(1000)
  assert.equal(last().target.address, '10.0.0.9')
  last().end('CONNECT_REFUSED')
  assert.deepEqual(verdicts, [{ member: 'a', from: 'ONLINE', status: 'OFFLINE', run: 0 }])
})

test('the published status stays until the first verdict: the same status again is written and is no transition', () => {
  const { scheduler, verdicts, run, last } = harness()
  scheduler.applyPool(pool({ config: config('a'), verdict: STORED }))
  scheduler.applyPool(pool(config('a', { generation: 2 })))
  run(1000)
  last().end('PASSED')
  assert.deepEqual(verdicts, [{ member: 'a', from: undefined, status: 'ONLINE', run: 0 }])
  const [check] = [...scheduler.checks()]
  assert.equal(check?.verdict?.since, STORED.since)
  assert.equal(check?.verdict?.reason, 'PASSED')
})

test('a prober that loads an older verdict counts from nothing and knows what is published', () => {
  const { scheduler, verdicts, run, last } = harness()
  const stored = { ...STORED, status: 'OFFLINE', okRun: 1 } as const
  scheduler.applyPool(pool({ config: config('a', { generation: 2 }), verdict: stored }))
  const [check] = [...scheduler.checks()]
  assert.deepEqual([check?.verdict, check?.publishedStatus], [undefined, 'OFFLINE'])
  run(1000)
  last().end('PASSED')
  assert.deepEqual(verdicts, [{ member: 'a', from: 'OFFLINE', status: 'ONLINE', run: 0 }])
})

test('what was made or switched on since ends what was published: the first verdict comes from UNKNOWN', () => {
  const { scheduler, verdicts, run, last } = harness()
  scheduler.applyPool(pool({ config: config('a'), verdict: STORED }))
  scheduler.applyPool(pool(config('a', { generation: 2, publishedFrom: 2 })))
  run(1000)
  last().end('PASSED')
  assert.deepEqual(verdicts, [{ member: 'a', from: 'UNKNOWN', status: 'ONLINE', run: 0 }])
})

test('a check that starts ONLINE is ONLINE before any verdict: a success changes nothing, a failure leaves ONLINE', () => {
  const { scheduler, verdicts, run, last, attempts } = harness()
  const starts = {
    startsOnline: true as const,
    policy: { ...config('a').policy, initialStatus: 'ONLINE' as const },
  }
  scheduler.applyPool(pool(config('a', starts), config('b', { ...starts, fall: 1 })))
  run(1000)
  assert.equal(attempts.length, 2)
  for (const attempt of attempts) attempt.end(attempt === last() ? 'CONNECT_REFUSED' : 'PASSED')
  assert.deepEqual(
    verdicts.map(({ from, status }) => [from, status]),
    [
      [undefined, 'ONLINE'],
      ['ONLINE', 'OFFLINE'],
    ],
  )
})

test('other thresholds keep the status and clear the runs', () => {
  const { scheduler, verdicts, run, last } = harness()
  scheduler.applyPool(pool(known(config('a', { fall: 3 }))))
  for (let i = 0; i < 2; i++) {
    run(DELAY_MS + 500)
    last().end('CONNECT_REFUSED')
  }
  scheduler.applyPool(pool(config('a', { fall: 2 })))
  run(DELAY_MS + 500)
  last().end('CONNECT_REFUSED')
  assert.deepEqual(verdicts.at(-1), { member: 'a', from: undefined, status: 'ONLINE', run: 1 })
})

test('a shorter delay takes effect at once, a longer one from the end of the last probe', () => {
  const { scheduler, attempts, run, last } = harness()
  const every = (delaySeconds: number) =>
    config('a', {
      policy: statePolicy({ profile: 'elb', rise: 2, fall: 2, delaySeconds, timeoutSeconds: 3 }),
    })
  scheduler.applyPool(pool(every(50)))
  run(1000)
  last().end('PASSED')
  run(5000)
  scheduler.applyPool(pool(every(2)))
  run(1100)
  assert.equal(attempts.length, 2)
  last().end('PASSED')
  scheduler.applyPool(pool(every(10)))
  run(9900)
  assert.equal(attempts.length, 2)
  run(200)
  assert.equal(attempts.length, 3)
})

test('another request keeps the status, drops the probe under way and is sent within a second', () => {
  const { scheduler, attempts, verdicts, run, last } = harness()
  const asking = (path: string) => {
    const base = config('a')
    const http = {
      method: 'GET',
      path,
      version: '1.1' as const,
      host: 'x',
      expectedCodes: [{ from: 200, to: 200 }],
    }
    return { ...base, target: { ...base.target, type: 'HTTP' as const, http } }
  }
  scheduler.applyPool(pool(known(asking('/old'))))
  run(500)
  scheduler.applyPool(pool(asking('/new')))
  assert.equal(last().cancelledBy, 'shutdown')
  run(1000)
  assert.equal(attempts.length, 2)
  assert.equal(last().target.http?.path, '/new')
  last().end('PASSED')
  assert.equal(verdicts.length, 0)
})

test('another target is probed so soon that, with the coalesced notification, a change is seen within a second', () => {
  const { scheduler, attempts, run, last } = harness({ random: () => 0.999 })
  scheduler.applyPool(pool(config('a')))
  run(1000)
  last().end('PASSED')
  const moved = config('a', { generation: 2 })
  scheduler.applyPool(pool({ ...moved, target: { ...moved.target, address: '10.0.0.9' } }))
  run(1000 - CONFIG_COALESCE_MS - READING_MS)
  assert.equal(attempts.length, 2)
  assert.equal(last().target.address, '10.0.0.9')
})

test('what is kept for a target is released with it: for a changed or removed one, not for one that only looks new', () => {
  const gone: ProbeTarget[] = []
  const events = {
    onVerdict: () => undefined,
    onWorthCheckpoint: () => undefined,
    onStaleChange: () => undefined,
    onTargetGone: (target: ProbeTarget) => void gone.push(target),
  }
  const { scheduler, run, last } = harness({ events })
  const first = config('a')
  scheduler.applyPool(pool(first))
  scheduler.applyPool(pool(config('a', { generation: 2 })))
  run(2000)
  assert.equal(last().target, first.target, 'another object that says the same is not taken over')
  assert.deepEqual(gone, [])
  const other = config('a', { generation: 2, target: { ...first.target, port: 81 } })
  scheduler.applyPool(pool(other))
  assert.deepEqual(gone, [first.target])
  scheduler.removePool('pool')
  assert.deepEqual(gone, [first.target, other.target])
})

test('a check that fails for another reason is worth to be seen soon; one that goes on as it was is not', () => {
  const news: string[] = []
  const events = {
    onVerdict: () => undefined,
    onWorthCheckpoint: (check: Check) => void news.push(check.lastResult?.reason ?? ''),
    onStaleChange: () => undefined,
  }
  const { scheduler, run, last } = harness({ events })
  scheduler.applyPool(pool(config('a')))
  run(1000)
  const reasons = [
    'CONNECT_REFUSED',
    'CONNECT_REFUSED',
    'STATUS_MISMATCH',
    'PROBER_NO_SOCKET',
    'PASSED',
    'PASSED',
  ]
  for (const reason of reasons as Reason[]) {
    last().end(reason)
    run(DELAY_MS + 100)
  }
  assert.deepEqual(news, ['CONNECT_REFUSED', 'STATUS_MISMATCH', 'PROBER_NO_SOCKET'])
})
