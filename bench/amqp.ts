/**
 * `node dist/bench/amqp.js [--changes 200]`
 *
 * From a decision to a listener of oslo.messaging: the statement of the result writer, PostgreSQL, a notifier as a process of its
 * own, RabbitMQ, and the listener (Debian's rabbitmq-server and python3-oslo.messaging). One change at a time. Prints
 * milliseconds.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { openDatabase, type Database, query } from '../src/store/connection/database.ts'
import { migrateToLatest } from '../src/store/connection/migrate.ts'
import { flippingFarm } from '../test/support/flips.ts'
import { startNotifierProcess } from '../test/support/notifier-process.ts'
import { missingForAmqp, startListener, startRabbitMq } from '../test/support/rabbitmq.ts'
import { until } from '../test/support/service.ts'
import { commandLine } from './command-line.ts'
import { startPostgres } from './postgres.ts'

const MEMBERS = 20
/** Between changes: in steady state they do not wait for each other. */
const PAUSE_MS = 50

const values = commandLine('node dist/bench/amqp.js [options]', { changes: '200' })

interface Bench {
  readonly url: string
  readonly db: Database
  readonly folder: string
  readonly after: (end: () => Promise<void> | void) => void
}

/** Milliseconds from each change to the listener, sorted. */
async function measure({ url, db, folder, after }: Bench): Promise<readonly number[]> {
  await migrateToLatest(db, url)
  const rabbit = await startRabbitMq({ after }, folder)
  const heard = await startListener({ after }, rabbit)
  startNotifierProcess({ url, beforeDrop: after }, { HM_AMQP_URL: rabbit.url })
  await until(
    async () => (await query(db, `select from delivery where receiver = 'amqp'`)).length > 0,
    'amqp',
  )
  const farm = await flippingFarm(db, MEMBERS)
  const changes = Number(values.changes)
  const decided: number[] = []
  for (let i = 0; i < changes; i += 1) {
    decided.push(performance.timeOrigin + performance.now())
    await farm.flip(i % MEMBERS)
    await wait(PAUSE_MS)
  }
  const arrivals = () => heard.filter(({ event_type }) => event_type === 'octavia.member.status')
  await until(() => arrivals().length >= changes, 'every change')
  // One queue, one listener: they arrive in the order of the decisions.
  return arrivals()
    .map(({ heard_at }, i) => heard_at * 1000 - (decided[i] ?? Number.NaN))
    .toSorted((a, b) => a - b)
}

const missing = missingForAmqp()
if (missing !== undefined) {
  console.error(missing)
  process.exit(1)
}
const folder = mkdtempSync(join(tmpdir(), 'healthmonitor-bench-'))
const postgres = await startPostgres()
const db = openDatabase({ url: postgres.url, applicationName: 'healthmonitor bench', maxConnections: 4 })
const ends: (() => Promise<void> | void)[] = []
try {
  const ms = await measure({ url: postgres.url, db, folder, after: (end) => void ends.push(end) })
  const at = (part: number) =>
    Math.round(ms[Math.min(ms.length - 1, Math.floor(part * ms.length))] ?? Number.NaN)
  console.log({ changes: ms.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) })
} finally {
  for (const end of ends.toReversed()) await end()
  await db.destroy()
  await postgres.stop()
  rmSync(folder, { recursive: true, force: true })
}
