/** Maintenances that recur: what the API takes and shows, and what moves them on. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Recurrence } from '../../src/domain/recurrence/recurrence.ts'
import { type Maintenance, recurringMaintenance } from '../../src/domain/status/maintenance.ts'
import { movedOnInSlices } from '../../src/notify/recurring-maintenances.ts'
import {
  type Db,
  type Database,
  openDatabase,
  query,
  transaction,
} from '../../src/store/connection/database.ts'
import { moveRecurringMaintenances } from '../../src/store/configuration/recurring-maintenance.ts'
import { observeClock, readEvents } from '../../src/store/event/events.ts'
import { type Api, startApi } from '../support/api.ts'
import { eventually, insertMembers, insertPool, PROJECT, statuses } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import { isDelivering, startNotifierProcess } from '../support/notifier-process.ts'
import { testProber } from '../support/prober.ts'
import { sequenceAllEvents } from '../support/sequence.ts'
import { startTargets, type Target } from '../support/targets.ts'

const ELB = '/elb/v2.0/lbaas'
const OCTAVIA = '/load-balancer/v2.0/lbaas'
const asProject = { 'x-project-id': PROJECT }
const MINUTE = 60_000

const put = (api: Api, path: string, maintenance: object, base = ELB) =>
  api.request('PUT', `${base}${path}/maintenance`, { maintenance }, asProject)
const get = (api: Api, path: string, base = ELB) =>
  api.request('GET', `${base}${path}/maintenance`, undefined, asProject)

const SUNDAYS = {
  rrule: 'FREQ=WEEKLY;BYDAY=SU',
  time_zone: 'Europe/Berlin',
  start: '2026-01-04T02:00:00',
  duration: 7200,
}

/** Daily at a time of day in UTC, for a minute. */
const dailyFrom = (startMs: number, more: Partial<Recurrence> = {}): Recurrence => ({
  rrule: 'FREQ=DAILY',
  time_zone: 'UTC',
  start: new Date(startMs).toISOString().slice(0, 19),
  duration: 60,
  ...more,
})

/** As it was stored at a time in the past. */
const storedAt = (recurrence: Recurrence, wallMs: number): Maintenance =>
  recurringMaintenance({ note: 'backup', recurrence }, wallMs)

const store = (db: Db, ids: readonly string[], maintenance: Maintenance) =>
  query(db, 'update member set maintenance = $1 where id = any($2::uuid[])', [
    JSON.stringify(maintenance),
    ids,
  ])

const move = (db: Database, batch = 100) => moveRecurringMaintenances(db, { batch, moveOn: movedOnInSlices })

async function stored(db: Db, id: string): Promise<Maintenance | null | undefined> {
  const [row] = await query<{ maintenance: Maintenance | null }>(
    db,
    'select maintenance from member where id = $1',
    [id],
  )
  return row?.maintenance
}

const versionOf = async (db: Db, poolId: string): Promise<number> =>
  (await query<{ v: number }>(db, 'select config_version as v from pool where id = $1', [poolId]))[0]?.v ?? 0

/** Members in a pool, of a project. */
async function members(db: Db, count: number, projectId = PROJECT) {
  const ids = await insertPool(db, {}, projectId)
  const targets = Array.from({ length: count }, (_, n) => ({ address: '127.0.0.1', port: n + 1 }))
  return { ...ids, ids: await insertMembers(db, ids.poolId, targets) }
}

async function told(db: Db): Promise<readonly string[]> {
  await sequenceAllEvents(db)
  const filter = { types: new Set(['maintenance.begun', 'maintenance.ended']) }
  const events = await readEvents(db, { after: 0, upTo: 100_000, limit: 1000, filter })
  return events.map(({ type, data }) => `${type} ${String(data['start'])}`)
}

