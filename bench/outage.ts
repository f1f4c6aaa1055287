/**
 * `node dist/bench/outage.js [--members 100000] [--pools 381] [--delay 10] [--probers 2] [--handshake whole|half]
 *    [--how none|kill|stop|restart] [--hogs 0] [--times 1] [--out FILE]`
 *
 * A large farm that does nothing special for three delays, and then how long members are not probed when something breaks: a
 * prober that is killed (kill -9), one that is stopped for longer than its lease and goes on (SIGSTOP, SIGCONT), or a restart of
 * the whole service (`none`: nothing breaks). TCP members on distinct addresses of 127.0.0.0/8, all answered by one listener,
 * which knows of each when it was probed: the figures are what arrived, not what a prober says. Of the steady time:
 *
 *   probes     that arrived in a second, and that were to arrive; skipped: planned times that passed (hm_probes_skipped_total)
 *   lateness   between the planned time of a probe and its start, of all probers
 *   CPU        of a core, probers and PostgreSQL; resident memory of each prober
 *
 * Of a break:
 *
 *   again      from the break to the first probe after it, of the members that the broken prober had (restart: of all)
 *   gap        between the last probe before the break and the first after it; without a break it is the delay
 *   leases     shards that changed hands until everything had been probed again and one lease more had passed
 *   false      transitions that were written since the break: nothing fails here, so it must be 0
 *   scrape     milliseconds of a GET of /metrics of all processes, the longest of ten
 *
 * `--hogs`: processes beside that take all the CPU they get. Takes a C compiler, and with `half` the right to open raw sockets. On loopback, bounded, ended by pid.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { SHARD_COUNT, SHARD_LEASE_MS_DEFAULT } from '../src/domain/limits.ts'
import { type Database, openDatabase, query } from '../src/store/connection/database.ts'
import { migrateToLatest } from '../src/store/connection/migrate.ts'
import { commandLine } from './command-line.ts'
import { kindOf } from './engine-kinds.ts'
import { type StoredMember, storeMembers } from './member-rows.ts'
import { freePorts } from './namespace.ts'
import { observeSteady, steadyLine } from './outage-steady.ts'
import { type Arrivals, type OutageTarget, startOutageTarget } from './outage-target.ts'
import { startPostgres } from './postgres.ts'
import { answering, endService, startService } from './service.ts'
import { progress } from './progress.ts'

const FIRST_PORT = 19_890
const DEADLINE_MS = 600_000
const SCRAPES = 10
/** How long a stopped prober sleeps: its lease has ended and another has what it had. */
const STOP_MS = 2 * SHARD_LEASE_MS_DEFAULT

const values = commandLine('node dist/bench/outage.js [options]', {
  members: '100000',
  pools: '381',
  delay: '10',
  probers: '2',
  handshake: 'whole',
  how: 'kill',
  hogs: '0',
  times: '1',
  out: '',
})
const members = Number(values.members)
const delayMs = Number(values.delay) * 1000
/** Between two questions to PostgreSQL: counting a million members is work. */
const askEveryMs = members > 200_000 ? 2000 : 50

interface Farm {
  readonly db: Database
  readonly target: OutageTarget
  readonly stored: readonly StoredMember[]
  readonly metricsUrl: string
  service: Service
  readonly start: () => Promise<Service>
}

interface Service {
  readonly child: ChildProcess
  /** Messages of its warnings, and how often each came. */
  readonly warnings: Map<string, number>
  longestStallMs: number
}

/** What a break did. */
interface Outage {
  readonly againMs: Quantiles
  readonly gapMs: Quantiles
  readonly affected: number
  readonly never: number
  readonly leases: number
  readonly falseTransitions: number
  readonly scrapeMs: number
  readonly longestStallMs: number
  readonly warnings: Readonly<Record<string, number>>
}

