import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Check } from '../../../src/schedule/check.ts'
import { StaleLog } from '../../../src/schedule/stale-log.ts'
import { keepingLog } from '../../support/prober.ts'

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
