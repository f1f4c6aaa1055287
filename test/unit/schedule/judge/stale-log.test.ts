import assert from 'node:assert/strict'
import { test } from 'node:test'
import { STALE_LOG_EVERY_MS } from '../../../../src/domain/limits.ts'
import type { Check } from '../../../../src/schedule/loop/check.ts'
import { StaleLog } from '../../../../src/schedule/judge/stale-log.ts'
import { keepingLog } from '../../../support/prober.ts'

test('the log says of stale checks how many they are, and of one of them why', () => {
  const log = keepingLog()
  const stale = new StaleLog(log)
  const check = {
    isStale: true,
    config: { memberId: 'm-2' },
    lastResult: { reason: 'PROBER_UNSUPPORTED', detail: 'TLS file key.pem: ENOENT' },
  }
  for (let i = 0; i < 2; i++) stale.note(check as unknown as Check)
  stale.flush()
  assert.deepEqual(
    log.lines.map(({ facts }) => facts),
    [{ checks: 2, member_id: 'm-2', reason: 'PROBER_UNSUPPORTED', detail: 'TLS file key.pem: ENOENT' }],
  )
})

test('each second in which checks become stale or recover has its lines, and a quiet one has none', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const log = keepingLog()
  const stale = new StaleLog(log)
  const note = (isStale: boolean) => stale.note({ isStale, config: { memberId: 'm' } } as unknown as Check)
  for (let second = 0; second < 3; second++) {
    note(true)
    note(false)
    note(false)
    t.mock.timers.tick(STALE_LOG_EVERY_MS - 1)
    assert.equal(log.lines.length, 2 * second)
    t.mock.timers.tick(1)
  }
  t.mock.timers.tick(10 * STALE_LOG_EVERY_MS)
  const told = log.lines.map(({ level, facts }) => `${level} ${String(facts['checks'])}`)
  assert.deepEqual(told, ['warn 1', 'info 2', 'warn 1', 'info 2', 'warn 1', 'info 2'])
})
