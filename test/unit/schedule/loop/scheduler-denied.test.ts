/** What the target policy forbids is never probed, from the first probe on and after every change. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CheckConfig } from '../../../../src/domain/prober/check.ts'
import { config, DELAY_MS, harness, pool, STORED } from '../../../support/scheduling.ts'

const DENIED = '10.0.0.66'
/** By then a first probe is under way, and no deadline is over. */
const FIRST_MS = 1000

/** A scheduler whose policy forbids one address on every port, and port 9 of every address. */
function withPolicy() {
  return harness({
    denies: (address, port) => (address === DENIED || port === 9 ? 'it is forbidden' : undefined),
  })
}

function at(address: string, port = 80, more: Partial<CheckConfig> = {}): CheckConfig {
  const base = config('a', more)
  return { ...base, target: { ...base.target, address, port } }
}

test('a check of a forbidden address or port sends nothing, and no verdict comes of it', () => {
  for (const denied of [at(DENIED), at('10.0.0.1', 9)]) {
    const { scheduler, attempts, verdicts, run } = withPolicy()
    scheduler.applyPool(pool(denied))
    run(5 * DELAY_MS)
    assert.equal(attempts.length, 0)
    assert.deepEqual(verdicts, [])
    const [check] = [...scheduler.checks()]
    assert.equal(check?.lastResult?.reason, 'TARGET_DENIED')
  }
})

test('a check that moves to a forbidden address is not probed there, nor anywhere, of whatever generation it is', () => {
  for (const generation of [1, 2]) {
    const { scheduler, attempts, verdicts, run, last } = withPolicy()
    scheduler.applyPool(pool({ config: at('10.0.0.1'), verdict: STORED }))
    // A check that is known goes on within its interval.
    run(DELAY_MS)
    last().end('PASSED')
    const probes = attempts.length
    scheduler.applyPool(pool(at(DENIED, 80, { generation })))
    run(5 * DELAY_MS)
    assert.equal(attempts.length, probes, `generation ${generation}`)
    assert.deepEqual(verdicts, [])
    assert.equal([...scheduler.checks()][0]?.lastResult?.reason, 'TARGET_DENIED')
  }
})

test('a check that moves to a forbidden port is not probed there', () => {
  const { scheduler, attempts, run, last } = withPolicy()
  scheduler.applyPool(pool(at('10.0.0.1')))
  run(FIRST_MS)
  last().end('PASSED')
  const probes = attempts.length
  scheduler.applyPool(pool(at('10.0.0.1', 9)))
  run(5 * DELAY_MS)
  assert.equal(attempts.length, probes)
})

test('a probe that is under way when its check moves to a forbidden address is ended, and none follows', () => {
  const { scheduler, attempts, run, last } = withPolicy()
  scheduler.applyPool(pool(at('10.0.0.1')))
  run(FIRST_MS)
  assert.equal(attempts.length, 1)
  scheduler.applyPool(pool(at(DENIED)))
  assert.equal(last().cancelledBy, 'shutdown')
  run(5 * DELAY_MS)
  assert.equal(attempts.length, 1)
})

test('a check that comes away from a forbidden address is probed at its new one', () => {
  const { scheduler, attempts, run, last } = withPolicy()
  scheduler.applyPool(pool(at(DENIED)))
  run(2 * DELAY_MS)
  scheduler.applyPool(pool(at('10.0.0.2', 80, { generation: 2 })))
  run(FIRST_MS)
  assert.ok(attempts.length > 0)
  assert.equal(last().target.address, '10.0.0.2')
})
