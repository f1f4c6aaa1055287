/**
 * `node dist/bench/figures.js [--members 100000] [--per-pool 100]`
 *
 * `/metrics/pools` and `/metrics/members` with many members: milliseconds of the first scrape, which reads, and of the next one,
 * bytes, the longest time for which the event loop was held, and CPU seconds of this process and of PostgreSQL. Every member has a
 * verdict, a probe in a checkpoint and a certificate.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { request } from 'node:http'
import { figurePages } from '../src/bin/process/figure-pages.ts'
import { serveMetrics } from '../src/runtime/scrape/metrics-endpoint.ts'
import { type Database, openDatabase, query } from '../src/store/connection/database.ts'
import { migrateToLatest } from '../src/store/connection/migrate.ts'
import { commandLine } from './command-line.ts'
import { kindOf } from './engine-kinds.ts'
import { storeMembers } from './member-rows.ts'
import { startPostgres } from './postgres.ts'
import { cpuSecondsOf, postgresCpuSeconds } from './usage.ts'
import { progress } from './progress.ts'

const STORE_MS = 120_000

const values = commandLine('node dist/bench/figures.js [options]', { members: '100000', 'per-pool': '100' })

/** What probers would have written. */
const VERDICTS = `
  insert into member_state
    (member_id, pool_id, status, since, reason, generation, ok_run, bad_run, shard, epoch, sequence)
  select m.id, m.pool_id, case when n % 20 = 0 then 'OFFLINE' else 'ONLINE' end, now(), 'PASSED', check_generation, 1, 0,
    p.shard, 1, n
  from (select id, pool_id, check_generation, row_number() over () as n from member_detail) m join pool p on p.id = m.pool_id`
const CHECKPOINTS = `
  insert into shard_checkpoint (shard, epoch, as_of, member_ids, generations, probed_at, next_at, outcomes, reasons, total_us,
    echo_us, connect_us, tls_us, first_byte_us, ok_runs, bad_runs, stale, flags)
  select p.shard, 1, now(), array_agg(m.id), array_agg(m.check_generation), array_agg(now()), array_agg(now()),
    array_agg('passed'::text), array_agg('PASSED'::text), array_agg((random() * 20000)::int), array_agg(1), array_agg(1),
    array_agg(1), array_agg(1), array_agg(1::smallint), array_agg(0::smallint), array_agg(false), array_agg(0::smallint)
  from member_detail m join pool p on p.id = m.pool_id group by p.shard`
const CERTIFICATES = `
  insert into member_certificate (member_id, project_id, generation, not_after, warn_at, subject, issuer)
  select id, project_id, check_generation, now() + random() * interval '1 year', null, 'bench', 'bench' from member_detail`

async function fill(url: string, db: Database): Promise<void> {
  await migrateToLatest(db, url)
  progress.show('storing members')
  await query(db, 'set statement_timeout = 0')
  await storeMembers(
    db,
    { ...kindOf('https').monitor, delaySeconds: 5, timeoutSeconds: 1 },
    {
      count: Number(values.members),
      perPool: Number(values['per-pool']),
      port: 80,
    },
  )
  progress.show('storing verdicts')
  await query(db, VERDICTS, [], STORE_MS)
  await query(db, CHECKPOINTS, [], STORE_MS)
  await query(db, CERTIFICATES, [], STORE_MS)
  await query(db, 'analyze', [], STORE_MS)
  progress.end()
}

/** Reads a page as Prometheus does, and forgets it. */
async function scrape(url: string): Promise<{ readonly ms: number; readonly bytes: number }> {
  const startedMs = performance.now()
  return await new Promise((resolve, reject) => {
    const asked = request(url, { headers: { 'accept-encoding': 'gzip' } }, (answer) => {
      let bytes = 0
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length
      })
      answer.on('end', () => resolve({ ms: Math.round(performance.now() - startedMs), bytes }))
    })
    asked.on('error', reject).end()
  })
}

async function measure(db: Database, url: string): Promise<object> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const before = { own: cpuSecondsOf(process.pid), postgres: (await postgresCpuSeconds(db)) ?? 0 }
  delay.enable()
  const first = await scrape(url)
  delay.disable()
  const used = {
    own: cpuSecondsOf(process.pid) - before.own,
    postgres: ((await postgresCpuSeconds(db)) ?? 0) - before.postgres,
  }
  return { first, next: await scrape(url), heldMs: Math.round(delay.max / 1e6), cpuSeconds: used }
}

const postgres = await startPostgres({ isDurable: false })
const db = openDatabase({ url: postgres.url, applicationName: 'bench', maxConnections: 1 })
try {
  await fill(postgres.url, db)
  const api = openDatabase({ url: postgres.url, applicationName: 'bench', maxConnections: 4 })
  const figures = figurePages({ metricsPages: { pools: true, members: true } })
  figures.open(api)
  const listener = await serveMetrics(
    { host: '127.0.0.1', port: 0 },
    { read: () => Promise.resolve(''), pages: figures.pages },
  )
  for (const page of ['pools', 'members'])
    console.log(page, await measure(db, `${listener.url}/metrics/${page}`))
  console.log({ residentMegabytes: Math.round(process.memoryUsage.rss() / 1e6) })
  await listener.close()
  await api.destroy()
} finally {
  progress.end()
  await db.destroy()
  await postgres.stop()
}
