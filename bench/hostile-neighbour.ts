/**
 * What one project does to another in the same prober:
 *
 *   npm run build && node dist/bench/hostile-neighbour.js [--attack none,address,prober,rate,new] [--seconds 30] [--budget 4032]
 *
 * A bystander has one HTTP member that is to be probed every second. Then another project attacks, and the bystander's server
 * notes when probes come; at the end it stops, and its OFFLINE is waited for in PostgreSQL. Printed of each attack: seconds
 * between probes (p50, p99, longest), and from the last answer until OFFLINE is in PostgreSQL, beside the longest that its
 * monitor allows (its window, from the end of the last probe that passed).
 *
 *   none     nobody does anything
 *   address  520 members at the bystander's address, whose server accepts and stays silent for the whole timeout of 5 minutes
 *   prober   5 000 such members at addresses of their own, in a prober that may have `budget` probes in flight
 *   rate     2 000 members at the bystander's address, delay 1, where 500 probes a second may go to one address
 *   new      20 000 new members that are to be probed every 50 s; the bystander's member is stored after them
 *
 * One `healthmonitor prober` with an embedded PostgreSQL of its own; everything on loopback, ended by pid.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createSilentServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { DESCRIPTOR_RESERVE, SHARD_COUNT } from '../src/domain/limits.ts'
import { shardOf } from '../src/domain/prober/shard.ts'
import { CONFIG_CHANNEL } from '../src/store/probing/config-channel.ts'
import { type Db, openDatabase, query } from '../src/store/connection/database.ts'
import { migrateToLatest } from '../src/store/connection/migrate.ts'
import { commandLine } from './command-line.ts'
import { loopbackAddress } from './member-rows.ts'
import { startPostgres } from './postgres.ts'
import { PROGRAM } from './service.ts'

const values = commandLine('node dist/bench/hostile-neighbour.js [options]', {
  attack: 'none,address,prober,rate,new',
  seconds: '30',
  budget: '4032',
  role: '',
})
/** Where the bystander's member is, and whatever attacks its address. */
const SHARED_ADDRESS = '127.77.0.1'
/** Seconds: of the bystander's monitor; rise and fall 2. */
const DELAY = 1
const TIMEOUT = 1
const FALL = 2
const WINDOW = FALL * (DELAY + TIMEOUT)
const FLUSH = 0.1
const SILENT_TIMEOUT = 300
const WARM_UP_MS = 8000
const OFFLINE_WITHIN_MS = 120_000
const STORE_MS = 60_000
const MEMBERS_PER_POOL = 500

interface Monitor {
  readonly type: 'HTTP' | 'TCP'
  readonly delaySeconds: number
  readonly timeoutSeconds: number
  /** Where all members of a pool are asked. */
  readonly port: number
}

interface Attack {
  readonly members: number
  readonly addressOf: (n: number) => string
  readonly isSilent: boolean
  /** Absent = DELAY. */
  readonly delaySeconds?: number
  readonly environment?: NodeJS.ProcessEnv
  /** The bystander's member is stored after the attacker's. */
  readonly isFirst?: boolean
}

const ATTACKS: Readonly<Record<string, Attack>> = {
  none: { members: 0, addressOf: loopbackAddress, isSilent: false },
  address: { members: 520, addressOf: () => SHARED_ADDRESS, isSilent: true },
  prober: { members: 5000, addressOf: loopbackAddress, isSilent: true },
  rate: {
    members: 2000,
    addressOf: () => SHARED_ADDRESS,
    isSilent: false,
    environment: { HM_PROBES_PER_SECOND_PER_ADDRESS: '500' },
  },
  new: { members: 20_000, addressOf: loopbackAddress, isSilent: false, delaySeconds: 50, isFirst: true },
}

/** Accepts, reads, and never says anything. */
async function silentTarget(): Promise<void> {
  const server = createSilentServer((socket) => {
    socket.on('error', () => undefined)
    socket.resume()
  })
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '0.0.0.0', backlog: 4096 }, resolve))
  process.send?.((server.address() as AddressInfo).port)
  process.on('disconnect', () => process.exit())
}

async function startSilentTarget(): Promise<{ readonly port: number; readonly stop: () => void }> {
  const child = fork(fileURLToPath(import.meta.url), ['--role', 'silent'])
  const [port] = (await once(child, 'message')) as [number]
  return { port, stop: () => void child.kill('SIGKILL') }
}

