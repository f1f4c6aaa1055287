/** Daily sums of uptime: what retention sums, when, and that nothing is deleted before. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { KEEP_DEFAULT, type Keep, makeRetention } from '../../src/bin/process/retention.ts'
import { uptimeOver } from '../../src/domain/status/uptime-days.ts'
import { createMetrics } from '../../src/runtime/metrics/metrics.ts'
import { proberMetrics } from '../../src/runtime/metrics/prober-metrics.ts'
import { type Db, query } from '../../src/store/connection/database.ts'
import { purgeOldTransitions, trimTransitions } from '../../src/store/probing/trim.ts'
import { readSumProgress } from '../../src/store/status/uptime-sums.ts'
import { readHistories } from '../../src/store/status/uptime.ts'
import { startApi, type Json } from '../support/api.ts'
import { insertMembers, insertPool, PROJECT } from '../support/configuration.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'
import { keepingLog } from '../support/prober.ts'

const AS_OWNER = { 'x-project-id': PROJECT }
const HOUR_MS = 3_600_000
const DAY_HOURS = 24
/** Midnight of today, UTC. */
const TODAY = `((now() at time zone 'UTC')::date)::timestamp at time zone 'UTC'`

/** A day is summed a minute after its end, and a test needs that all of its days stay what they are. */
const MIDNIGHT_S = { before: 90, after: 70 }

// These tests count in days of the real clock: in the minutes around midnight (UTC) they wait until it is over.
before(async () => {
  const secondsOfDay = (Date.now() / 1000) % 86_400
  const sinceBegin = (secondsOfDay + MIDNIGHT_S.before) % 86_400
  const allOfIt = MIDNIGHT_S.before + MIDNIGHT_S.after
  if (sinceBegin < allOfIt) await wait((allOfIt - sinceBegin) * 1000)
})

/** A member of a pool of its own, created some days before today began. */
async function aMember(db: Db, createdDaysAgo: number): Promise<{ id: string; poolId: string }> {
  const { poolId } = await insertPool(db)
  const [id = ''] = await insertMembers(db, poolId, [{ address: '127.0.0.1', port: 1 }])
  const created = `${TODAY} - ${createdDaysAgo} * interval '1 day'`
  await query(db, `update pool set created_at = ${created} where id = $1`, [poolId])
  await query(db, `update member set created_at = ${created} where id = $1`, [id])
  await query(db, 'delete from set_aside')
  return { id, poolId }
}

/** Transitions of a member: hours after the beginning of today (negative: before), and the new status. */
async function decide(
  db: Db,
  memberId: string,
  transitions: readonly (readonly [hours: number, to: 'ONLINE' | 'OFFLINE'])[],
): Promise<void> {
  for (const [i, [hours, to]] of transitions.entries()) {
    await query(
      db,
      `insert into member_transition
         (member_id, pool_id, project_id, at, from_state, to_state, reason, generation, epoch, sequence)
       select m.id, m.pool_id, m.project_id, ${TODAY} + $2 * interval '1 hour', $3, $4, 'PASSED', m.generation, 1,
         coalesce((select max(t.sequence) from member_transition t where t.member_id = m.id), 0) + 1
       from member m where m.id = $1`,
      [memberId, hours, i === 0 ? 'UNKNOWN' : to === 'ONLINE' ? 'OFFLINE' : 'ONLINE', to],
    )
  }
}

function retentionOf(t: TestDatabase, keep: Partial<Keep> = {}) {
  const log = keepingLog()
  const { retention, destroy } = makeRetention({
    databaseUrl: t.url,
    leaseMs: 1000,
    keep: { ...KEEP_DEFAULT, ...keep },
    metrics: proberMetrics(createMetrics('test').registry),
    log,
  })
  t.beforeDrop(destroy)
  return {
    log,
    pass: async () => {
      await query(t.db, `update retention_progress set passed_at = now() - interval '1 hour'`)
      await retention.pass()
      const troubles = log.lines.filter(({ level }) => level === 'warn' || level === 'error')
      assert.equal(troubles.map(({ facts }) => String((facts as { err?: unknown }).err)).join('; '), '')
    },
  }
}

