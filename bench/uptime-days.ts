/**
 * `node dist/bench/uptime-days.js [--members 100000] [--days 3] [--changes 2]`
 *
 * The sums of days (retention) over many members: how long one closed day takes with the rests between its statements,
 * and without them; its statements, rows and bytes; and how long `GET /v1/uptime` and a public page of 100 pools read
 * afterwards. Pools have 500 members; a tenth of the members has `changes` transitions on each day. On a PostgreSQL of
 * its own, not durable.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import { makePageAnswer } from '../src/api/public/page-answer.ts'
import {
  PURGE_REST_MAX_MS,
  UPTIME_CHANGES_MAX,
  UPTIME_DAYS_DEFAULT,
  UPTIME_FACTS_DAYS,
  UPTIME_OBJECTS_PER_STATEMENT,
} from '../src/domain/limits.ts'
import { sumClosedDays } from '../src/schedule/upkeep/uptime-days.ts'
import { type Database, openDatabase, query, transaction } from '../src/store/connection/database.ts'
import { migrateToLatest } from '../src/store/connection/migrate.ts'
import { insertPublicPage } from '../src/store/configuration/public-pages.ts'
import { readHistories } from '../src/store/status/uptime.ts'
import { readObjectsToSum, readSumProgress, saveSums } from '../src/store/status/uptime-sums.ts'
import { commandLine } from './command-line.ts'
import { type MonitorFields, storeMembers } from './member-rows.ts'
import { startPostgres } from './postgres.ts'

const LOAD_MS = 3_600_000
const POOL_MEMBERS = 500
const READS = 50

const MONITOR: MonitorFields = {
  type: 'TCP',
  profile: 'elb',
  delaySeconds: 5,
  timeoutSeconds: 3,
  rise: 3,
  fall: 3,
  monitorPort: null,
  domainName: null,
  urlPath: null,
  httpMethod: null,
  httpVersion: null,
  expectedCodes: null,
  options: null,
}

const values = commandLine('node dist/bench/uptime-days.js [options]', {
  members: '100000',
  days: '3',
  changes: '2',
})
const members = Number(values.members)
const days = Number(values.days)
const changes = Number(values.changes)

/** All were made long ago, and are ONLINE for long. */
const AGE: readonly string[] = [
  `update pool set created_at = now() - interval '100 days'`,
  `update member set created_at = now() - interval '100 days'`,
  `insert into member_state (member_id, generation, status, since, reason, ok_run, bad_run, shard, epoch, sequence)
   select id, generation, 'ONLINE', now() - interval '60 days', 'PASSED', 1, 0, 0, 1, 1 from member`,
  'delete from set_aside',
]

/** A tenth of the members: of each day so many transitions, the first one to OFFLINE. */
const CHANGES = `
insert into member_transition
  (member_id, pool_id, project_id, at, from_state, to_state, reason, generation, epoch, sequence)
select m.id, m.pool_id, m.project_id, now() - ($1::int - n / $2::int) * interval '1 day' + n % $2 * interval '1 hour',
  case when n % 2 = 0 then 'ONLINE' else 'OFFLINE' end, case when n % 2 = 0 then 'OFFLINE' else 'ONLINE' end,
  'PASSED', m.generation, 1, n + 2
from member m, generate_series(0, $1::int * $2::int - 1) n where m.address like '%7'`

async function main(): Promise<void> {
  const postgres = await startPostgres({ isDurable: false })
  const db = openDatabase({ url: postgres.url, applicationName: 'bench', maxConnections: 4 })
  try {
    await migrateToLatest(db, postgres.url)
    await fill(postgres.url)
    await sumDays(db)
    await read(db)
  } finally {
    await db.destroy()
    await postgres.stop()
  }
}