test('a recurrence is taken and shown in both dialects, and what GET shows is no change when it is sent', async (t) => {
  const database = await testDatabase(t)
  const { db } = database
  const api = await startApi(t, { db })
  const { poolId, monitorId, ids } = await members(db, 1)
  for (const path of [
    `/pools/${poolId}/members/${ids[0]}`,
    `/pools/${poolId}`,
    `/healthmonitors/${monitorId}`,
  ]) {
    const answer = await put(api, path, { note: 'updates', recurrence: SUNDAYS })
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    const { maintenance } = answer.body
    assert.deepEqual([maintenance.recurrence, maintenance.note], [SUNDAYS, 'updates'])
    assert.equal(maintenance.occurrences.length, 4)
    assert.equal(Date.parse(maintenance.occurrences[0].start), Date.parse(maintenance.start))
    assert.match(maintenance.occurrences[0].start, /T02:00:00\+0[12]:00$/)
    assert.match(maintenance.start, /Z$/)
    for (const base of [ELB, OCTAVIA]) {
      assert.deepEqual((await get(api, path, base)).body, answer.body)
      const version = await versionOf(db, poolId)
      assert.deepEqual((await put(api, path, maintenance, base)).body, answer.body)
      assert.equal(await versionOf(db, poolId), version, 'probers have nothing to read')
    }
  }
  for (const base of [ELB, OCTAVIA]) {
    const path = `${base}/pools/${poolId}/members/${ids[0]}/health`
    const { health } = (await api.request('GET', path, undefined, asProject)).body
    assert.deepEqual(
      health.maintenance.map((each: { of: string; recurrence: object; occurrences: object[] }) => [
        each.of,
        each.recurrence,
        each.occurrences.length,
      ]),
      ['member', 'pool', 'healthmonitor'].map((of) => [of, SUNDAYS, 4]),
    )
  }
  // It becomes one that happens once.
  const once = await put(api, `/pools/${poolId}`, { note: 'now' })
  assert.deepEqual(Object.keys(once.body.maintenance).toSorted(), ['active', 'end', 'note', 'start'])
})

test('a recurrence without a start begins now; times are taken in the form that they are kept in', async (t) => {
  const api = await startApi(t)
  const { poolId } = await members(api.db, 0)
  const { start: _, ...withoutStart } = SUNDAYS
  const sent = {
    ...withoutStart,
    rrule: 'rrule:freq=daily',
    time_zone: 'UTC',
    except: ['2099-02-01', '2099-01-01'],
  }
  const { body } = await put(api, `/pools/${poolId}`, { recurrence: sent })
  const { recurrence, active } = body.maintenance
  assert.deepEqual(
    [recurrence.rrule, recurrence.except, active],
    ['FREQ=DAILY', ['2099-01-01', '2099-02-01'], true],
  )
  assert.ok(Math.abs(Date.parse(`${recurrence.start}Z`) - Date.now()) < 10_000)
  const short = await put(api, `/pools/${poolId}`, { recurrence: { ...SUNDAYS, start: '2026-01-04T02:00' } })
  assert.equal(short.body.maintenance.recurrence.start, '2026-01-04T02:00:00')
})

