/**
 * `node dist/bench/farm.js [--members 2000] [--pools 64] [--delay 5] [--seconds 120] [--probers 1] [--protocols TCP,HTTP]
 *    [--settle 15] [--out FILE]`
 *
 * The whole service under a steady load, then with every member failing at once: schedule lateness, CPU, memory and
 * descriptors of each process, what PostgreSQL was asked to do, and how long after the probe that decided it each OFFLINE
 * was in PostgreSQL. Everything on loopback, bounded, ended by pid; figures are printed and stored as JSON.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Db, openDatabase, query } from '../src/store/connection/database.ts'
import { commandLine } from './command-line.ts'
import { lateness, type Histogram, readHistogram } from './histogram.ts'
import { loopbackAddress } from './member-rows.ts'
import { startPostgres } from './postgres.ts'
import { endService, startService } from './service.ts'
import { type PostgresUsage, type ProcessUsage, postgresUsage, usageOfTree } from './usage.ts'
import { progress } from './progress.ts'

const API_PORT = 19_876
const METRICS_PORT = 19_877
const FLIP_DEADLINE_MS = 120_000
const BATCH = 200
/** For profiles: `BENCH_NODE_FLAGS='--cpu-prof --cpu-prof-dir=/tmp/profiles'`; child processes inherit them. */
const NODE_FLAGS = process.env['BENCH_NODE_FLAGS']?.split(' ') ?? []
const SUBNET_ID = '11111111-2222-4333-8444-555555555555'

const values = commandLine('node dist/bench/farm.js [options]', {
  members: '2000',
  pools: '64',
  delay: '5',
  seconds: '120',
  probers: '1',
  protocols: 'TCP,HTTP',
  settle: '15',
  out: fileURLToPath(new URL('farm.json', import.meta.url)),
})
const members = Number(values.members)
const pools = Number(values.pools)
const seconds = Number(values.seconds)
const protocols = values.protocols.split(',')
/** What is printed and stored, by the name of the phase. */
const figures: Record<string, object> = {}

interface Sample {
  readonly at: number
  readonly processes: readonly ProcessUsage[]
  readonly postgres: PostgresUsage
  readonly lateness: Histogram
}

async function main(): Promise<void> {
  const postgres = await startPostgres({ isCounting: true })
  const db = openDatabase({ url: postgres.url, applicationName: 'bench', maxConnections: 2 })
  const target = fork(fileURLToPath(new URL('./target.js', import.meta.url)))
  const port = await listening(target)
  const service = startService(
    {
      DATABASE_URL: postgres.url,
      HM_LISTEN: `127.0.0.1:${API_PORT}`,
      HM_METRICS_LISTEN: `127.0.0.1:${METRICS_PORT}`,
      HM_PROBERS: values.probers,
    },
    { flags: NODE_FLAGS },
  )
  try {
    await until(
      'the service answers',
      async () => (await get(`http://127.0.0.1:${API_PORT}/healthcheck`)) !== undefined,
    )
    await query(db, 'create extension pg_stat_statements')
    await configure(port)
    await until('every member is ONLINE', async () => (await counted(db, 'ONLINE')) === members)
    await wait(Number(values.settle) * 1000)
    await steadyState(db, service, postgres.url)
    await failEverything(db, service, target)
    const about = { at: new Date().toISOString(), node: process.version, options: values }
    writeFileSync(values.out, `${JSON.stringify({ ...about, ...figures }, undefined, 2)}\n`)
    console.log(`stored in ${values.out}`)
  } finally {
    await endService(service)
    target.kill('SIGKILL')
    await db.destroy()
    await postgres.stop()
  }
}

/** Seconds from a decision to the statement that wrote it, and from the first decision to the last. */
const WRITE_DELAYS = `
select percentile_cont(0.5) within group (order by delay) as p50, percentile_cont(0.99) within group (order by delay) as p99,
  max(delay) as max, extract(epoch from max(since) - min(since))::float as decided
from (select since, extract(epoch from written_at - since)::float as delay from member_state where status = 'OFFLINE') s`

async function steadyState(db: Db, service: ChildProcess, url: string): Promise<void> {
  const before = await sample(db, service)
  progress.show(`steady state for ${seconds} s`)
  await wait(seconds * 1000)
  const after = await sample(db, service)
  console.log(`\nsteady state: ${members} members, ${pools} pools, delay ${values.delay} s, ${seconds} s`)
  report('steady', before, after)
  console.log(`database: ${new URL(url).host}`)
}

async function failEverything(db: Db, service: ChildProcess, target: ChildProcess): Promise<void> {
  const before = await sample(db, service)
  const closed = once(target, 'message')
  target.send('stop')
  await closed
  const start = performance.now()
  await until('every member is OFFLINE', async () => (await counted(db, 'OFFLINE')) === members)
  const after = await sample(db, service)
  console.log(
    `\nall ${members} members failing at once: OFFLINE after ${((performance.now() - start) / 1000).toFixed(1)} s`,
  )
  report('flip', before, after)
  const [rows] = await query<{ n: number }>(
    db,
    `select count(*) as n from member_transition where to_state = 'OFFLINE'`,
  )
  console.log(`transitions to OFFLINE written: ${rows?.n}`)
  const [delays] = await query<{ p50: number; p99: number; max: number; decided: number }>(db, WRITE_DELAYS)
  figures['write'] = delays ?? {}
  console.log(
    `decided within ${delays?.decided.toFixed(2)} s; in PostgreSQL after p50 ${delays?.p50.toFixed(2)} p99 ` +
      `${delays?.p99.toFixed(2)} max ${delays?.max.toFixed(2)} s`,
  )
}

