/** Events of members whose status is too old to trust: one by one from checkpoints, by pool where nobody owns the shard. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { CheckpointEntry } from '../../src/domain/prober/check.ts'
import { UNOWNED_GRACE_MS } from '../../src/domain/limits.ts'
import { REASONS, type Reason } from '../../src/domain/result/reasons.ts'
import { type Db, query } from '../../src/store/connection/database.ts'
import { observeClock, readEvents } from '../../src/store/event/events.ts'
import { writeCheckpoints } from '../../src/store/probing/checkpoints.ts'
import { claimShards, releaseShards } from '../../src/store/probing/shards.ts'
import { eventually, insertMembers, insertPool, PROJECT } from '../support/configuration.ts'
import { type Ending, openTransaction, testDatabase } from '../support/database.ts'
import { testProber } from '../support/prober.ts'
import { sequenceAllEvents } from '../support/sequence.ts'
import { startTargets } from '../support/targets.ts'

/** `STALE TARGET_DENIED member-id`, or the number of the members instead of one. */
async function told(db: Db): Promise<readonly string[]> {
  await observeClock(db)
  await sequenceAllEvents(db)
  const types = new Set(['member.stale'])
  const events = await readEvents(db, { after: 0, upTo: 1e6, limit: 10_000, filter: { types } })
  return events.map(
    ({ to, data, member }) => `${to} ${String(data['reason'])} ${member?.id ?? String(data['members'])}`,
  )
}

/** A pool of so many members, and the checkpoints that the owner of its shard writes. */
async function pool(t: Ending, count: number) {
  const { db } = await testDatabase(t)
  const ids = await insertPool(db)
  const memberIds = await insertMembers(
    db,
    ids.poolId,
    Array.from({ length: count }, (_, n) => ({ address: '10.0.0.1', port: n + 1 })),
  )
  const owner = randomUUID()
  await query(
    db,
    `insert into prober (id, host, pid, lease_until) values ($1, 'h', 1, now() + interval '1 hour')`,
    [owner],
  )
  await claimShards(db, { owner, count: 256, foreignToo: false })
  const checkpoint = async (entries: readonly CheckpointEntry[]) =>
    await writeCheckpoints(db, owner, [
      { id: ids.shard, epoch: 1, asOf: Date.now(), entries, recent: new Uint8Array() },
    ])
  return { db, owner, ...ids, memberIds, checkpoint }
}

/** Fails when `work` has not ended after five seconds. */
async function inTime(work: Promise<unknown>): Promise<void> {
  const ending = new AbortController()
  const late = wait(5000, undefined, { signal: ending.signal }).then(() => assert.fail('it waits'))
  await Promise.race([work, late]).finally(() => ending.abort())
  await late.catch(() => undefined)
}

function entry(memberId: string, reason: Reason, stale: boolean): CheckpointEntry {
  return {
    memberId,
    generation: 1,
    probedAt: 0,
    nextAt: 0,
    outcome: REASONS[reason].outcome,
    reason,
    phases: { totalMs: 1 },
    okRun: 0,
    badRun: 0,
    stale,
    flags: 0,
  }
}

test('a check that becomes stale has one event with the reason, and another one when a result is sure', async (t) => {
  const { db, memberIds, checkpoint } = await pool(t, 3)
  const [one = '', two = '', sure = ''] = memberIds
  const fine = entry(sure, 'PASSED', false)
  await checkpoint([entry(one, 'PROBER_NO_SOCKET', false), entry(two, 'PASSED', false), fine])
  assert.deepEqual(await told(db), [])
  const stale = [`STALE PROBER_NO_SOCKET ${one}`, `STALE TARGET_DENIED ${two}`]
  for (let i = 0; i < 3; i++)
    await checkpoint([entry(one, 'PROBER_NO_SOCKET', true), entry(two, 'TARGET_DENIED', true), fine])
  assert.deepEqual((await told(db)).toSorted(), stale.toSorted())
  // Another prober has taken over: it counts anew, and that is no sure result.
  await checkpoint([entry(one, 'PROBER_NO_SOCKET', false), entry(two, 'TARGET_DENIED', false), fine])
  await checkpoint([entry(one, 'PROBER_NO_SOCKET', true), entry(two, 'TARGET_DENIED', false), fine])
  assert.equal((await told(db)).length, 2)
  await checkpoint([entry(one, 'CONNECT_REFUSED', false), entry(two, 'TARGET_DENIED', false), fine])
  assert.equal((await told(db)).at(-1), `FRESH CONNECT_REFUSED ${one}`)
  await checkpoint([entry(one, 'PROBER_NO_SOCKET', true), entry(two, 'PASSED', false), fine])
  assert.deepEqual((await told(db)).slice(3).toSorted(), [
    `FRESH PASSED ${two}`,
    `STALE PROBER_NO_SOCKET ${one}`,
  ])
})

