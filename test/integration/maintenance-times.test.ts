/** Times of maintenances: PostgreSQL reads all that are stored, and one that it cannot read harms no other project. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeRetention, KEEP_DEFAULT } from '../../src/bin/process/retention.ts'
import { RecurrenceRefusal } from '../../src/domain/recurrence/refusal.ts'
import { recurringMaintenance } from '../../src/domain/status/maintenance.ts'
import { createMetrics } from '../../src/runtime/metrics/metrics.ts'
import { proberMetrics } from '../../src/runtime/metrics/prober-metrics.ts'
import { type Db, query } from '../../src/store/connection/database.ts'
import { observeClock, readEvents } from '../../src/store/event/events.ts'
import { startApi } from '../support/api.ts'
import { insertMembers, insertPool } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import { keepingLog } from '../support/prober.ts'
import { sequenceAllEvents } from '../support/sequence.ts'

const OCTAVIA = '/load-balancer/v2.0/lbaas'
const [THEIRS, OURS] = ['their-project', 'our-project']
const as = (project: string) => ({ 'x-project-id': project })
const FRIDAY = 'FREQ=YEARLY;INTERVAL=366;BYMONTH=12;BYMONTHDAY=31;BYDAY=FR'
const TUESDAY = 'FREQ=YEARLY;INTERVAL=366;BYMONTH=11;BYMONTHDAY=30;BYDAY=TU'
const BEYOND = '+010000-01-01T11:00:00.000Z'

/** A member of a pool of its own, made three days ago. */
async function aMember(db: Db, project: string): Promise<{ id: string; poolId: string; monitorId: string }> {
  const { poolId, monitorId } = await insertPool(db, {}, project)
  const [id = ''] = await insertMembers(db, poolId, [{ address: '127.0.0.1', port: 1 }])
  await query(db, `update member set created_at = now() - interval '3 days' where id = $1`, [id])
  return { id, poolId, monitorId }
}

test('a recurrence whose times PostgreSQL does not read is refused', async (t) => {
  const api = await startApi(t)
  const { poolId } = await aMember(api.db, OURS)
  for (const recurrence of [
    { rrule: FRIDAY, time_zone: 'Etc/GMT+12', start: '2679-12-31T23:00', duration: 3600 },
    { rrule: TUESDAY, time_zone: 'UTC', start: '2679-11-30T02:00', duration: 31_622_400 },
  ]) {
    const body = { maintenance: { recurrence } }
    const answer = await api.request('PUT', `${OCTAVIA}/pools/${poolId}/maintenance`, body, as(OURS))
    assert.equal(answer.status, 400, JSON.stringify(answer.body))
    assert.match(JSON.stringify(answer.body), /does not occur/)
  }
})

test('PostgreSQL reads every time of every recurrence that is taken, up to the last ones', async (t) => {
  const { db } = await testDatabase(t)
  const texts: string[] = []
  for (const rrule of ['FREQ=DAILY', 'FREQ=YEARLY', FRIDAY, TUESDAY, 'FREQ=YEARLY;INTERVAL=77'])
    for (const time_zone of ['UTC', 'Etc/GMT+12', 'Pacific/Kiritimati', 'Asia/Kathmandu'])
      for (const start of [
        '2027-01-01T00:00:00',
        '2679-12-31T23:00:00',
        '2998-06-01T12:00:00',
        '2999-12-31T11:59:59',
      ])
        for (const duration of [60, 86_400, 31_622_400]) {
          try {
            const recurrence = { rrule, time_zone, start, duration }
            const stored = recurringMaintenance({ note: '', recurrence }, Date.now())
            texts.push(stored.start, stored.end ?? '')
            for (const occurrence of stored.occurrences ?? []) texts.push(occurrence.start, occurrence.end)
          } catch (error) {
            assert.ok(error instanceof RecurrenceRefusal, String(error))
          }
        }
  assert.ok(texts.length > 500, `${texts.length} times`)
  const [row] = await query<{ read: number; same: number; latest: string }>(
    db,
    `select count(w::timestamptz)::int as read, (count(*) filter (where maintenance_time(w) = w::timestamptz))::int as same,
       max(w::timestamptz)::text as latest from unnest($1::text[]) w`,
    [texts],
  )
  assert.deepEqual([row?.read, row?.same], [texts.length, texts.length])
  assert.ok((row?.latest ?? '') >= '2999-12-31', row?.latest)
})

