import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PoolChecks } from '../../../../src/domain/prober/check.ts'
import { CONFIG_SLICE_MS } from '../../../../src/domain/limits.ts'
import { config, harness, START_MS } from '../../../support/scheduling.ts'

const SHARDS = [1, 2, 3, 4, 5]
const PER_POOL = 100
/** What every look at the clock takes here: so a slice has room for as many checks as it has looks. */
const LOOK_MS = 0.05
const PER_SLICE = CONFIG_SLICE_MS / LOOK_MS

function poolIn(shard: number): PoolChecks {
  const poolId = `pool ${shard}`
  const checks = Array.from({ length: PER_POOL }, (_, i) => {
    const base = config(`${shard} ${i}`, { poolId, shard })
    return { config: { ...base, target: { ...base.target, address: `10.0.${shard}.${i}` } } }
  })
  return { poolId, shard, configVersion: 1, checks }
}

/** Five shards that are being probed, on a clock that every look at it moves. */
function probing() {
  let nowMs = START_MS
  const made = harness({ now: () => (nowMs += LOOK_MS) })
  for (const shard of SHARDS) made.scheduler.applyPool(poolIn(shard))
  const letPass = (ms: number): void => {
    for (const endMs = nowMs + ms; nowMs < endMs; nowMs += 10) made.scheduler.tick()
  }
  letPass(2000)
  return { ...made, letPass }
}

test('a prober that loses many shards probes and concludes nothing of them from that moment on', () => {
  const { scheduler, attempts, verdicts, letPass } = probing()
  assert.equal(attempts.length, SHARDS.length * PER_POOL)
  scheduler.dropShards(new Set(SHARDS))
  assert.ok(scheduler.size > 0, 'they are released later')
  assert.deepEqual([...scheduler.checks()], [])
  assert.deepEqual(scheduler.checkpointOf(1).entries, [])
  for (const attempt of attempts) attempt.end('PASSED')
  letPass(60_000)
  assert.equal(attempts.length, SHARDS.length * PER_POOL)
  assert.deepEqual(verdicts, [])
  assert.deepEqual([scheduler.size, scheduler.inFlight, scheduler.queued], [0, 0, 0])
  assert.deepEqual({ ...scheduler.members }, { UNKNOWN: 0, ONLINE: 0, OFFLINE: 0 })
})

test('what many lost shards hold is released in slices, between which the event loop turns', () => {
  const { scheduler, attempts } = probing()
  let left = scheduler.size
  const assertSlice = (): void => {
    assert.ok(left - scheduler.size <= PER_SLICE + 1, `${left - scheduler.size} checks in one turn`)
    assert.ok(scheduler.size < left, 'some are released in every turn')
    left = scheduler.size
  }
  scheduler.dropShards(new Set(SHARDS))
  assertSlice()
  while (left > 0) {
    scheduler.tick()
    assertSlice()
  }
  assert.ok(attempts.every(({ cancelledBy }) => cancelledBy === 'shutdown'))
  assert.equal(scheduler.inFlight, 0)
})

test('a shard that comes back while its old checks are being released is probed like a new one', () => {
  const { scheduler, attempts, letPass } = probing()
  scheduler.dropShards(new Set(SHARDS))
  const before = attempts.length
  scheduler.applyPool(poolIn(1))
  assert.ok(scheduler.isRunning({ poolId: 'pool 1', memberId: '1 0' }))
  assert.ok(scheduler.size > PER_POOL, 'beside the old ones')
  letPass(2000)
  assert.equal(scheduler.size, PER_POOL)
  assert.equal([...scheduler.checks()].length, PER_POOL)
  assert.equal(attempts.length, before + PER_POOL)
})

test('a stop ends also the probes of shards whose release is under way', () => {
  const { scheduler, attempts } = probing()
  scheduler.dropShards(new Set(SHARDS))
  scheduler.stop()
  assert.ok(attempts.every(({ cancelledBy }) => cancelledBy === 'shutdown'))
  assert.equal(scheduler.inFlight, 0)
})
