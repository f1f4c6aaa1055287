/** What the statement that writes verdicts lets in, when batches come twice, late, mixed, or from two owners. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import type { Transition, VerdictWrite } from '../../src/domain/prober/check.ts'
import { type Db, query, transaction } from '../../src/store/connection/database.ts'
import { claimShards, releaseShards } from '../../src/store/probing/shards.ts'
import { writeVerdicts } from '../../src/store/probing/verdicts.ts'
import { insertMembers, insertPool } from '../support/configuration.ts'
import { type Ending, testDatabase } from '../support/database.ts'

/** Milliseconds after which a wait for a lock is an error. */
const LOCK_WITHIN_MS = 1000

/** A pool with two members; `owner` has every shard at epoch 1. */
async function owned(t: Ending) {
  const { db } = await testDatabase(t)
  const { poolId, shard } = await insertPool(db)
  const [a = '', b = ''] = await insertMembers(db, poolId, [
    { address: '127.0.0.1', port: 1001 },
    { address: '127.0.0.1', port: 1002 },
  ])
  const owner = randomUUID()
  await claimShards(db, { owner, count: 256, foreignToo: false })
  /** The shard changes hands; the epoch is then one higher. */
  const handOver = async (to: string): Promise<void> => {
    await releaseShards(db, owner, [shard])
    await claimShards(db, { owner: to, count: 1, foreignToo: false })
  }
  return { db, shard, a, b, owner, handOver }
}

interface Told {
  readonly sequence: number
  readonly epoch?: number
  readonly status?: 'ONLINE' | 'OFFLINE'
  readonly recent?: Uint8Array
  /** Of the transitions; its own when absent. */
  readonly sequences?: readonly number[]
}

function verdict(memberId: string, shard: number, told: Told): VerdictWrite {
  const { sequence, epoch = 1, status = 'ONLINE', sequences = [sequence], recent } = told
  const transition = (of: number): Transition => ({
    at: 1_700_000_000_000 + of,
    from: status === 'ONLINE' ? 'OFFLINE' : 'ONLINE',
    to: status,
    reason: 'PASSED',
    detail: '',
    evidence: {},
    generation: 1,
    dropped: 0,
    sequence: of,
  })
  return {
    memberId,
    projectId: 'project',
    shard,
    sequence,
    epoch,
    generation: 1,
    status,
    since: 1_700_000_000_000 + sequence,
    reason: 'PASSED',
    detail: '',
    evidence: {},
    okRun: 1,
    badRun: 0,
    transitions: sequences.map(transition),
    ...(recent === undefined ? {} : { recent }),
  }
}

/** The row of each member: epoch, sequence, status. */
async function standing(db: Db): Promise<ReadonlyMap<string, string>> {
  const rows = await query<{ member_id: string; standing: string }>(
    db,
    "select member_id, epoch || ' ' || sequence || ' ' || status as standing from member_state",
  )
  return new Map(rows.map((row) => [row.member_id, row.standing]))
}

/** Epoch and sequence of every transition, in the order in which they were told. */
async function told(db: Db): Promise<readonly string[]> {
  const rows = await query<{ told: string }>(
    db,
    "select epoch || ' ' || sequence as told from member_transition order by id",
  )
  return rows.map((row) => row.told)
}

async function poolInAnotherShard(db: Db, shard: number): ReturnType<typeof insertPool> {
  for (;;) {
    const pool = await insertPool(db)
    if (pool.shard !== shard) return pool
  }
}

for (const order of ['older first', 'newer first']) {
  test(`two epochs in one batch, ${order}: what is of the present one is written, the other kept out`, async (t) => {
    const { db, shard, a, b, owner, handOver } = await owned(t)
    await handOver(owner)
    const batch = [
      verdict(a, shard, { sequence: 8, epoch: 1, status: 'OFFLINE' }),
      verdict(b, shard, { sequence: 9, epoch: 2 }),
    ]
    const rows = order === 'older first' ? batch : batch.toReversed()
    assert.deepEqual((await writeVerdicts(db, owner, rows)).held, new Set([shard]))
    assert.deepEqual(await standing(db), new Map([[b, '2 9 ONLINE']]))
    assert.deepEqual(await told(db), ['2 9'])
  })
}

test('a new owner counts from one and wins by its epoch; what the old one sends later changes nothing', async (t) => {
  const { db, shard, a, owner, handOver } = await owned(t)
  await writeVerdicts(db, owner, [verdict(a, shard, { sequence: 5000, status: 'OFFLINE' })])
  const successor = randomUUID()
  await handOver(successor)
  const { held } = await writeVerdicts(db, successor, [verdict(a, shard, { sequence: 1, epoch: 2 })])
  assert.deepEqual(held, new Set([shard]))
  assert.deepEqual(await standing(db), new Map([[a, '2 1 ONLINE']]))
  await writeVerdicts(db, owner, [verdict(a, shard, { sequence: 5001, status: 'OFFLINE' })])
  assert.deepEqual(await standing(db), new Map([[a, '2 1 ONLINE']]))
  assert.deepEqual(await told(db), ['1 5000', '2 1'])
})