async function fill(url: string): Promise<void> {
  const patient = openDatabase({ url, applicationName: 'bench', maxConnections: 1 })
  try {
    await query(patient, 'set statement_timeout = 0')
    await storeMembers(patient, MONITOR, { count: members, perPool: POOL_MEMBERS, port: 80 })
    for (const statement of AGE) await query(patient, statement, [], LOAD_MS)
    await query(patient, CHANGES, [days, changes], LOAD_MS)
    await query(patient, 'vacuum analyze', [], LOAD_MS)
    await query(patient, `update uptime_progress set day = (now() at time zone 'UTC')::date - 1 - $1::int`, [
      days,
    ])
  } finally {
    await patient.destroy()
  }
}

/** As retention does it: after each statement a rest of the same length. */
async function sumDays(db: Database): Promise<void> {
  const took: number[] = []
  const startedMs = performance.now()
  await sumClosedDays(
    async (statement) => {
      const beganMs = performance.now()
      const result = await statement()
      took.push(performance.now() - beganMs)
      await wait(Math.min(PURGE_REST_MAX_MS, performance.now() - beganMs))
      return result
    },
    {
      readProgress: () => readSumProgress(db),
      readObjects: (progress, count) => readObjectsToSum(db, progress, count),
      save: (sums) => saveSums(db, { ...sums, keepDays: UPTIME_DAYS_DEFAULT }),
    },
    { maxMs: LOAD_MS },
  )
  const passedMs = performance.now() - startedMs
  const sorted = took.toSorted((a, b) => a - b)
  const work = took.reduce((sum, ms) => sum + ms, 0)
  const [size] = await query<{ rows: number; bytes: number }>(
    db,
    `select (select count(*) from uptime_day)::int as rows, pg_total_relation_size('uptime_day') as bytes`,
  )
  const rows = size?.rows ?? 0
  console.log(
    `${members} members and ${members / POOL_MEMBERS} pools, ${days} days: ${seconds(passedMs / days)} a day, ` +
      `${seconds(work / days)} of it work, by ${Math.round(took.length / days)} statements of ` +
      `${UPTIME_OBJECTS_PER_STATEMENT} objects: p50 ${ms(sorted, 0.5)} p99 ${ms(sorted, 0.99)} max ${ms(sorted, 1)}`,
  )
  console.log(
    `${rows / days} rows a day, ${((size?.bytes ?? 0) / Math.max(1, rows)).toFixed(0)} bytes each with the index: ` +
      `${((((size?.bytes ?? 0) / days) * UPTIME_DAYS_DEFAULT) / 1e9).toFixed(1)} GB in ${UPTIME_DAYS_DEFAULT} days`,
  )
}

async function read(db: Database): Promise<void> {
  const nowMs = Date.now()
  const ids = (await query<{ id: string }>(db, 'select id from member limit $1', [READS])).map(({ id }) => id)
  const asked = { nowMs, days: 90, factsDays: UPTIME_FACTS_DAYS, changesMax: UPTIME_CHANGES_MAX }
  const ofMember = await timed(ids, (id) => readHistories(db, 'member', [id], asked))
  const pools = (await query<{ id: string }>(db, 'select id from pool limit 100')).map(({ id }) => id)
  const page = { id: randomUUID(), projectId: 'bench', title: 'bench', showMembers: false, pools }
  await transaction(db, (tx) => insertPublicPage(tx, page, randomBytes(32)))
  const stored = { ...page, poolNames: [], createdAt: new Date(), updatedAt: new Date() }
  const ofPage = await timed(ids, () => makePageAnswer(db, stored))
  console.log(
    `uptime of a member: p50 ${ms(ofMember, 0.5)} p99 ${ms(ofMember, 0.99)}; ` +
      `a public page of ${pools.length} pools: p50 ${ms(ofPage, 0.5)} p99 ${ms(ofPage, 0.99)}`,
  )
}

async function timed(ids: readonly string[], work: (id: string) => Promise<unknown>): Promise<number[]> {
  const took: number[] = []
  for (const id of ids) {
    const startedMs = performance.now()
    await work(id)
    took.push(performance.now() - startedMs)
  }
  return took.toSorted((a, b) => a - b)
}

const seconds = (duration: number): string => `${(duration / 1000).toFixed(1)} s`

function ms(sorted: readonly number[], share: number): string {
  return `${(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0).toFixed(0)} ms`
}

await main()