/** Days before today → hours by kind, without those that are 0. */
async function days(db: Db, objectId: string): Promise<Record<number, Record<string, number>>> {
  const rows = await query<Record<string, number>>(
    db,
    `select (now() at time zone 'UTC')::date - day as ago, online_ms as online, offline_ms as offline,
       pending_ms as pending, off_ms as off, maintenance_ms as maintenance, no_data_ms as no_data
     from uptime_day where object_id = $1 order by day desc`,
    [objectId],
  )
  return Object.fromEntries(
    rows.map(({ ago = 0, ...sums }) => [
      ago,
      Object.fromEntries(
        Object.entries(sums)
          .filter(([, ms]) => ms !== 0)
          .map(([kind, ms]) => [kind, Math.round((ms / HOUR_MS) * 100) / 100]),
      ),
    ]),
  )
}

test('each closed day of a member is summed: up, down, pending, and from when it existed', async (t) => {
  const database = await testDatabase(t)
  const { id } = await aMember(database.db, 2.5)
  await decide(database.db, id, [
    [-56, 'ONLINE'],
    [-30, 'OFFLINE'],
    [-20, 'ONLINE'],
  ])
  await retentionOf(database).pass()
  assert.deepEqual(await days(database.db, id), {
    1: { online: 20, offline: 4 },
    2: { online: 18, offline: 6 },
    3: { online: 8, pending: 4 },
  })
})

test('a second pass, and one that was stopped in between, sum no day twice and miss none', async (t) => {
  const database = await testDatabase(t)
  const { db } = database
  const members = [await aMember(db, 3), await aMember(db, 3), await aMember(db, 3)]
  for (const { id } of members) await decide(db, id, [[-60, 'ONLINE']])
  const { pass } = retentionOf(database)
  await pass()
  const first = await query(db, 'select * from uptime_day order by object_id, day')
  await pass()
  assert.deepEqual(await query(db, 'select * from uptime_day order by object_id, day'), first)
  // As after the end of a process that had summed some objects of the last day.
  const sorted = members.map(({ id }) => id).toSorted()
  await query(
    db,
    `with undone as (delete from uptime_day where day = (now() at time zone 'UTC')::date - 1 and object_id > $1)
     update uptime_progress set day = day - 1, walk_after = $1`,
    [sorted[0]],
  )
  await pass()
  assert.deepEqual(await query(db, 'select * from uptime_day order by object_id, day'), first)
})

test('a day is summed a minute after its end: what was decided just before it is written by then', async (t) => {
  const { db } = await testDatabase(t)
  await query(db, `update uptime_progress set day = '2026-03-01'`)
  const isClosed = async (at: string) => (await readSumProgress(db, Date.parse(at))).isClosed
  assert.equal(await isClosed('2026-03-02T12:00:00Z'), false)
  assert.equal(await isClosed('2026-03-03T00:00:59Z'), false)
  assert.equal(await isClosed('2026-03-03T00:01:00Z'), true)
})

test('after days away every day is caught up with', async (t) => {
  const database = await testDatabase(t)
  const { id } = await aMember(database.db, 20)
  await decide(database.db, id, [[-19 * DAY_HOURS, 'ONLINE']])
  await retentionOf(database).pass()
  const all = await days(database.db, id)
  assert.deepEqual(
    Object.keys(all).map(Number),
    Array.from({ length: 20 }, (_, i) => i + 1),
  )
  assert.ok(Object.entries(all).every(([ago, sums]) => Number(ago) === 20 || sums['online'] === 24))
})

test('no transition is deleted before its day is summed: neither for its age, nor because there are too many', async (t) => {
  const { db } = await testDatabase(t)
  const { id } = await aMember(db, 40)
  await decide(db, id, [
    [-35 * DAY_HOURS, 'ONLINE'],
    [-34 * DAY_HOURS, 'OFFLINE'],
    [-3, 'ONLINE'],
    [-2, 'OFFLINE'],
  ])
  const count = async () => (await query(db, 'select from member_transition')).length
  await query(db, `update uptime_progress set day = (now() at time zone 'UTC')::date - 100`)
  assert.equal(await purgeOldTransitions(db, 30, 100), 0)
  assert.equal(await trimTransitions(db, [id], { keep: 1, batch: 100 }), 0)
  assert.equal(await count(), 4)
  await query(db, `update uptime_progress set day = (now() at time zone 'UTC')::date - 35`)
  assert.equal(await purgeOldTransitions(db, 30, 100), 1, 'of the day that is summed')
  await query(db, `update uptime_progress set day = (now() at time zone 'UTC')::date - 1`)
  assert.equal(await purgeOldTransitions(db, 30, 100), 1)
  assert.equal(await trimTransitions(db, [id], { keep: 1, batch: 100 }), 1)
  assert.equal(await count(), 1)
})