test('an event of a stale member names its pool and its project', async (t) => {
  const { db, poolId, memberIds, checkpoint } = await pool(t, 1)
  const [id = ''] = memberIds
  await checkpoint([entry(id, 'TARGET_DENIED', true)])
  await told(db)
  const [event] = await readEvents(db, {
    after: 0,
    upTo: 1e6,
    limit: 10,
    filter: { memberId: id, to: new Set(['STALE']) },
  })
  assert.deepEqual([event?.projectId, event?.pool?.id, event?.from], [PROJECT, poolId, null])
})

test('a member that is not probed any more is stale no longer, and says why; one that is gone says nothing', async (t) => {
  const { db, memberIds, checkpoint } = await pool(t, 4)
  const [off = '', gone = '', anew = '', stays = ''] = memberIds
  const stale = (id: string) => entry(id, 'PROBER_OVERLOAD', true)
  await checkpoint([...memberIds.map(stale), stale(randomUUID())])
  assert.equal((await told(db)).length, 4)
  await query(db, 'update member set admin_state_up = false where id = $1', [off])
  await query(db, 'delete from member where id = $1', [gone])
  await query(db, `update member set generation = nextval('check_generation') where id = $1`, [anew])
  // The one of a new generation has no result yet.
  for (let i = 0; i < 2; i++) await checkpoint([stale(stays)])
  assert.deepEqual((await told(db)).slice(4), [`FRESH MEMBER_DISABLED ${off}`])
  await checkpoint([stale(stays), entry(anew, 'PASSED', false)])
  assert.deepEqual((await told(db)).slice(5), [`FRESH PASSED ${anew}`])
  await query(db, 'delete from health_monitor')
  await checkpoint([])
  assert.deepEqual((await told(db)).slice(6), [`FRESH NO_MONITOR ${stays}`])
  assert.deepEqual(await query(db, 'select * from stale_told'), [])
})

test('a checkpoint does not wait for a request that deletes stale members; what it left is reported by the next one', async (t) => {
  const { db, memberIds, checkpoint } = await pool(t, 3)
  const [going = '', back = '', other = ''] = memberIds
  const all = (reason: Reason, stale: boolean) => memberIds.map((id) => entry(id, reason, stale))
  await checkpoint(all('PROBER_OVERLOAD', true).slice(0, 2))
  assert.equal((await told(db)).length, 2)
  const open = await openTransaction(db)
  await query(open.tx, 'delete from member where id = any($1::uuid[])', [[going, back]])
  // Stale again and sure again: both rows are locked.
  await inTime(checkpoint([entry(going, 'PROBER_OVERLOAD', true), entry(back, 'PASSED', false)]))
  await inTime(checkpoint(all('PROBER_OVERLOAD', true)))
  await open.rollback()
  assert.deepEqual((await told(db)).slice(2), [`STALE PROBER_OVERLOAD ${other}`])
  await checkpoint(all('PASSED', false))
  const fresh = memberIds.map((id) => `FRESH PASSED ${id}`)
  assert.deepEqual((await told(db)).slice(3).toSorted(), fresh.toSorted())
  assert.deepEqual(await query(db, 'select * from stale_told'), [])
})

test('a member that was deleted while its STALE event was written is removed by the next checkpoint, without an event', async (t) => {
  const { db, shard, checkpoint } = await pool(t, 1)
  await query(db, 'insert into stale_told (member_id, shard) values ($1, $2)', [randomUUID(), shard])
  await checkpoint([])
  assert.deepEqual(await query(db, 'select * from stale_told'), [])
  assert.deepEqual(await told(db), [])
})