/** The bystander's server, and when it was asked. */
async function startBystander() {
  const askedAt: number[] = []
  const server = createServer((_, response) => {
    askedAt.push(performance.now())
    response.end('ok')
  })
  await new Promise<void>((resolve) => server.listen(0, SHARED_ADDRESS, resolve))
  const stop = async (): Promise<void> => {
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
  return { port: (server.address() as AddressInfo).port, askedAt, stop }
}

/** Pools of one project with a monitor each, that probe `port` whatever the member's own is. */
async function store(
  db: Db,
  projectId: string,
  monitor: Monitor,
  addresses: readonly string[],
): Promise<void> {
  for (let from = 0; from < addresses.length; from += MEMBERS_PER_POOL) {
    const [balancerId, poolId] = [randomUUID(), randomUUID()]
    const members = addresses.slice(from, from + MEMBERS_PER_POOL)
    await query(
      db,
      `with lb as (insert into load_balancer (id, project_id, provider) values ($1, $2, 'vlb') returning id),
         p as (
           insert into pool (id, project_id, load_balancer_id, protocol, lb_algorithm, shard)
           select $3, $2, lb.id, 'TCP', 'ROUND_ROBIN', $4 from lb returning id, shard
         ), hm as (
           insert into health_monitor (id, project_id, pool_id, type, profile, delay_seconds, timeout_seconds, rise, fall,
             monitor_port, url_path, http_method, expected_codes)
           select gen_random_uuid(), $2, p.id, $5, 'elb', $6, $7, 2, $8, $9, $10, $11, $12 from p
         ), m as (
           insert into member (id, project_id, pool_id, address, protocol_port)
           select gen_random_uuid(), $2, p.id, address, port from p, unnest($13::text[], $14::int[]) as a (address, port)
         )
       select pg_notify('${CONFIG_CHANNEL}', shard::text) from p`,
      [
        balancerId,
        projectId,
        poolId,
        shardOf(poolId),
        monitor.type,
        monitor.delaySeconds,
        monitor.timeoutSeconds,
        FALL,
        monitor.port,
        ...(monitor.type === 'HTTP' ? ['/', 'GET', '200'] : [null, null, null]),
        members,
        members.map((_, n) => 1024 + ((from + n) % 60_000)),
      ],
      STORE_MS,
    )
  }
}

/** A prober process that may have so many descriptors. */
function startProber(databaseUrl: string, environment: NodeJS.ProcessEnv = {}): ChildProcess {
  const limit = Number(values.budget) + DESCRIPTOR_RESERVE
  return spawn('sh', ['-c', `ulimit -Sn ${limit} && exec "$0" "$1" prober`, process.execPath, PROGRAM], {
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: databaseUrl,
      HM_METRICS_LISTEN: 'off',
      HM_LOG_LEVEL: 'error',
      ...environment,
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

async function run(name: string, attack: Attack): Promise<void> {
  const postgres = await startPostgres()
  const db = openDatabase({ url: postgres.url, applicationName: 'bench', maxConnections: 1 })
  await migrateToLatest(db, postgres.url)
  const [silent, bystander] = await Promise.all([startSilentTarget(), startBystander()])
  const prober = startProber(postgres.url, attack.environment)
  const his: Monitor = {
    type: 'HTTP',
    delaySeconds: DELAY,
    timeoutSeconds: TIMEOUT,
    port: bystander.port,
  }
  const { isSilent, delaySeconds = DELAY } = attack
  const hostile: Monitor = {
    type: isSilent ? 'HTTP' : 'TCP',
    delaySeconds,
    timeoutSeconds: isSilent ? SILENT_TIMEOUT : TIMEOUT,
    port: silent.port,
  }
  const addresses = Array.from({ length: attack.members }, (_, n) => attack.addressOf(n))
  try {
    await until(STORE_MS, async () => {
      const owned = await query(db, 'select from shard where owner is not null')
      return owned.length === SHARD_COUNT
    })
    if (attack.isFirst === true) await store(db, 'attacker', hostile, addresses)
    const storedMs = performance.now()
    await store(db, 'bystander', his, [SHARED_ADDRESS])
    await until(OFFLINE_WITHIN_MS, () => Promise.resolve(bystander.askedAt.length > 0))
    const firstMs = (bystander.askedAt[0] ?? 0) - storedMs
    if (attack.isFirst !== true) await store(db, 'attacker', hostile, addresses)
    await wait(WARM_UP_MS)
    const fromMs = performance.now()
    await wait(Number(values.seconds) * 1000)
    const gaps = gapsBetween(bystander.askedAt, fromMs, performance.now())
    const lastMs = bystander.askedAt.at(-1) ?? 0
    await bystander.stop()
    const offline = await until(OFFLINE_WITHIN_MS, async () => {
      const rows = await query(
        db,
        `select from member_status where project_id = 'bystander' and state = 'OFFLINE'`,
      )
      return rows.length > 0
    })
    const told = offline
      ? `${seconds(performance.now() - lastMs)} s`
      : `not within ${seconds(OFFLINE_WITHIN_MS)} s`
    console.log(
      `${name.padEnd(8)} first probe after ${seconds(firstMs)} s; ${gaps.length} gaps: p50 ${seconds(quantile(gaps, 0.5))} ` +
        `p99 ${seconds(quantile(gaps, 0.99))} max ${seconds(quantile(gaps, 1))} s; OFFLINE: ${told} ` +
        `(window ${(WINDOW + FLUSH).toFixed(1)} s)`,
    )
  } finally {
    prober.kill('SIGKILL')
    silent.stop()
    await db.destroy()
    await postgres.stop()
  }
}

/** Milliseconds between the probes of a span of time; where fewer than two came, the span and what went before. */
function gapsBetween(askedAt: readonly number[], fromMs: number, toMs: number): readonly number[] {
  const before = askedAt.filter((at) => at < fromMs).slice(-1)
  const times = [...before, ...askedAt.filter((at) => at >= fromMs && at < toMs), toMs]
  const gaps = times.slice(1).map((at, i) => at - (times[i] ?? 0))
  // The last one had not ended: it counts where it is long already.
  const open = gaps.pop() ?? 0
  return [...gaps, ...(open > Math.max(...gaps, DELAY * 1000) ? [open] : [])].toSorted((a, b) => a - b)
}

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(2)
}

async function until(withinMs: number, holds: () => Promise<boolean>): Promise<boolean> {
  for (const end = performance.now() + withinMs; performance.now() < end; await wait(20))
    if (await holds()) return true
  return false
}

if (values.role === 'silent') await silentTarget()
else
  for (const name of values.attack.split(',')) {
    const attack = ATTACKS[name]
    if (attack === undefined) throw new Error(`${name} is none of ${Object.keys(ATTACKS).join(', ')}`)
    await run(name, attack)
  }
