/** What is kept and read for uptime is bounded, of each object and by project. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { UPTIME_GONE_PER_STATEMENT, UPTIME_VERDICTS_KEPT } from '../../src/domain/limits.ts'
import { purgeGone } from '../../src/schedule/upkeep/uptime-days.ts'
import { type Db, openDatabase, query } from '../../src/store/connection/database.ts'
import { forgetAsides } from '../../src/store/status/uptime-asides.ts'
import { readFacts } from '../../src/store/status/uptime-facts.ts'
import { purgeGoneUptimes } from '../../src/store/status/uptime-sums.ts'
import { eventually, insertMembers, insertPool } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'

const [THEIRS, OURS] = ['their-project', 'our-project']
const HOUR_MS = 3_600_000

async function aMember(db: Db, project: string): Promise<{ id: string; poolId: string }> {
  const { poolId } = await insertPool(db, {}, project)
  const [id = ''] = await insertMembers(db, poolId, [{ address: '127.0.0.1', port: 1 }])
  await query(
    db,
    `insert into member_state (member_id, generation, status, since, reason, ok_run, bad_run, shard, epoch, sequence)
     values ($1, 0, 'ONLINE', now() - interval '2 days', 'PASSED', 0, 0, 0, 1, 1)`,
    [id],
  )
  await query(db, 'delete from set_aside where object_id = any($1::uuid[])', [[id, poolId]])
  return { id, poolId }
}

/** Generations of first verdicts that are noted of a member, the oldest first. */
async function noted(db: Db, id: string): Promise<readonly number[]> {
  const rows = await query<{ generation: number }>(
    db,
    `select generation from set_aside where object_id = $1 and kind = 'verdict' order by begin_at`,
    [id],
  )
  return rows.map(({ generation }) => generation)
}

/** The first verdicts of so many new generations, each in a transaction of its own. */
async function raise(db: Db, id: string, times: number): Promise<void> {
  for (let i = 0; i < times; i++)
    await query(db, 'update member_state set generation = generation + 1 where member_id = $1', [id])
}

test('however often a project raises generations, its members have a bounded number of first verdicts, the newest', async (t) => {
  const { db } = await testDatabase(t)
  const [theirs, ours] = [await aMember(db, THEIRS), await aMember(db, OURS)]
  await raise(db, ours.id, 5)
  await raise(db, theirs.id, 500)
  const kept = await noted(db, theirs.id)
  // One statement of eight trims, by chance: that 200 in a row do not has a probability of 3e-12.
  assert.ok(
    kept.length >= UPTIME_VERDICTS_KEPT && kept.length < UPTIME_VERDICTS_KEPT + 200,
    `${kept.length} rows`,
  )
  assert.deepEqual(
    kept,
    Array.from({ length: kept.length }, (_, i) => 500 - kept.length + 1 + i),
  )
  assert.deepEqual(await noted(db, ours.id), [1, 2, 3, 4, 5])
})

test('retention forgets first verdicts that are too many, and what ended long ago, of the members that it is given', async (t) => {
  const { db } = await testDatabase(t)
  const [theirs, ours] = [await aMember(db, THEIRS), await aMember(db, OURS)]
  await query(
    db,
    `insert into set_aside (object_id, kind, begin_at, generation)
     select id, 'verdict', now() - (1000 - n) * interval '1 minute', n
     from unnest($1::uuid[]) id cross join generate_series(1, 300) n`,
    [[theirs.id, ours.id]],
  )
  await query(
    db,
    `insert into set_aside (object_id, kind, begin_at, end_at) values
       ($1, 'off', now() - interval '40 days', now() - interval '39 days'),
       ($1, 'off', now() - interval '40 days', null),
       ($1, 'generation', now() - interval '40 days', null)`,
    [theirs.id],
  )
  await forgetAsides(db, [theirs.id])
  assert.deepEqual(
    await noted(db, theirs.id),
    Array.from({ length: UPTIME_VERDICTS_KEPT }, (_, i) => 300 - UPTIME_VERDICTS_KEPT + 1 + i),
  )
  assert.equal((await noted(db, ours.id)).length, 300)
  const rest = await query(db, `select kind, end_at from set_aside where kind <> 'verdict' order by kind`)
  assert.deepEqual(rest, [
    { kind: 'generation', end_at: null },
    { kind: 'off', end_at: null },
  ])
})