interface Quantiles {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'healthmonitor-outage-'))
  const postgres = await startPostgres()
  const [port = 0, apiPort = 0, metricsPort = 0] = await freePorts(FIRST_PORT, 3)
  const target = await startOutageTarget(folder, { port, members, handshake: handshake() })
  const db = openDatabase({ url: postgres.url, applicationName: 'bench', maxConnections: 1 })
  const start = () => startWatched({ databaseUrl: postgres.url, apiPort, metricsPort })
  const hogs: ChildProcess[] = []
  let farm: Farm | undefined
  try {
    await migrateToLatest(db, postgres.url)
    const stored = await fill(db, port)
    farm = {
      db,
      target,
      stored,
      start,
      metricsUrl: `http://127.0.0.1:${metricsPort}/metrics`,
      service: await start(),
    }
    await settle(farm)
    const steady = await observeSteady({ ...farm, pid: farm.service.child.pid ?? 0, members, delayMs })
    console.log(steadyLine(steady))
    for (let n = 0; n < Number(values.hogs); n++)
      hogs.push(spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }))
    const outages: Outage[] = []
    for (let n = 0; n < breaks(); n++) {
      progress.show(`break ${n + 1} of ${values.times}`)
      const outage = await breakOnce(farm)
      print(outage)
      outages.push(outage)
    }
    const about = { at: new Date().toISOString(), node: process.version, options: values }
    if (values.out !== '')
      writeFileSync(values.out, `${JSON.stringify({ ...about, steady, outages }, undefined, 2)}\n`)
  } finally {
    for (const hog of hogs) hog.kill('SIGKILL')
    if (farm !== undefined) await endService(farm.service.child)
    target.stop()
    await db.destroy()
    await postgres.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

function handshake(): 'whole' | 'half' {
  if (values.handshake === 'whole' || values.handshake === 'half') return values.handshake
  throw new Error(`--handshake is whole or half, not ${values.handshake}`)
}

function breaks(): number {
  return values.how === 'none' ? 0 : Number(values.times)
}

async function fill(db: Database, port: number): Promise<readonly StoredMember[]> {
  await query(db, 'set statement_timeout = 0')
  const perPool = Math.ceil(members / Number(values.pools))
  const kind = kindOf(handshake() === 'half' ? 'tcp-half' : 'tcp')
  const monitor = { ...kind.monitor, delaySeconds: Number(values.delay), timeoutSeconds: 3 }
  return await storeMembers(db, monitor, { count: members, perPool, port })
}

/** Everything is ONLINE, and every member is probed once in a delay. */
async function settle({ db, target }: Farm): Promise<void> {
  const startedMs = performance.now()
  await until('every member is ONLINE', async () => {
    const [row] = await query<{ n: number }>(
      db,
      `select count(*) as n from member_state where status = 'ONLINE'`,
    )
    return row?.n === members
  })
  console.log(
    `${members} members, delay ${values.delay} s, ${values.probers} probers, ${values.hogs} hogs: ` +
      `all ONLINE after ${seconds(performance.now() - startedMs)}`,
  )
  await wait(delayMs)
  await steady(target)
}

/** Waits until every member was probed within about one delay; on a busy host some are late. */
async function steady(target: OutageTarget): Promise<void> {
  await until('every member is probed in one delay', async () => {
    await target.mark()
    await wait(1.5 * delayMs)
    return (await target.seen()) === members
  })
}

async function breakOnce(farm: Farm): Promise<Outage> {
  const { db, target } = farm
  await steady(target)
  const scrapeMs = await scrape(farm.metricsUrl)
  farm.service.warnings.clear()
  farm.service.longestStallMs = 0
  const epochs = await sumOfEpochs(db)
  const [clock] = await query<{ now: Date }>(db, 'select now() as now')
  const broken = await breakService(farm)
  const startedMs = performance.now()
  let left = members
  await until('every member is probed again', async () => {
    left = members - (await target.seen())
    return left === 0
  }).catch(() => console.log(`${left} members were not probed within ${seconds(DEADLINE_MS)}`))
  await wait(Math.max(0, STOP_MS + SHARD_LEASE_MS_DEFAULT - (performance.now() - startedMs)))
  const arrivals = await target.arrivals()
  const affected = arrivals.filter((_, n) => broken.has(farm.stored[n]?.shard ?? -1))
  const [falls] = await query<{ n: number }>(
    db,
    'select count(*) as n from member_transition where at > $1',
    [clock?.now.toISOString()],
  )
  return {
    againMs: quantiles(affected.flatMap(({ firstAfterMs }) => firstAfterMs ?? [])),
    gapMs: quantiles(affected.flatMap(gapOf)),
    affected: affected.length,
    never: affected.filter(({ firstAfterMs }) => firstAfterMs === undefined).length,
    leases: (await sumOfEpochs(db)) - epochs,
    falseTransitions: falls?.n ?? -1,
    scrapeMs,
    longestStallMs: farm.service.longestStallMs,
    warnings: Object.fromEntries(farm.service.warnings),
  }
}

/** Makes the fault, sets the mark at that moment, and returns the shards that are not probed then. */
async function breakService(farm: Farm): Promise<ReadonlySet<number>> {
  const { db, target } = farm
  if (values.how === 'restart') {
    const startedMs = performance.now()
    await endService(farm.service.child)
    await target.mark()
    console.log(`the service ended within ${seconds(performance.now() - startedMs)}`)
    farm.service = await farm.start()
    return new Set(Array.from({ length: SHARD_COUNT }, (_, shard) => shard))
  }
  const [victim] = await query<{ pid: number; shards: number[] }>(
    db,
    `select p.pid, array(select s.id::int from shard s where s.owner = p.id) as shards from prober p
     where p.lease_until > now() order by p.started_at limit 1`,
  )
  if (victim === undefined) throw new Error('no prober is alive')
  if (values.how === 'kill') process.kill(victim.pid, 'SIGKILL')
  else {
    process.kill(victim.pid, 'SIGSTOP')
    setTimeout(() => process.kill(victim.pid, 'SIGCONT'), STOP_MS)
  }
  await target.mark()
  return new Set(victim.shards)
}

function gapOf({ firstAfterMs, lastBeforeMs }: Arrivals): number | readonly number[] {
  return firstAfterMs === undefined || lastBeforeMs === undefined ? [] : firstAfterMs + lastBeforeMs
}

function quantiles(numbers: readonly number[]): Quantiles {
  const sorted = numbers.toSorted((a, b) => a - b)
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
  return { p50: at(0.5), p99: at(0.99), max: at(1) }
}

function print(outage: Outage): void {
  const shown = ({ p50, p99, max }: Quantiles) =>
    `p50 ${seconds(p50)} p99 ${seconds(p99)} max ${seconds(max)}`
  console.log(
    `${values.how}: again ${shown(outage.againMs)}; gap ${shown(outage.gapMs)} (${outage.affected} members, ` +
      `${outage.never} never); leases ${outage.leases}; false ${outage.falseTransitions}; ` +
      `scrape ${outage.scrapeMs.toFixed(0)} ms; longest stall ${outage.longestStallMs} ms`,
  )
  for (const [message, count] of Object.entries(outage.warnings)) console.log(`  ${count} x ${message}`)
}

async function scrape(url: string): Promise<number> {
  let longestMs = 0
  for (let n = 0; n < SCRAPES; n++) {
    const startedMs = performance.now()
    await (await fetch(url)).text()
    longestMs = Math.max(longestMs, performance.now() - startedMs)
    await wait(100)
  }
  return longestMs
}

async function sumOfEpochs(db: Database): Promise<number> {
  const [row] = await query<{ n: number }>(db, 'select sum(epoch)::float8 as n from shard')
  return row?.n ?? 0
}

async function startWatched(at: {
  readonly databaseUrl: string
  readonly apiPort: number
  readonly metricsPort: number
}): Promise<Service> {
  const child = startService(
    {
      DATABASE_URL: at.databaseUrl,
      HM_LISTEN: `127.0.0.1:${at.apiPort}`,
      HM_METRICS_LISTEN: `127.0.0.1:${at.metricsPort}`,
      HM_PROBERS: values.probers,
      HM_PROBES_PER_SECOND_PER_PROJECT: '-1',
    },
    { stderr: 'pipe' },
  )
  if (child.stderr === null) throw new Error('its log cannot be read')
  const service: Service = { child, warnings: new Map(), longestStallMs: 0 }
  createInterface({ input: child.stderr }).on('line', (line) => note(service, line))
  await answering(child, `http://127.0.0.1:${at.apiPort}`)
  return service
}

function note(service: Service, line: string): void {
  const message = /"msg":"([^"]*)"/.exec(line)?.[1] ?? line
  service.warnings.set(message, (service.warnings.get(message) ?? 0) + 1)
  const stalledMs = Number(/"stalled_ms":(\d+)/.exec(line)?.[1] ?? 0)
  service.longestStallMs = Math.max(service.longestStallMs, stalledMs)
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  progress.show(`until ${what}`)
  const deadline = performance.now() + DEADLINE_MS
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited ${seconds(DEADLINE_MS)} in vain until ${what}`)
    await wait(askEveryMs)
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

await main()