function report(phase: string, before: Sample, after: Sample): void {
  const elapsed = (after.at - before.at) / 1000
  const late = lateness(before.lateness, after.lateness)
  console.log(`probes started: ${late.count} (${(late.count / elapsed).toFixed(0)}/s)`)
  console.log(`schedule lateness: p50 ${late.p50} p99 ${late.p99} p99.9 ${late.p999}`)
  for (const process of after.processes) {
    const earlier = before.processes.find((candidate) => candidate.pid === process.pid)
    if (earlier === undefined) continue
    const cpu = ((process.cpuSeconds - earlier.cpuSeconds) / elapsed) * 100
    console.log(
      `${process.name.padEnd(10)} pid ${process.pid}: CPU ${cpu.toFixed(1)} %, resident ` +
        `${earlier.residentMegabytes.toFixed(0)} → ${process.residentMegabytes.toFixed(0)} MB, ` +
        `descriptors ${earlier.descriptors} → ${process.descriptors}` +
        (process.name === 'prober' ? `, ${((cpu * 10_000 * elapsed) / late.count).toFixed(0)} µs/probe` : ''),
    )
  }
  const perSecond: Record<string, number> = {}
  for (const key of ['statements', 'transactions', 'rowsWritten', 'walBytes'] as const)
    perSecond[key] = (after.postgres[key] - before.postgres[key]) / elapsed
  figures[phase] = {
    probes: late,
    seconds: elapsed,
    postgresPerSecond: perSecond,
    processes: after.processes,
  }
  const per = (key: keyof PostgresUsage) =>
    ((after.postgres[key] - before.postgres[key]) / elapsed).toFixed(1)
  console.log(
    `PostgreSQL: ${per('statements')} statements/s, ${per('transactions')} transactions/s, ${per('rowsWritten')} rows/s, ` +
      `${per('walBytes')} WAL bytes/s`,
  )
}

async function sample(db: Db, service: ChildProcess): Promise<Sample> {
  return {
    at: performance.now(),
    processes: usageOfTree(service.pid ?? 0),
    postgres: await postgresUsage(db),
    lateness: readHistogram(
      (await get(`http://127.0.0.1:${METRICS_PORT}/metrics`)) ?? '',
      'hm_schedule_lateness_seconds',
    ),
  }
}

/** Pools of each protocol in turn; members on distinct loopback addresses. */
async function configure(port: number): Promise<void> {
  const loadBalancer = await post('loadbalancers', { loadbalancer: { vip_subnet_id: SUBNET_ID } })
  for (let pool = 0; pool < pools; pool++) {
    const protocol = protocols[pool % protocols.length]
    const id = await post('pools', {
      pool: { loadbalancer_id: loadBalancer, protocol, lb_algorithm: 'ROUND_ROBIN' },
    })
    const mine = Array.from({ length: members }, (_, i) => i).filter((i) => i % pools === pool)
    for (let i = 0; i < mine.length; i += BATCH) {
      const items = mine.slice(i, i + BATCH).map((n) => ({
        address: loopbackAddress(n),
        protocol_port: port,
        subnet_id: SUBNET_ID,
      }))
      await send('PUT', `pools/${id}/members`, { members: items, action: 'add' })
    }
    await post('healthmonitors', {
      healthmonitor: { pool_id: id, type: protocol, delay: Number(values.delay), timeout: 3, max_retries: 3 },
    })
  }
}

async function post(path: string, body: object): Promise<string> {
  const [created] = Object.values(
    JSON.parse(await send('POST', path, body)) as Record<string, { id: string }>,
  )
  return created?.id ?? ''
}

async function send(method: string, path: string, body: object): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${API_PORT}/v2.0/lbaas/${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
  return text
}

async function counted(db: Db, status: string): Promise<number> {
  const [row] = await query<{ n: number }>(
    db,
    'select count(*) as n from member_status where operating_status = $1 and since is not null',
    [status],
  )
  return row?.n ?? 0
}

async function listening(target: ChildProcess): Promise<number> {
  const [message] = (await once(target, 'message')) as [{ port: number }]
  return message.port
}

async function get(url: string): Promise<string | undefined> {
  try {
    const answer = await fetch(url)
    return answer.ok ? await answer.text() : undefined
  } catch {
    return undefined
  }
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  progress.show(`until ${what}`)
  const deadline = performance.now() + FLIP_DEADLINE_MS
  while (!(await holds())) {
    if (performance.now() > deadline)
      throw new Error(`waited ${FLIP_DEADLINE_MS / 1000} s in vain until ${what}`)
    await wait(100)
  }
}

await main()