/** Switched off every minute of the last `minutes`, for half a minute. */
async function switchOften(db: Db, id: string, minutes: number): Promise<void> {
  await query(
    db,
    `insert into set_aside (object_id, kind, begin_at, end_at)
     select $1::uuid, 'off', now() - n * interval '1 minute', now() - n * interval '1 minute' + interval '30 seconds'
     from generate_series(1, $2::int) n`,
    [id, minutes],
  )
}

test('of each object a bounded number of times that stand apart is read, within the time that is asked for', async (t) => {
  const { db } = await testDatabase(t)
  const [theirs, ours] = [await aMember(db, THEIRS), await aMember(db, OURS)]
  await switchOften(db, theirs.id, 1000)
  await switchOften(db, ours.id, 50)
  await query(
    db,
    `insert into set_aside (object_id, kind, begin_at) values ($1, 'maintenance', now() - interval '20 days')`,
    [ours.id],
  )
  const nowMs = Date.now()
  const read = async (hours: number) => {
    const fromMs = nowMs - hours * HOUR_MS
    const facts = await readFacts(
      db,
      'member',
      [theirs, ours].map(({ id }) => ({ id, fromMs })),
      { toMs: nowMs + HOUR_MS, asidesFromMs: fromMs, max: 200, end: 'newest' },
    )
    return (id: string) => facts.find((each) => each.id === id)
  }
  const day = await read(24)
  assert.equal(day(theirs.id)?.facts.asides.length, 200)
  const exactFromMs = day(theirs.id)?.exactFromMs ?? 0
  assert.ok(Math.abs(exactFromMs - (nowMs - 200 * 60_000)) < 60_000, 'before that some may be missing')
  assert.equal(day(ours.id)?.facts.asides.length, 51, 'one that lasts is read, whenever it began')
  const hour = await read(1)
  assert.equal(hour(theirs.id)?.facts.asides.length, 60)
})

test('a generation whose first verdict is kept no longer, as there were too many since, awaits none', async (t) => {
  const { db } = await testDatabase(t)
  const { id, poolId } = await aMember(db, OURS)
  const count = UPTIME_VERDICTS_KEPT + 20
  await query(db, 'update member_state set generation = $1', [count])
  await query(db, 'delete from set_aside')
  await query(
    db,
    `insert into set_aside (object_id, kind, begin_at, generation)
     select $1::uuid, 'generation', now() - (500 - n) * interval '1 minute', n from generate_series(1, $3::int) n
     union all
     select $2::uuid, 'verdict', now() - (500 - n) * interval '1 minute' + interval '1 second', n
     from generate_series(1, $3::int) n`,
    [poolId, id, count],
  )
  await forgetAsides(db, [id])
  const fromMs = Date.now() - 24 * HOUR_MS
  const asked = { toMs: Date.now(), asidesFromMs: fromMs, max: 1000, end: 'newest' } as const
  const [read] = await readFacts(db, 'member', [{ id, fromMs }], asked)
  assert.deepEqual(
    read?.facts.generations.map(({ generation }) => generation),
    Array.from({ length: UPTIME_VERDICTS_KEPT - 1 }, (_, i) => 22 + i),
  )
  assert.equal(read?.facts.firstVerdicts.length, UPTIME_VERDICTS_KEPT)
})

/** Objects of a project that are gone, with a sum of one day each. */
async function gone(db: Db, project: string, count: number): Promise<void> {
  const ids = Array.from({ length: count }, () => randomUUID())
  await query(
    db,
    'insert into uptime_gone (object_id, project_id) select id, $2 from unnest($1::uuid[]) id',
    [ids, project],
  )
  await query(
    db,
    `insert into uptime_day select id, '2026-11-01', 86400000, 0, 0, 0, 0, 0 from unnest($1::uuid[]) id`,
    [ids],
  )
}
const waiting = async (db: Db, project: string): Promise<number> =>
  (await query(db, 'select from uptime_gone where project_id = $1', [project])).length

