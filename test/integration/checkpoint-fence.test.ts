import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import type { CheckpointEntry, ShardCheckpoint } from '../../src/domain/prober/check.ts'
import { readCheckpointEntries, writeCheckpoints } from '../../src/store/probing/checkpoints.ts'
import { openDatabase, query } from '../../src/store/connection/database.ts'
import { claimShards, releaseShards } from '../../src/store/probing/shards.ts'
import { eventually } from '../support/configuration.ts'
import { type Ending, openTransaction, testDatabase } from '../support/database.ts'

/** `owner` has the first four shards, at epoch 1. */
async function owned(t: Ending) {
  const database = await testDatabase(t)
  const { db } = database
  const owner = randomUUID()
  await claimShards(db, { owner, count: 4, foreignToo: false })
  const rows = () =>
    query<{ shard: number; epoch: number; totals: number[] }>(
      db,
      'select shard::int, epoch::int, total_us as totals from shard_checkpoint order by shard',
    )
  return { ...database, owner, rows }
}

const ENTRY: CheckpointEntry = {
  memberId: randomUUID(),
  generation: 1,
  probedAt: 1_700_000_000_000,
  nextAt: 1_700_000_005_000,
  outcome: 'passed',
  reason: 'PASSED',
  phases: { totalMs: 1 },
  okRun: 1,
  badRun: 0,
  stale: false,
  flags: 0,
}

/** A checkpoint of one check, told apart by its latency. */
function checkpoint(id: number, epoch: number, totalMs = 1): ShardCheckpoint {
  const entries = [{ ...ENTRY, phases: { totalMs } }]
  return { id, epoch, asOf: Date.now(), entries, recent: new Uint8Array() }
}

test('the owner at its epoch writes, and writes over what it wrote', async (t) => {
  const { db, owner, rows } = await owned(t)
  await writeCheckpoints(db, owner, [checkpoint(1, 1), checkpoint(0, 1)])
  await writeCheckpoints(db, owner, [checkpoint(1, 1, 2)])
  assert.deepEqual(await rows(), [
    { shard: 0, epoch: 1, totals: [1000] },
    { shard: 1, epoch: 1, totals: [2000] },
  ])
})

test('what is written of a check is read as it was, with every phase that its probe had and no other', async (t) => {
  const { db, owner } = await owned(t)
  const phases = { totalMs: 5.5, echoMs: 1.125, connectMs: 2, tlsMs: 3.25, firstByteMs: 4 }
  const some = Object.entries(phases).map(([name, ms]): CheckpointEntry => {
    const own = { totalMs: phases.totalMs, [name]: ms }
    return { ...ENTRY, memberId: randomUUID(), generation: 7, phases: own }
  })
  const failed = {
    ...ENTRY,
    memberId: randomUUID(),
    outcome: 'failed',
    reason: 'CONNECT_TIMEOUT',
    okRun: 0,
    badRun: 3,
    stale: true,
    flags: 5,
  } as const
  const entries = [...some, { ...ENTRY, memberId: randomUUID(), phases }, failed]
  const unasked = { ...ENTRY, memberId: randomUUID() }
  const kept = { id: 0, epoch: 1, asOf: Date.now(), entries: [...entries, unasked], recent: new Uint8Array() }
  await writeCheckpoints(db, owner, [kept, checkpoint(1, 1)])
  const ids = entries.map(({ memberId }) => memberId)
  const byId = (a: CheckpointEntry, b: CheckpointEntry) => (a.memberId < b.memberId ? -1 : 1)
  const read = await readCheckpointEntries(db, [0], [...ids, randomUUID()])
  assert.deepEqual(read.toSorted(byId), entries.toSorted(byId))
  assert.deepEqual(await readCheckpointEntries(db, [1], ids), [], 'of these shards only')
})

test('a probe that took longer than the column holds is kept as the most that it holds', async (t) => {
  const { db, owner } = await owned(t)
  await writeCheckpoints(db, owner, [checkpoint(0, 1, 3_600_000)])
  const [entry] = await readCheckpointEntries(db, [0], [ENTRY.memberId])
  assert.equal(entry?.phases.totalMs, 2_147_483.647)
})

test('no write at another epoch, or of a shard of another prober or without owner, succeeds, and the others do', async (t) => {
  const { db, owner, rows } = await owned(t)
  await claimShards(db, { owner: randomUUID(), count: 1, foreignToo: false })
  const wanted = [checkpoint(0, 1), checkpoint(1, 0), checkpoint(2, 2), checkpoint(4, 1), checkpoint(9, 0)]
  await writeCheckpoints(db, owner, wanted)
  assert.deepEqual(
    (await rows()).map(({ shard }) => shard),
    [0],
  )
})

test('who owned a shard before does not write over what its successor wrote, and the successor does', async (t) => {
  const { db, owner, rows } = await owned(t)
  await writeCheckpoints(db, owner, [checkpoint(0, 1)])
  await releaseShards(db, owner, [0])
  const successor = randomUUID()
  await claimShards(db, { owner: successor, count: 1, foreignToo: false })
  await writeCheckpoints(db, successor, [checkpoint(0, 2, 2)])
  await writeCheckpoints(db, owner, [checkpoint(0, 1, 3)])
  await writeCheckpoints(db, owner, [checkpoint(0, 2, 4)])
  assert.deepEqual(await rows(), [{ shard: 0, epoch: 2, totals: [2000] }])
})

test('a checkpoint that meets a takeover waits for it and then writes nothing of that shard', async (t) => {
  const { db, url, owner, rows } = await owned(t)
  const other = openDatabase({ url, applicationName: 'taker', maxConnections: 1 })
  try {
    const taker = await openTransaction(other)
    await query(taker.tx, 'update shard set owner = $1, epoch = epoch + 1 where id = 0', [randomUUID()])
    const writing = writeCheckpoints(db, owner, [checkpoint(0, 1), checkpoint(1, 1)])
    await eventually('the checkpoint waits for the lock', async () => {
      const waiting = await query(
        db,
        `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
      )
      return waiting.length === 1
    })
    await taker.commit()
    await writing
    assert.deepEqual(
      (await rows()).map(({ shard }) => shard),
      [1],
    )
  } finally {
    await other.destroy()
  }
})

test('a takeover does not overtake a checkpoint that is being written', async (t) => {
  const { db, url, owner } = await owned(t)
  const other = openDatabase({ url, applicationName: 'writer', maxConnections: 1 })
  try {
    const writer = await openTransaction(other)
    await writeCheckpoints(writer.tx, owner, [checkpoint(0, 1)])
    // A claim skips what is locked.
    const claimed = await claimShards(db, { owner: randomUUID(), count: 4, foreignToo: true })
    assert.ok(!claimed.some(({ id }) => id === 0))
    await writer.commit()
  } finally {
    await other.destroy()
  }
})
