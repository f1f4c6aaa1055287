import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { makeRetention } from '../../src/bin/process/retention.ts'
import { createMetrics } from '../../src/runtime/metrics/metrics.ts'
import { proberMetrics } from '../../src/runtime/metrics/prober-metrics.ts'
import { type Db, openDatabase, query } from '../../src/store/connection/database.ts'
import {
  membersAfter,
  purgeOrphanedStates,
  readRetentionProgress,
  saveRetentionProgress,
  withRetentionLock,
  writersAfter,
} from '../../src/store/probing/retention.ts'
import { purgeOldTransitions, trimTransitions } from '../../src/store/probing/trim.ts'
import { insertMembers, insertPool } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import { keepingLog } from '../support/prober.ts'

/** `count` transitions of one member, one an hour, the last `lastHoursAgo` ago. */
async function insertTransitions(db: Db, count: number, lastHoursAgo: number): Promise<string> {
  const memberId = randomUUID()
  await query(
    db,
    `insert into member_transition
       (member_id, pool_id, project_id, at, from_state, to_state, reason, generation, epoch, sequence)
     select $1, $2, 'p', now() - ($3::float8 + $4::int - n) * interval '1 hour', 'ONLINE', 'OFFLINE', 'PASSED', 1, 1, n
     from generate_series(1, $4::int) n`,
    [memberId, randomUUID(), lastHoursAgo, count],
  )
  return memberId
}

async function sequences(db: Db, memberId: string): Promise<readonly number[]> {
  const rows = await query<{ sequence: number }>(
    db,
    'select sequence from member_transition where member_id = $1 order by sequence',
    [memberId],
  )
  return rows.map((row) => row.sequence)
}

/** As if every day before today had been summed. */
async function sumAll(db: Db): Promise<void> {
  await query(db, `update uptime_progress set day = (now() at time zone 'UTC')::date - 1`)
}

test('transitions older than their days go, in batches, oldest first', async (t) => {
  const { db } = await testDatabase(t)
  await sumAll(db)
  const memberId = await insertTransitions(db, 30, 30 * 24 - 9.5)
  assert.equal(await purgeOldTransitions(db, 30, 15), 15)
  assert.equal(await purgeOldTransitions(db, 30, 15), 5)
  assert.deepEqual((await sequences(db, memberId))[0], 21)
})

test('of one member only the newest transitions stay, whatever others have, and a statement deletes no more than its batch', async (t) => {
  const { db } = await testDatabase(t)
  const [many, few, other] = [
    await insertTransitions(db, 30, 0),
    await insertTransitions(db, 10, 0),
    await insertTransitions(db, 30, 0),
  ]
  assert.equal(await trimTransitions(db, [many, few], { keep: 10, batch: 15 }), 15)
  assert.equal((await sequences(db, many))[0], 16, 'the oldest go first')
  assert.equal(await trimTransitions(db, [many, few], { keep: 10, batch: 15 }), 5)
  assert.equal(await trimTransitions(db, [many, few], { keep: 10, batch: 15 }), 0)
  assert.deepEqual(await sequences(db, many), [21, 22, 23, 24, 25, 26, 27, 28, 29, 30])
  assert.equal((await sequences(db, few)).length, 10)
  assert.equal((await sequences(db, other)).length, 30, 'it was not asked for')
})

test('the newest of a member are those of its latest owner, whatever the clock was', async (t) => {
  const { db } = await testDatabase(t)
  const memberId = await insertTransitions(db, 3, 0)
  await query(
    db,
    `insert into member_transition
       (member_id, pool_id, project_id, at, from_state, to_state, reason, generation, epoch, sequence)
     values ($1, $2, 'p', now() - interval '2 hours', 'ONLINE', 'OFFLINE', 'PASSED', 1, 2, 1)`,
    [memberId, randomUUID()],
  )
  assert.equal(await trimTransitions(db, [memberId], { keep: 1, batch: 10 }), 3)
  assert.deepEqual(await sequences(db, memberId), [1])
})

