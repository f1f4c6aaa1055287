import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import {
  purgeExcessTransitions,
  purgeOldTransitions,
  purgeOrphanedStates,
  withRetentionLock,
} from '../../src/store/retention.ts'
import { type Db, query } from '../../src/store/database.ts'
import { insertMembers, insertPool } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'

/** `count` transitions of one member, one an hour, the last `lastHoursAgo` ago. */
async function insertTransitions(db: Db, count: number, lastHoursAgo: number): Promise<string> {
  const memberId = randomUUID()
  await query(
    db,
    `insert into member_transition
       (member_id, pool_id, project_id, at, from_state, to_state, reason, generation, epoch, sequence)
     select ?, ?, 'p', now() - (?::float8 + ?::int - n) * interval '1 hour', 'ONLINE', 'OFFLINE', 'PASSED', 1, 1, n
     from generate_series(1, ?::int) n`,
    [memberId, randomUUID(), lastHoursAgo, count, count],
  )
  return memberId
}

async function sequences(db: Db, memberId: string): Promise<readonly number[]> {
  const rows = await query<{ sequence: number }>(
    db,
    'select sequence from member_transition where member_id = ? order by sequence',
    [memberId],
  )
  return rows.map((row) => row.sequence)
}

test('transitions older than their days go, in batches, oldest first', async (t) => {
  const { db } = await testDatabase(t)
  const memberId = await insertTransitions(db, 30, 30 * 24 - 9.5)
  assert.equal(await purgeOldTransitions(db, 30, 15), 15)
  assert.equal(await purgeOldTransitions(db, 30, 15), 5)
  assert.deepEqual((await sequences(db, memberId))[0], 21)
})

test('of one member only the newest transitions stay, whatever others have', async (t) => {
  const { db } = await testDatabase(t)
  const [many, few, long] = [
    await insertTransitions(db, 30, 0),
    await insertTransitions(db, 10, 0),
    await insertTransitions(db, 30, 100),
  ]
  const recentMs = 3_600_000
  assert.equal(await purgeExcessTransitions(db, { keep: 10, batch: 15, recentMs }), 15)
  assert.equal(await purgeExcessTransitions(db, { keep: 10, batch: 15, recentMs }), 5)
  assert.deepEqual(await sequences(db, many), [21, 22, 23, 24, 25, 26, 27, 28, 29, 30])
  assert.equal((await sequences(db, few)).length, 10)
  assert.equal((await sequences(db, long)).length, 30, 'looked at by the thorough pass only')
  assert.equal(await purgeExcessTransitions(db, { keep: 10, batch: 100 }), 20)
})

test('states of members that are gone go, and only those', async (t) => {
  const { db } = await testDatabase(t)
  const { poolId } = await insertPool(db)
  const [kept] = await insertMembers(db, poolId, [{ address: '127.0.0.1', port: 1 }])
  for (const id of [kept, randomUUID()]) {
    await query(
      db,
      `insert into member_state
         (member_id, generation, status, since, reason, ok_run, bad_run, shard, epoch, sequence)
       values (?, 1, 'ONLINE', now(), 'PASSED', 0, 0, 0, 1, 1)`,
      [id],
    )
  }
  assert.equal(await purgeOrphanedStates(db, 10), 1)
  assert.deepEqual(await query(db, 'select member_id from member_state'), [{ member_id: kept }])
})

test('only one process purges at a time', async (t) => {
  const { db } = await testDatabase(t)
  const seen = await withRetentionLock(db, async () => withRetentionLock(db, () => Promise.resolve('second')))
  assert.equal(seen, undefined)
  assert.equal(await withRetentionLock(db, () => Promise.resolve('later')), 'later')
})
