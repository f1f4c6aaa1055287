import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCheckpointEntries } from '../../src/store/probing/checkpoints.ts'
import { eventually, insertMembers, insertPool, statuses } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import { testProber } from '../support/prober.ts'
import { startTargets } from '../support/targets.ts'

const DELAY_MS = 5000
/** Milliseconds by which a probe may leave its place on a busy host. */
const LATE_MS = 1000

test('after a restart every check goes on at its own place in its interval, and its last probe stays known', async (t) => {
  const database = await testDatabase(t)
  const { db } = database
  const targets = await startTargets(t, 10)
  const { poolId, shard } = await insertPool(db, { delaySeconds: DELAY_MS / 1000, timeoutSeconds: 1 })
  const ids = await insertMembers(db, poolId, targets)
  const first = testProber(database)
  await eventually('every member is ONLINE', async () =>
    [...(await statuses(db)).values()].every(({ state }) => state === 'ONLINE'),
  )
  await first.close()
  const left = new Map(
    (await readCheckpointEntries(db, [shard], ids)).map((entry) => [entry.memberId, entry]),
  )
  assert.equal(left.size, ids.length)
  for (const entry of left.values()) {
    assert.deepEqual([entry.outcome, entry.reason, entry.generation > 0], ['passed', 'PASSED', true])
    assert.ok(entry.phases.totalMs > 0 && entry.nextAt > entry.probedAt)
  }
  assert.deepEqual(await readCheckpointEntries(db, [(shard + 1) % 256], ids), [], 'of these shards only')
  assert.deepEqual((await readCheckpointEntries(db, [shard], ids.slice(0, 2))).length, 2)

  const startedMs = performance.now()
  const toWall = Date.now() - startedMs
  testProber(database)
  const probedAt = (i: number) => targets[i]?.probedAt.find((at) => at > startedMs)
  await eventually('every member is probed again', () => ids.every((_, i) => probedAt(i) !== undefined))
  for (const [i, id] of ids.entries()) {
    const wall = (probedAt(i) ?? Number.NaN) + toWall
    const late = (((wall - (left.get(id)?.nextAt ?? Number.NaN)) % DELAY_MS) + DELAY_MS) % DELAY_MS
    assert.ok(late <= LATE_MS || late >= DELAY_MS - 50, `member ${i} was ${late} ms off its place`)
  }
})