test('who wrote is read on from an id, and a walk meets every member that has transitions once', async (t) => {
  const { db } = await testDatabase(t)
  const members = [
    await insertTransitions(db, 5, 0),
    await insertTransitions(db, 1, 0),
    await insertTransitions(db, 3, 0),
  ]
  const first = await writersAfter(db, 0, 6)
  assert.deepEqual(
    first?.members.toSorted(),
    members.slice(0, 2).sort((a, b) => (a < b ? -1 : 1)),
  )
  const second = await writersAfter(db, first.position, 6)
  assert.deepEqual(second?.members, [members[2]])
  assert.equal(await writersAfter(db, second.position, 6), undefined)
  const met: string[] = []
  let after = '00000000-0000-0000-0000-000000000000'
  for (;;) {
    const some = await membersAfter(db, after, 2)
    met.push(...some)
    after = some.at(-1) ?? ''
    if (after === '') break
  }
  assert.deepEqual(met, members.toSorted())
})

test('the progress of retention is stored for the next process', async (t) => {
  const { db } = await testDatabase(t)
  const fresh = await readRetentionProgress(db)
  assert.deepEqual([fresh.position, fresh.walkAfter], [0, undefined])
  assert.ok(fresh.passedMsAgo > 1e9 && fresh.walkedMsAgo > 1e9, 'a first pass is due, and a first walk')
  const walkAfter = randomUUID()
  await saveRetentionProgress(db, { position: 7, walkAfter, walkBegins: true })
  const saved = await readRetentionProgress(db)
  assert.deepEqual([saved.position, saved.walkAfter], [7, walkAfter])
  assert.ok(saved.passedMsAgo < 60_000 && saved.walkedMsAgo < 60_000)
})

test('a prober purges by its settings: what is too old, what is too much of a member, and nothing else', async (t) => {
  const database = await testDatabase(t)
  const { db } = database
  const [old, many] = [await insertTransitions(db, 4, 47.5), await insertTransitions(db, 8, 0)]
  const metrics = createMetrics('test')
  const { retention, destroy } = makeRetention({
    databaseUrl: database.url,
    leaseMs: 1000,
    keep: { transitionDays: 2, transitionsPerMember: 5, eventDays: 2, uptimeDays: 400 },
    metrics: proberMetrics(metrics.registry),
    log: keepingLog(),
  })
  database.beforeDrop(destroy)
  await retention.pass()
  assert.deepEqual(await sequences(db, old), [4], 'those of the 49th to 51st hour are gone')
  assert.deepEqual(await sequences(db, many), [4, 5, 6, 7, 8])
  const text = await metrics.registry.metrics()
  assert.match(text, /^hm_retention_rows_total 6$/m)
  assert.match(text, /^hm_retention_failures_total 0$/m)
  assert.match(text, /^hm_retention_last_success_timestamp_seconds 1[.\de+]+$/m)
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
       values ($1, 1, 'ONLINE', now(), 'PASSED', 0, 0, 0, 1, 1)`,
      [id],
    )
  }
  assert.equal(await purgeOrphanedStates(db, 10), 1)
  assert.deepEqual(await query(db, 'select member_id from member_state'), [{ member_id: kept }])
})

test('only one process purges at a time, and none holds a transaction open for it', async (t) => {
  const database = await testDatabase(t)
  const open = (maxConnections: number) => {
    const db = openDatabase({ url: database.url, applicationName: 'retention test', maxConnections })
    database.beforeDrop(() => db.destroy())
    return db
  }
  const [one, two] = [open(1), open(1)]
  const seen = await withRetentionLock(one, async () => {
    const others = await query<{ state: string; xid: string | null; xmin: string | null }>(
      two,
      `select state, backend_xid::text as xid, backend_xmin::text as xmin from pg_stat_activity
       where application_name = 'retention test' and pid <> pg_backend_pid()`,
    )
    assert.deepEqual(others, [{ state: 'idle', xid: null, xmin: null }])
    return await withRetentionLock(two, () => Promise.resolve('second'))
  })
  assert.equal(seen, undefined)
  assert.equal(await withRetentionLock(two, () => Promise.resolve('later')), 'later')
})