test('a text that is no time is none in SQL, and no error', async (t) => {
  const { db } = await testDatabase(t)
  const texts = [
    '2028-02-29T23:59:59.999Z',
    '2027-02-29T00:00:00Z',
    '2027-04-31T00:00:00.000Z',
    '2027-12-31T24:00:00Z',
    '0000-01-01T00:00:00Z',
    BEYOND,
    '2027-01-01',
    '2027-01-01T00:00:00Z; 1',
    '',
    null,
  ]
  const rows = await query<{ at: Date | null }>(
    db,
    `select maintenance_time(w) as at from unnest($1::text[]) with ordinality w (w, place) order by place`,
    [texts],
  )
  assert.deepEqual(
    rows.map(({ at }) => at?.toISOString() ?? null),
    ['2028-02-29T23:59:59.999Z', ...texts.slice(1).map(() => null)],
  )
})

/** As it was stored before it was refused, and worse: of a member, a pool and a monitor. */
async function storeUnreadable(db: Db, { id, poolId, monitorId }: Awaited<ReturnType<typeof aMember>>) {
  const recurrence = { rrule: FRIDAY, time_zone: 'Etc/GMT+12', start: '2679-12-31T23:00:00', duration: 3600 }
  const unreadable = [
    {
      start: BEYOND,
      end: '+010000-01-01T12:00:00.000Z',
      note: '',
      recurrence,
      occurrences: [{ start: BEYOND, end: '+010000-01-01T12:00:00.000Z' }],
    },
    { start: '2026-02-30T00:00:00Z', end: null, note: '' },
    { start: 'never', end: 'ever', note: '' },
  ]
  for (const [i, [table, object]] of (
    [
      ['pool', poolId],
      ['member', id],
      ['health_monitor', monitorId],
    ] as const
  ).entries())
    await query(db, `update ${table} set maintenance = $1 where id = $2`, [
      JSON.stringify(unreadable[i]),
      object,
    ])
}

test('times of one project that cannot be read stop nothing of another one, and nothing of all', async (t) => {
  const database = await testDatabase(t)
  const { db } = database
  const api = await startApi(t, { db })
  const [theirs, ours] = [await aMember(db, THEIRS), await aMember(db, OURS)]
  await storeUnreadable(db, theirs)
  const path = `${OCTAVIA}/pools/${ours.poolId}/maintenance`
  assert.equal((await api.request('PUT', path, { maintenance: {} }, as(OURS))).status, 200)

  for (const project of [OURS, THEIRS]) {
    const overview = await api.request('GET', '/v1/overview', undefined, as(project))
    assert.equal(overview.status, 200, JSON.stringify(overview.body))
    const { id } = project === OURS ? ours : theirs
    const uptime = await api.request('GET', `/v1/uptime?member_id=${id}`, undefined, as(project))
    assert.equal(uptime.status, 200, JSON.stringify(uptime.body))
  }

  await observeClock(db)
  await sequenceAllEvents(db)
  const filter = { types: new Set(['maintenance.begun']) }
  const events = await readEvents(db, { after: 0, upTo: 100_000, limit: 100, filter })
  assert.deepEqual(
    events.map((event) => event.projectId),
    [OURS],
  )

  const log = keepingLog()
  const metrics = proberMetrics(createMetrics('test').registry)
  const { retention, destroy } = makeRetention({
    databaseUrl: database.url,
    leaseMs: 1000,
    keep: KEEP_DEFAULT,
    metrics,
    log,
  })
  database.beforeDrop(destroy)
  await retention.pass()
  assert.deepEqual(
    log.lines.filter(({ level }) => level !== 'info'),
    [],
  )
  const summed = await query<{ id: string }>(
    db,
    `select distinct object_id as id from uptime_day where object_id = any($1::uuid[]) order by 1`,
    [[theirs.id, ours.id]],
  )
  assert.deepEqual(
    summed.map(({ id }) => id),
    [theirs.id, ours.id].toSorted(),
  )

  // What is unreadable can be ended, and is noted as nothing.
  for (const [kind, at] of [
    ['pools', theirs.poolId],
    ['healthmonitors', theirs.monitorId],
    [`pools/${theirs.poolId}/members`, theirs.id],
  ] as const) {
    const answer = await api.request('DELETE', `${OCTAVIA}/${kind}/${at}/maintenance`, undefined, as(THEIRS))
    assert.equal(answer.status, 204, JSON.stringify(answer.body))
  }
  assert.deepEqual(await query(db, `select * from set_aside where kind = 'maintenance'`), [])
})