test('what is no recurrence is refused, and the refusal names the field and says why', async (t) => {
  const api = await startApi(t)
  const { poolId } = await members(api.db, 0)
  for (const [change, why] of [
    [{ rrule: 'FREQ=HOURLY' }, /recurrence\.rrule.*at most once a day/],
    [{ rrule: 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30' }, /recurrence\.rrule.*does not occur from now on/],
    [{ rrule: 'FREQ=DAILY;UNTIL=20260105T000000Z' }, /does not occur from now on/],
    [{ duration: 8 * 86_400 }, /recurrence\.duration.*overlap/],
    [{ rrule: 'FREQ=DAILY', duration: 86_400 }, /leave out the recurrence/],
    [{ duration: 59 }, /too small/],
    [{ time_zone: 'Mars/Olympus' }, /recurrence\.time_zone.*no time zone/],
    [{ start: '2026-02-30T02:00' }, /recurrence\.start.*not a valid input/],
    [{ start: '2026-01-04T02:00:00Z' }, /recurrence\.start/],
    [{ except: ['2026-02-30'] }, /recurrence\.except/],
    [{ rrule: undefined }, /recurrence\.rrule/],
    [{ until: 'x' }, /Unrecognized attribute/],
  ] as const) {
    for (const base of [ELB, OCTAVIA]) {
      const answer = await put(api, `/pools/${poolId}`, { recurrence: { ...SUNDAYS, ...change } }, base)
      assert.equal(answer.status, 400, JSON.stringify(change))
      assert.match(JSON.stringify(answer.body), why)
    }
  }
  assert.equal((await get(api, `/pools/${poolId}`)).status, 404)
})

/** A probe on request is made with the present configuration, so the prober has it then. */
async function proberKnows(api: Api, path: string): Promise<void> {
  assert.equal((await api.request('POST', `${ELB}${path}/probe`, undefined, asProject)).status, 200)
}

/** One member, ONLINE, whose daily occurrence ends in some seconds. */
async function inOccurrence(t: TestContext, { notifiers = 0 } = {}) {
  const database = await testDatabase(t)
  const { db } = database
  const running = Array.from({ length: notifiers }, () => startNotifierProcess(database))
  const api = await startApi(t, { db })
  const [target] = (await startTargets(t, 1)) as [Target]
  const { poolId } = await insertPool(db, { rise: 1, fall: 1 })
  const [id = ''] = await insertMembers(db, poolId, [target])
  testProber(database)
  await eventually('it is ONLINE', async () => (await statuses(db)).get(id)?.state === 'ONLINE')
  if (notifiers > 0) await eventually('notifiers work', () => running.some(isDelivering))
  const startMs = Math.floor(Date.now() / 1000) * 1000 + 5000 - MINUTE
  const path = `/pools/${poolId}/members/${id}`
  return { db, api, target, id, path, startMs, endMs: startMs + MINUTE }
}

test('a verdict is withheld in an occurrence and published after it; then the next one comes, with two processes too', async (t) => {
  const { db, api, target, id, path, startMs, endMs } = await inOccurrence(t, { notifiers: 2 })
  const answer = await put(api, path, { recurrence: dailyFrom(startMs) })
  assert.equal(answer.body.maintenance.active, true)
  await proberKnows(api, path)
  await target.stop()
  const health = async () =>
    (await api.request('GET', `${ELB}${path}/health`, undefined, asProject)).body.health
  await eventually('probes fail', async () => (await health()).last_probe?.result === 'failed')
  assert.ok(Date.now() < endMs, 'the occurrence lasts')
  assert.equal((await statuses(db)).get(id)?.state, 'ONLINE')
  await eventually('what is true is published', async () => (await statuses(db)).get(id)?.state === 'OFFLINE')
  assert.ok(Date.now() >= endMs)
  const next = new Date(startMs + 24 * 60 * MINUTE).toISOString()
  await eventually('the next occurrence is there', async () => (await stored(db, id))?.start === next)
  const shown = (await get(api, path)).body.maintenance
  assert.deepEqual([shown.start, shown.active, shown.occurrences.length], [next, false, 4])
  await eventually('both events were told', async () => (await told(db)).length >= 2)
  const start = new Date(startMs).toISOString()
  assert.deepEqual(await told(db), [`maintenance.begun ${start}`, `maintenance.ended ${start}`])
})

test('a prober knows the next occurrence, though nobody moves the maintenance on', async (t) => {
  const { db, api, target, id, path, startMs, endMs } = await inOccurrence(t)
  // The second occurrence begins two minutes after the first one: no rule does that, so it is stored by hand.
  await put(api, path, { recurrence: dailyFrom(startMs) })
  const at = (ms: number) => new Date(ms).toISOString()
  const occurrences = [
    { start: at(startMs), end: at(endMs) },
    { start: at(endMs), end: at(endMs + MINUTE) },
  ]
  const before = await stored(db, id)
  assert.ok(before)
  await query(
    db,
    `with moved as (update member set maintenance = $1 where id = $2 returning pool_id)
     update pool set config_version = config_version + 1 where id in (select pool_id from moved)`,
    [JSON.stringify({ ...before, end: at(endMs), occurrences }), id],
  )
  await proberKnows(api, path)
  await target.stop()
  await eventually('the first occurrence is over', () => Date.now() > endMs + 1500)
  assert.equal((await statuses(db)).get(id)?.state, 'ONLINE')
  const shown = (await get(api, path)).body.maintenance
  assert.deepEqual([shown.start, shown.active], [at(endMs), true])
})

test('one that is moved on late skips what is past: no event comes of it, and what lasts begins', async (t) => {
  const { db } = await testDatabase(t)
  const { ids } = await members(db, 2)
  const [id = '', other = ''] = ids
  const hour = 60 * MINUTE
  // Three days ago the first occurrence began; nobody has moved it on since then.
  const startMs = Math.floor(Date.now() / 1000) * 1000 - 72 * hour - 30_000
  await store(db, [id], storedAt(dailyFrom(startMs), startMs))
  // Nothing is left of it.
  await store(db, [other], storedAt(dailyFrom(startMs, { rrule: 'FREQ=DAILY;COUNT=2' }), startMs))
  await observeClock(db)
  assert.deepEqual(await told(db), [])
  assert.equal(await move(db), 2)
  assert.equal(await move(db), 0)
  const start = new Date(startMs + 72 * hour).toISOString()
  assert.equal((await stored(db, id))?.start, start)
  await observeClock(db)
  assert.deepEqual(await told(db), [`maintenance.begun ${start}`])
  // Its last occurrence is kept, and is over.
  const over = await stored(db, other)
  assert.deepEqual([over?.start, over?.occurrences?.length], [new Date(startMs + 24 * hour).toISOString(), 1])
})

test('an occurrence ends and the next one begins between two looks: both are reported', async (t) => {
  const { db } = await testDatabase(t)
  const { ids } = await members(db, 1)
  const hour = 60 * MINUTE
  const startMs = Math.floor(Date.now() / 1000) * 1000 - 24 * hour - 30_000
  const [first, second] = [new Date(startMs).toISOString(), new Date(startMs + 24 * hour).toISOString()]
  const maintenance = storedAt(dailyFrom(startMs), startMs)
  await store(db, ids, { ...maintenance, end: new Date(Date.now() + hour).toISOString() })
  await observeClock(db)
  await store(db, ids, maintenance)
  await move(db)
  await observeClock(db)
  await observeClock(db)
  assert.deepEqual((await told(db)).toSorted(), [
    `maintenance.begun ${first}`,
    `maintenance.begun ${second}`,
    `maintenance.ended ${first}`,
  ])
})

test('two processes that move on at once move each maintenance once', async (t) => {
  const database = await testDatabase(t)
  const { db } = database
  const another = openDatabase({ url: database.url, applicationName: 'another process', maxConnections: 2 })
  database.beforeDrop(() => another.destroy())
  const { poolId, ids } = await members(db, 40)
  const startMs = Math.floor(Date.now() / 1000) * 1000 - 2 * MINUTE
  await store(db, ids, storedAt(dailyFrom(startMs), startMs))
  const version = await versionOf(db, poolId)
  const moved = await Promise.all([move(db), move(another), move(db), move(another)])
  assert.equal(
    moved.reduce((sum, each) => sum + each, 0),
    40,
  )
  assert.equal(await versionOf(db, poolId), version + 1)
})

test('a project with very many that are due holds back no other project', async (t) => {
  const { db } = await testDatabase(t)
  const large = await members(db, 400, 'large')
  const small = await members(db, 2, 'small')
  const startMs = Math.floor(Date.now() / 1000) * 1000 - 2 * MINUTE
  const maintenance = storedAt(dailyFrom(startMs), startMs)
  // Those of the large project are due first.
  await store(db, large.ids, storedAt(dailyFrom(startMs - MINUTE), startMs - MINUTE))
  await store(db, small.ids, maintenance)
  const isMoved = async (id: string) => Date.parse((await stored(db, id))?.end ?? '') > Date.now()
  assert.equal(await move(db, 10), 10)
  for (const id of small.ids) assert.ok(await isMoved(id), 'with the first ones')
  let calls = 1
  while ((await move(db, 10)) > 0) calls++
  assert.equal(calls, 41)
  for (const id of large.ids) assert.ok(await isMoved(id))
})

test('a pool that a request holds is left for the next time, and what the request wrote stays', async (t) => {
  const { db } = await testDatabase(t)
  const held = await members(db, 1)
  const free = await members(db, 1)
  const gone = await members(db, 1)
  const startMs = Math.floor(Date.now() / 1000) * 1000 - 2 * MINUTE
  const maintenance = storedAt(dailyFrom(startMs), startMs)
  await store(db, [...held.ids, ...free.ids, ...gone.ids], maintenance)
  await transaction(db, async (tx) => {
    await query(tx, 'select from pool where id = $1 for no key update', [held.poolId])
    await query(tx, 'delete from health_monitor where pool_id = $1', [gone.poolId])
    await query(tx, 'delete from member where pool_id = $1', [gone.poolId])
    await query(tx, 'delete from pool where id = $1', [gone.poolId])
    assert.equal(await move(db), 1)
    await query(tx, 'update member set maintenance = null where id = $1', [held.ids[0]])
  })
  assert.equal(await move(db), 0)
  assert.equal(await stored(db, held.ids[0] ?? ''), null)
  assert.equal(await stored(db, gone.ids[0] ?? ''), undefined)
  assert.notEqual((await stored(db, free.ids[0] ?? ''))?.start, maintenance.start)
})

test('of a pool and of a monitor it recurs as well, and DELETE ends it for good', async (t) => {
  const api = await startApi(t)
  const { db } = api
  const { poolId, monitorId } = await members(db, 0)
  const startMs = Math.floor(Date.now() / 1000) * 1000 - 2 * MINUTE
  const maintenance = JSON.stringify(storedAt(dailyFrom(startMs), startMs))
  await query(db, 'update pool set maintenance = $1 where id = $2', [maintenance, poolId])
  await query(db, 'update health_monitor set maintenance = $1 where id = $2', [maintenance, monitorId])
  assert.equal(await move(db), 2)
  const next = new Date(startMs + 24 * 60 * MINUTE).toISOString()
  for (const path of [`/pools/${poolId}`, `/healthmonitors/${monitorId}`]) {
    const [shown] = await query<{ start: string }>(
      db,
      `select maintenance->>'start' as start from ${path.includes('pools') ? 'pool' : 'health_monitor'} where id = $1`,
      [path.split('/').at(-1)],
    )
    assert.equal(shown?.start, next)
    assert.equal((await api.request('DELETE', `${ELB}${path}/maintenance`, undefined, asProject)).status, 204)
    assert.equal((await get(api, path)).status, 404)
  }
})

test('uptime counts every occurrence as maintenance, also those that were moved on late', async (t) => {
  const api = await startApi(t)
  const { db } = api
  const { ids } = await members(db, 1)
  const [id = ''] = ids
  const hour = 60 * MINUTE
  await query(db, `update member set created_at = now() - interval '20 days' where id = $1`, [id])
  await query(
    db,
    `insert into member_transition (member_id, pool_id, project_id, at, from_state, to_state, reason, detail, generation, epoch, sequence)
     select id, pool_id, project_id, created_at, 'UNKNOWN', 'ONLINE', 'PASSED', '', generation, 1, 1 from member where id = $1`,
    [id],
  )
  // Three occurrences of an hour: 49 and 25 hours ago, and one that began an hour ago and lasts for another hour.
  const startMs = Math.floor(Date.now() / 1000) * 1000 - 49 * hour
  await store(db, ids, storedAt(dailyFrom(startMs, { duration: 7200 }), startMs))
  const seconds = async () => {
    const { body } = await api.request('GET', `/v1/uptime?member_id=${id}`, undefined, asProject)
    return Math.round(body.windows[1].maintenance_seconds / 60) * 60
  }
  assert.equal(await seconds(), 5 * 3600, 'before it is moved on')
  assert.equal(await move(db), 1)
  assert.equal(await seconds(), 5 * 3600)
  await query(db, 'update member set maintenance = null where id = $1', [id])
  assert.equal(await seconds(), 5 * 3600, 'after it was removed')
})