test('a member with too many transitions keeps its uptime, of closed days and of the day that runs', async (t) => {
  const database = await testDatabase(t)
  const { db } = database
  const api = await startApi(t, { db })
  const { id } = await aMember(db, 3)
  const rows = await query<{ hours: number }>(
    db,
    `select extract(epoch from now() - ${TODAY})::float8 / 3600 as hours`,
  )
  const hoursOfToday = rows[0]?.hours ?? 0
  // A change every hundredth of what has passed of today, and as many the day before: half of the time ONLINE.
  const flaps = Array.from({ length: 100 }, (_, i) => [
    [-24 + i * 0.24, i % 2 === 0 ? 'ONLINE' : 'OFFLINE'] as const,
    [(hoursOfToday * i) / 100, i % 2 === 0 ? 'ONLINE' : 'OFFLINE'] as const,
  ]).flat()
  await decide(
    db,
    id,
    flaps.toSorted(([a], [b]) => a - b),
  )
  await query(
    db,
    `insert into member_state (member_id, generation, status, since, reason, ok_run, bad_run, shard, epoch, sequence)
     select id, generation, 'OFFLINE', now(), 'PASSED', 0, 0, 0, 1, 1 from member where id = $1`,
    [id],
  )
  const uptime = async (): Promise<Json> => {
    const { body } = await api.request('GET', `/v1/uptime?member_id=${id}`, undefined, AS_OWNER)
    return body.windows.map((window: Json) => ({ hours: window.hours, share: window.up_share }))
  }
  const before = await uptime()
  assert.ok(Math.abs(before[1].share - 0.5) < 0.02, JSON.stringify(before))
  await retentionOf(database, { transitionsPerMember: 5 }).pass()
  assert.equal((await query(db, 'select from member_transition where member_id = $1', [id])).length, 5)
  const after = await uptime()
  for (const [i, window] of before.entries()) {
    assert.ok(
      Math.abs(after[i].share - window.share) < 0.01,
      `${JSON.stringify(after)} ${JSON.stringify(before)}`,
    )
  }
  // And once more: what was summed of today is not summed again.
  await retentionOf(database, { transitionsPerMember: 3 }).pass()
  const last = await uptime()
  assert.ok(Math.abs(last[1].share - before[1].share) < 0.01, JSON.stringify(last))
})

test('a member whose transitions have all gone has the status that it has had since', async (t) => {
  const database = await testDatabase(t)
  const { db } = database
  const api = await startApi(t, { db })
  const { id } = await aMember(db, 60)
  await query(
    db,
    `insert into member_state (member_id, generation, status, since, reason, ok_run, bad_run, shard, epoch, sequence)
     select id, generation, 'ONLINE', now() - interval '50 days', 'PASSED', 0, 0, 0, 1, 1 from member where id = $1`,
    [id],
  )
  await query(db, 'delete from set_aside')
  await retentionOf(database).pass()
  const { body } = await api.request('GET', `/v1/uptime?member_id=${id}`, undefined, AS_OWNER)
  assert.deepEqual(
    body.windows.map((window: Json) => [window.hours, window.up_share, Math.round(window.coverage * 100)]),
    [
      [24, 1, 100],
      [168, 1, 100],
      [720, 1, 100],
      // It was ONLINE for 50 of the 90 days.
      [2160, 1, Math.round((50 / 90) * 100)],
    ],
  )
})