test('the same owner at a newer epoch does not write under the old one', async (t) => {
  const { db, shard, a, owner, handOver } = await owned(t)
  await handOver(owner)
  assert.deepEqual((await writeVerdicts(db, owner, [verdict(a, shard, { sequence: 1 })])).held, new Set())
  assert.deepEqual(
    (await writeVerdicts(db, owner, [verdict(a, shard, { sequence: 1, epoch: 3 })])).held,
    new Set(),
  )
  assert.deepEqual([(await standing(db)).size, await told(db)], [0, []])
})

test('of one shard that is ours and one that is not, only what is ours is written', async (t) => {
  const { db, shard, a, owner } = await owned(t)
  const other = await poolInAnotherShard(db, shard)
  await query(db, 'update shard set owner = $1 where id = $2', [randomUUID(), other.shard])
  const [foreign = ''] = await insertMembers(db, other.poolId, [{ address: '127.0.0.1', port: 1 }])
  const rows = [verdict(a, shard, { sequence: 1 }), verdict(foreign, other.shard, { sequence: 2 })]
  assert.deepEqual((await writeVerdicts(db, owner, rows)).held, new Set([shard]))
  assert.deepEqual(await standing(db), new Map([[a, '1 1 ONLINE']]))
  assert.deepEqual(await told(db), ['1 1'])
})

test('a batch whose answer was lost and that is sent again, alone or with later verdicts, publishes nothing twice', async (t) => {
  const { db, shard, a, owner } = await owned(t)
  const first = verdict(a, shard, { sequence: 1, status: 'OFFLINE' })
  await writeVerdicts(db, owner, [first])
  const [before] = await query<{ written_at: Date }>(db, 'select written_at from member_state')
  await writeVerdicts(db, owner, [first])
  const [after] = await query<{ written_at: Date }>(db, 'select written_at from member_state')
  assert.deepEqual(after, before)
  // What is kept of a member is one entry: its newest state, the first and the last transition.
  await writeVerdicts(db, owner, [verdict(a, shard, { sequence: 2, sequences: [1, 2] })])
  assert.deepEqual(await told(db), ['1 1', '1 2'])
  assert.deepEqual(await standing(db), new Map([[a, '1 2 ONLINE']]))
})

test('recent results stay through a write without any, and yield to newer ones', async (t) => {
  const { db, shard, a, owner } = await owned(t)
  const recent = async () =>
    (await query<{ recent: Buffer | null }>(db, 'select recent from member_state'))[0]?.recent
  await writeVerdicts(db, owner, [verdict(a, shard, { sequence: 1, recent: new Uint8Array([1, 2]) })])
  await writeVerdicts(db, owner, [verdict(a, shard, { sequence: 2, sequences: [] })])
  assert.deepEqual(await recent(), Buffer.from([1, 2]))
  await writeVerdicts(db, owner, [verdict(a, shard, { sequence: 3, recent: new Uint8Array([3]) })])
  assert.deepEqual(await recent(), Buffer.from([3]))
})

test('a write waits for nobody who counts a pool: members of that pool are put off, whether their rows are new or changed', async (t) => {
  for (const known of ['neither', 'counted', 'free'] as const) {
    const { db, shard, a, owner } = await owned(t)
    const other = await insertPool(db)
    const [c = ''] = await insertMembers(db, other.poolId, [{ address: '127.0.0.1', port: 1 }])
    const counted = { member: a, shard }
    const free = { member: c, shard: other.shard }
    const old = known === 'neither' ? [] : [known === 'counted' ? counted : free]
    await writeVerdicts(
      db,
      owner,
      old.map((of, i) => verdict(of.member, of.shard, { sequence: i + 1 })),
    )
    const batch = [counted, free].map((of, i) =>
      verdict(of.member, of.shard, { sequence: i + 2, status: 'OFFLINE' }),
    )
    const write = (as: string) =>
      transaction(db, async (tx) => {
        await query(tx, `set local lock_timeout = ${LOCK_WITHIN_MS}`)
        return await writeVerdicts(tx, as, batch)
      })
    const held = new Set(batch.map((row) => row.shard))
    await transaction(db, async (counting) => {
      await query(counting, 'select from pool_roll_up where pool_id <> $1 for update', [other.poolId])
      assert.deepEqual(await write(randomUUID()), { held: new Set(), putOff: new Set() }, 'writes nothing')
      assert.deepEqual(await write(owner), { held, putOff: new Set([a]) })
    })
    assert.equal((await standing(db)).get(c), '1 3 OFFLINE')
    assert.notEqual((await standing(db)).get(a), '1 2 OFFLINE')
    assert.deepEqual(await write(owner), { held, putOff: new Set() })
    assert.deepEqual(
      await standing(db),
      new Map([
        [a, '1 2 OFFLINE'],
        [c, '1 3 OFFLINE'],
      ]),
    )
    assert.deepEqual((await told(db)).slice(-2).toSorted(), ['1 2', '1 3'], 'each told once')
  }
})
