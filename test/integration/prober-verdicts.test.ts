import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import type { Transition } from '../../src/domain/prober/check.ts'
import { type Db, openDatabase, query } from '../../src/store/connection/database.ts'
import { claimShards } from '../../src/store/probing/shards.ts'
import { writeVerdicts } from '../../src/store/probing/verdicts.ts'
import { eventually, insertMembers, insertPool } from '../support/configuration.ts'
import { type Ending, openTransaction, testDatabase } from '../support/database.ts'
import { aVerdict as verdict } from '../support/verdicts.ts'

/** A pool with members, whose shard `owner` has at epoch 1 (all 256 shards, in fact). */
async function owned(t: Ending) {
  const database = await testDatabase(t)
  const { poolId, shard } = await insertPool(database.db)
  const members = await insertMembers(database.db, poolId, [
    { address: '127.0.0.1', port: 1001 },
    { address: '127.0.0.1', port: 1002 },
  ])
  const owner = randomUUID()
  await claimShards(database.db, { owner, count: 256, foreignToo: false })
  return { ...database, poolId, shard, members, owner }
}

/** Both tables as text: what must not change when nothing may be written. */
async function contents(db: Db): Promise<unknown> {
  return [
    await query(db, 'select * from member_state order by member_id'),
    await query(db, 'select * from member_transition order by id'),
  ]
}

test('a write of the owner at its epoch arrives, with its transition, and a replay changes nothing', async (t) => {
  const { db, members, shard, owner, poolId } = await owned(t)
  const rows = members.map((id, i) => verdict(id, shard, i + 1))
  assert.deepEqual((await writeVerdicts(db, owner, rows)).held, new Set([shard]))
  const first = await contents(db)
  const told = await query<{ pool_id: string; detail: string }>(db, 'select * from member_transition')
  assert.equal(told.length, 2)
  assert.equal(told[0]?.pool_id, poolId)
  assert.equal(told[0]?.detail, 'quote " brace { backslash \\ comma ,')
  assert.deepEqual((await writeVerdicts(db, owner, rows)).held, new Set([shard]))
  assert.deepEqual(await contents(db), first)
})

test('a verdict that is older than the stored one is not written, also when it comes later', async (t) => {
  const { db, members, shard, owner } = await owned(t)
  const [id = ''] = members
  await writeVerdicts(db, owner, [verdict(id, shard, 7, { status: 'OFFLINE' })])
  const newest = await contents(db)
  await writeVerdicts(db, owner, [verdict(id, shard, 3)])
  assert.deepEqual(await contents(db), newest)
})

test('a write at an old epoch, of another owner, or of a member that is gone is kept out', async (t) => {
  const { db, members, shard, owner } = await owned(t)
  const [id = ''] = members
  const empty = await contents(db)
  assert.deepEqual((await writeVerdicts(db, owner, [verdict(id, shard, 1, { epoch: 0 })])).held, new Set())
  assert.deepEqual((await writeVerdicts(db, randomUUID(), [verdict(id, shard, 1)])).held, new Set())
  assert.deepEqual((await writeVerdicts(db, owner, [verdict(randomUUID(), shard, 1)])).held, new Set([shard]))
  assert.deepEqual(await contents(db), empty)
})

test('several transitions of one member are each written once, in order, with the number of dropped ones between', async (t) => {
  const { db, members, shard, owner } = await owned(t)
  const [id = ''] = members
  const first = verdict(id, shard, 1).transitions[0]!
  const last: Transition = { ...first, from: 'ONLINE', to: 'OFFLINE', sequence: 9, dropped: 3 }
  await writeVerdicts(db, owner, [verdict(id, shard, 9, { status: 'OFFLINE', transitions: [first, last] })])
  const told = await query(db, 'select from_state, to_state, dropped from member_transition order by id')
  assert.deepEqual(told, [
    { from_state: 'UNKNOWN', to_state: 'ONLINE', dropped: 0 },
    { from_state: 'ONLINE', to_state: 'OFFLINE', dropped: 3 },
  ])
})

test('a flush that meets a takeover waits for it and then writes nothing of that shard', async (t) => {
  const { db, url, members, shard, owner } = await owned(t)
  const [id = ''] = members
  const other = openDatabase({ url, applicationName: 'taker', maxConnections: 1 })
  try {
    const taker = await openTransaction(other)
    await query(taker.tx, 'update shard set owner = $1, epoch = epoch + 1 where id = $2', [
      randomUUID(),
      shard,
    ])
    const flush = writeVerdicts(db, owner, [verdict(id, shard, 1)])
    await eventually('the flush waits for the lock', async () => {
      const waiting = await query(
        db,
        `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
      )
      return waiting.length === 1
    })
    await taker.commit()
    assert.deepEqual((await flush).held, new Set())
    assert.deepEqual(await contents(db), [[], []])
  } finally {
    await other.destroy()
  }
})

test('a takeover waits for a flush, and the next owner then sees what it wrote', async (t) => {
  const { db, url, members, shard, owner } = await owned(t)
  const [id = ''] = members
  const other = openDatabase({ url, applicationName: 'flusher', maxConnections: 1 })
  try {
    const flusher = await openTransaction(other)
    await writeVerdicts(flusher.tx, owner, [verdict(id, shard, 1)])
    // A claim skips what is locked, so that it neither waits nor steals.
    const claimed = await claimShards(db, { owner: randomUUID(), count: 256, foreignToo: true })
    assert.ok(!claimed.some((each) => each.id === shard))
    assert.equal(claimed.length, 255)
    await flusher.commit()
    // The pool is in the row of the state, for the roll-up.
    const states = await query(
      db,
      'select s.pool_id from member_state s join member m on m.id = s.member_id and m.pool_id = s.pool_id',
    )
    assert.equal(states.length, 1)
  } finally {
    await other.destroy()
  }
})
