/**
 * `node dist/bench/retention.js [--rows 10000000] [--members 100000] [--excess 1000] [--over 500]`
 *
 * Retention over a large history: `rows` transitions of `members` members, of which `excess` members have `over` more than may be
 * kept. A first pass, which walks over all members, then passes after 10 000 new transitions: how long each took, how many
 * rows went, and its statements by number and by the longest. On a PostgreSQL of its own, not durable.
 */
import { performance } from 'node:perf_hooks'
import { PURGE_BATCH_ROWS } from '../src/domain/limits.ts'
import { createLog } from '../src/runtime/output/log.ts'
import { Retention } from '../src/schedule/upkeep/retention.ts'
import { type Database, openDatabase, query } from '../src/store/connection/database.ts'
import { migrateToLatest } from '../src/store/connection/migrate.ts'
import {
  membersAfter,
  readRetentionProgress,
  saveRetentionProgress,
  withRetentionLock,
  writersAfter,
} from '../src/store/probing/retention.ts'
import { purgeOldTransitions, trimTransitions } from '../src/store/probing/trim.ts'
import { commandLine } from './command-line.ts'
import { startPostgres } from './postgres.ts'

const LOAD_MS = 3_600_000

const values = commandLine('node dist/bench/retention.js [options]', {
  rows: '10000000',
  members: '100000',
  excess: '1000',
  over: '500',
})
const rows = Number(values.rows)
const members = Number(values.members)
const excess = Number(values.excess)
const over = Number(values.over)
/** What may be kept of a member: what most have. */
const keep = Math.ceil(rows / members)

/** Member n, in no order of n. */
const MEMBER = `md5(n::text)::uuid`

const FILL = `
insert into member_transition (member_id, pool_id, project_id, at, from_state, to_state, reason, generation, epoch, sequence)
select md5((n % $1)::text)::uuid, md5('pool ' || n % $1 / 500)::uuid, 'bench', now() - interval '1 day', 'ONLINE', 'OFFLINE',
  'CONNECT_REFUSED', 1, $2::bigint, n
from generate_series(1, $3::bigint) n`

async function main(): Promise<void> {
  const postgres = await startPostgres({ isDurable: false })
  const db = openDatabase({ url: postgres.url, applicationName: 'bench', maxConnections: 1 })
  try {
    await migrateToLatest(db, postgres.url)
    await query(db, 'set statement_timeout = 0')
    const startedMs = performance.now()
    await query(db, FILL, [members, 1, rows], LOAD_MS)
    await query(db, FILL, [excess, 2, excess * over], LOAD_MS)
    console.log(`${rows + excess * over} transitions stored in ${seconds(performance.now() - startedMs)}`)
    await query(db, 'vacuum analyze member_transition', [], LOAD_MS)
    await query(db, 'update retention_progress set position = (select max(id) from member_transition)')
    await pass(db, 'first pass, with a walk over all members')
    for (let n = 3; n < 6; n++) {
      await query(db, FILL, [members, n, 10_000], LOAD_MS)
      await query(db, `update retention_progress set passed_at = now() - interval '1 hour'`)
      await pass(db, 'pass after 10 000 new transitions')
    }
    const [left] = await query<{ most: number }>(
      db,
      `select max(kept) as most from (
         select count(*) as kept from member_transition where member_id in (
           select ${MEMBER} from generate_series(0, $1::int) n
         ) group by member_id) counted`,
      [Math.min(999, excess - 1)],
      LOAD_MS,
    )
    console.log(
      `most transitions of one of the members that had too many: ${left?.most}; may be kept: ${keep}`,
    )
  } finally {
    await db.destroy()
    await postgres.stop()
  }
}

/** One pass with the store's statements, each timed. */
async function pass(db: Database, name: string): Promise<void> {
  const took: number[] = []
  let purged = 0
  const timed = async <Result>(statement: Promise<Result>): Promise<Result> => {
    const startedMs = performance.now()
    const result = await statement
    took.push(performance.now() - startedMs)
    return result
  }
  const retention = new Retention({
    log: createLog({ level: 'warn', process: 'bench' }),
    metrics: {
      purged: (count) => {
        purged += count
      },
      retentionSucceeded: () => undefined,
      retentionFailed: () => undefined,
    },
    store: {
      alone: async (work) => {
        await withRetentionLock(db, work)
      },
      readProgress: () => readRetentionProgress(db),
      saveProgress: (progress) => saveRetentionProgress(db, progress),
      purges: [(batch) => timed(purgeOldTransitions(db, 30, batch))],
      writersAfter: (position, count) => timed(writersAfter(db, position, count)),
      membersAfter: (member, count) => timed(membersAfter(db, member, count)),
      trim: (some, batch) => timed(trimTransitions(db, some, { keep, batch })),
    },
  })
  const startedMs = performance.now()
  await retention.pass()
  const sorted = took.toSorted((a, b) => a - b)
  const at = (share: number): string =>
    `${(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0).toFixed(0)} ms`
  console.log(
    `${name}: ${seconds(performance.now() - startedMs)}, ${purged} rows purged by batches of ${PURGE_BATCH_ROWS} at most; ` +
      `${took.length} statements: p50 ${at(0.5)} p99 ${at(0.99)} max ${at(1)}`,
  )
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

await main()