test('what is left of deleted objects goes in one pass, however many there are, and projects take turns', async (t) => {
  const { db } = await testDatabase(t)
  const many = 2 * UPTIME_GONE_PER_STATEMENT + 100
  await gone(db, 'a-project-of-many', many)
  await gone(db, OURS, 3)
  const first = await purgeGoneUptimes(db, 2000)
  assert.deepEqual(first, { rows: UPTIME_GONE_PER_STATEMENT, isMore: true })
  assert.equal(await waiting(db, OURS), 0, 'the first of each project come first')
  let statements = 0
  const rows = await purgeGone(
    (statement) => statement(),
    () => {
      statements += 1
      return purgeGoneUptimes(db, 2000)
    },
  )
  assert.equal(rows, many + 3 - UPTIME_GONE_PER_STATEMENT)
  assert.equal(statements, 2)
  assert.deepEqual(await query(db, 'select * from uptime_gone'), [])
  assert.deepEqual(await query(db, 'select * from uptime_day'), [])
})

test('an object with more sums than a statement deletes is forgotten when all of them are gone', async (t) => {
  const { db } = await testDatabase(t)
  await gone(db, OURS, 3)
  assert.deepEqual(await purgeGoneUptimes(db, 2), { rows: 2, isMore: true })
  assert.equal(await waiting(db, OURS), 1)
  assert.deepEqual(await purgeGoneUptimes(db, 2), { rows: 1, isMore: false })
  assert.equal(await waiting(db, OURS), 0)
  assert.deepEqual(await purgeGoneUptimes(db, 2), { rows: 0, isMore: false })
})

test('a member that did not exist on a closed day leaves nothing to forget; one that did, and a pool, do', async (t) => {
  const { db } = await testDatabase(t)
  const [fresh, old, part] = [await aMember(db, THEIRS), await aMember(db, OURS), await aMember(db, OURS)]
  await query(db, `update member set created_at = now() - interval '1 day' where id = $1`, [old.id])
  await query(
    db,
    `insert into uptime_part values ($1, (now() at time zone 'UTC')::date, now(), 0, 0, 0, 0, 0, 0)`,
    [part.id],
  )
  await query(db, 'delete from member')
  const left = async () =>
    await query<{ id: string; project: string }>(
      db,
      'select object_id as id, project_id as project from uptime_gone order by object_id',
    )
  assert.deepEqual(
    await left(),
    [old.id, part.id].toSorted().map((id) => ({ id, project: OURS })),
  )
  await query(db, 'delete from uptime_gone')
  await query(db, 'delete from health_monitor')
  await query(db, 'delete from listener')
  await query(db, 'delete from pool where id = $1', [fresh.poolId])
  assert.deepEqual(await left(), [{ id: fresh.poolId, project: THEIRS }])
})

test('a connection that is never closed when idle keeps the lock of its session; another one loses it', async (t) => {
  const { db, url } = await testDatabase(t)
  const open = (idleMs: number) => {
    const pool = openDatabase({ url, applicationName: 'healthmonitor test', maxConnections: 1, idleMs })
    t.after(() => pool.destroy())
    return pool
  }
  const [short, endless] = [open(20), open(Number.POSITIVE_INFINITY)]
  await query(endless, 'select pg_advisory_lock(1)')
  await query(short, 'select pg_advisory_lock(2)')
  const held = async () => {
    const locks = `select objid::int as id from pg_locks where locktype = 'advisory' and objid in (1, 2) and database = (
      select oid from pg_database where datname = current_database())`
    return (await query<{ id: number }>(db, locks)).map(({ id }) => id)
  }
  await eventually(
    'the idle connection is closed, and its lock is gone',
    async () => !(await held()).includes(2),
  )
  assert.deepEqual(await held(), [1])
})