test('more than a hundred members of a pool at once are one event with their number', async (t) => {
  const { db, memberIds, checkpoint } = await pool(t, 102)
  const all = (reason: Reason, stale: boolean) => memberIds.map((id) => entry(id, reason, stale))
  await checkpoint([
    ...all('PROBER_NO_SOCKET', true).slice(0, 101),
    entry(memberIds[101] ?? '', 'PASSED', false),
  ])
  assert.deepEqual(await told(db), ['STALE PROBER_NO_SOCKET 101'])
  await checkpoint(all('PROBER_NO_SOCKET', true))
  assert.deepEqual((await told(db)).slice(1), [`STALE PROBER_NO_SOCKET ${memberIds[101]}`])
  await checkpoint(all('PASSED', false))
  assert.deepEqual((await told(db)).slice(2), ['FRESH PASSED 102'])
})

test('a shard without a living owner for longer than the grace has one event for each pool, and so has its new owner', async (t) => {
  const { db, owner, poolId, memberIds } = await pool(t, 3)
  const { poolId: unmonitored, monitorId } = await insertPool(db)
  await insertMembers(db, unmonitored, [{ address: '10.0.0.2', port: 1 }])
  await query(db, 'delete from health_monitor where id = $1', [monitorId])
  await query(db, 'update member set admin_state_up = false where id = $1', [memberIds[0]])
  assert.deepEqual(await told(db), [])
  assert.deepEqual(await query(db, 'select * from unowned_shard'), [])
  const grace = `interval '${UNOWNED_GRACE_MS} milliseconds'`
  await query(db, `update prober set lease_until = now() - ${grace} + interval '5 seconds'`)
  assert.deepEqual(await told(db), [])
  await query(db, `update unowned_shard set since = since - interval '6 seconds'`)
  // Some shards a run.
  for (let i = 0; i < 256; i++) if ((await told(db)).length > 0) break
  await Promise.all([observeClock(db), observeClock(db)])
  assert.deepEqual(await told(db), ['STALE NO_PROBER 2'])
  await query(db, `update unowned_shard set told_at = told_at - interval '2 minutes'`)
  for (let i = 0; i < 20; i++) await observeClock(db)
  assert.deepEqual(await told(db), ['STALE NO_PROBER 2'])
  await query(db, `update prober set lease_until = now() + interval '1 hour'`)
  for (let i = 0; i < 20; i++) await observeClock(db)
  assert.deepEqual(await told(db), ['STALE NO_PROBER 2', 'FRESH PROBED_AGAIN 2'])
  assert.deepEqual(
    await query(db, 'select shard from unowned_shard union all select shard from unowned_pool_told'),
    [],
  )
  const [event] = await readEvents(db, {
    after: 0,
    upTo: 1e6,
    limit: 10,
    filter: { poolId, to: new Set(['STALE']) },
  })
  assert.deepEqual([event?.member, event?.projectId], [undefined, PROJECT])
  // A prober that stops gives its shards back: from then on they count as without an owner.
  await releaseShards(
    db,
    owner,
    Array.from({ length: 256 }, (_, id) => id),
  )
  assert.equal((await told(db)).length, 2)
  const [since] = await query<{ s: number }>(
    db,
    'select extract(epoch from now() - min(since))::float8 as s from unowned_shard',
  )
  assert.ok((since?.s ?? 99) < 5)
})

test('a prober that may not probe a member makes it stale; the next one, which may, makes it fresh, and nothing is reported between', async (t) => {
  const database = await testDatabase(t)
  const { db } = database
  const [target] = await startTargets(t, 1, '127.0.0.1')
  const { poolId } = await insertPool(db)
  const [id = ''] = await insertMembers(db, poolId, [{ address: '127.0.0.1', port: target?.port ?? 0 }])
  const first = testProber(database, { targetPolicy: () => 'denied' })
  await eventually('it is stale', async () => (await told(db)).length === 1, 20_000)
  await first.close()
  const second = testProber(database, { targetPolicy: () => 'denied' })
  await eventually('the second one has written a checkpoint', async () => {
    const rows = await query(
      db,
      `select from shard_checkpoint c join shard s on s.id = c.shard and s.epoch = c.epoch
       where $1::uuid = any (c.member_ids) and not (true = any (c.stale))`,
      [id],
    )
    return rows.length > 0
  })
  assert.deepEqual(await told(db), [`STALE TARGET_DENIED ${id}`])
  await second.close()
  testProber(database)
  await eventually('it is fresh', async () => (await told(db)).length > 1)
  assert.deepEqual(await told(db), [`STALE TARGET_DENIED ${id}`, `FRESH PASSED ${id}`])
})