test('a pool is up while it is ONLINE or DEGRADED, and down while it is ERROR', async (t) => {
  const database = await testDatabase(t)
  const { db } = database
  const { poolId } = await aMember(db, 2)
  await query(db, 'delete from pool_transition')
  for (const [hours, from, to] of [
    [-48, null, 'OFFLINE'],
    [-40, 'OFFLINE', 'ONLINE'],
    [-20, 'ONLINE', 'DEGRADED'],
    [-10, 'DEGRADED', 'ERROR'],
    [-4, 'ERROR', 'ONLINE'],
  ] as const) {
    await query(
      db,
      `insert into pool_transition (pool_id, at, from_status, to_status)
       values ($1, ${TODAY} + $2 * interval '1 hour', $3, $4)`,
      [poolId, hours, from, to],
    )
  }
  await retentionOf(database).pass()
  assert.deepEqual(await days(db, poolId), {
    1: { online: 18, offline: 6 },
    2: { online: 16, no_data: 8 },
  })
})

test('of a pool that changes more often than is read, nothing is said of the time before what is read', async (t) => {
  const { db } = await testDatabase(t)
  const { poolId } = await aMember(db, 5)
  await query(db, 'delete from pool_transition')
  const nowMs = Date.now()
  // Up since three days ago, and in the last thirty minutes a change in each.
  await query(
    db,
    `insert into pool_transition (pool_id, at, from_status, to_status)
     select $1, to_timestamp($2::float8 / 1000) - ago * interval '1 minute',
       case when ago % 2 = 0 then 'ERROR' else 'ONLINE' end, case when ago % 2 = 0 then 'ONLINE' else 'ERROR' end
     from unnest($3::int[]) with ordinality ago (ago, place) order by place`,
    [poolId, nowMs, [72 * 60, ...Array.from({ length: 30 }, (_, i) => 30 - i)]],
  )
  const read = async (changesMax: number) => {
    const asked = { nowMs, days: 90, factsDays: 2, changesMax }
    const [history] = await readHistories(db, 'pool', [poolId], asked)
    assert.ok(history !== undefined)
    const { online, offline, noData } = uptimeOver(history, nowMs - 24 * HOUR_MS, nowMs)
    return [online, offline, noData].map((ms) => Math.round(ms / 60_000))
  }
  assert.deepEqual(await read(10), [5, 5, 24 * 60 - 10])
  assert.deepEqual(await read(29), [14, 15, 24 * 60 - 29])
  assert.deepEqual(await read(30), [24 * 60 - 15, 15, 0], 'all of them are read')
})

test('a change of the status of a pool is a transition of it', async (t) => {
  const { db } = await testDatabase(t)
  const { poolId } = await insertPool(db)
  await query(db, `update pool_roll_up set in_service = not in_service where pool_id = $1`, [poolId])
  const rows = await query<{ from_status: string | null; to_status: string }>(
    db,
    'select from_status, to_status from pool_transition where pool_id = $1 order by id',
    [poolId],
  )
  assert.equal(rows[0]?.from_status, null)
  assert.deepEqual(rows.slice(1), [{ from_status: rows[0]?.to_status, to_status: rows[1]?.to_status }])
})

test('what was summed of deleted members and pools goes, and old sums go', async (t) => {
  const database = await testDatabase(t)
  const { db } = database
  const [gone, kept] = [await aMember(db, 3), await aMember(db, 3)]
  const { pass } = retentionOf(database, { uptimeDays: 91 })
  await query(
    db,
    `insert into uptime_day select $1, (now() at time zone 'UTC')::date - ago, 86400000, 0, 0, 0, 0, 0
     from unnest('{91,92,93}'::int[]) ago`,
    [kept.id],
  )
  await pass()
  assert.deepEqual(Object.keys(await days(db, kept.id)).map(Number), [1, 2, 3, 91])
  await query(db, 'delete from health_monitor where pool_id = $1', [gone.poolId])
  await query(db, 'delete from member where id = $1', [gone.id])
  await query(db, 'delete from listener')
  await query(db, 'delete from pool where id = $1', [gone.poolId])
  await pass()
  assert.deepEqual(await days(db, gone.id), {})
  assert.deepEqual(await days(db, gone.poolId), {})
  assert.deepEqual(await query(db, 'select * from uptime_gone'), [])
  assert.notDeepEqual(await days(db, kept.id), {})
})
