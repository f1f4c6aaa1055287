/**
 * `node dist/bench/receivers-away.js [--outage-seconds 600] [--rate 2] [--members 20] [--kill-seconds 0] [--out FILE]`
 *
 * A receiver of a webhook and RabbitMQ are away for a time while members change, then they come back. `--rate`: changes per
 * second, before, during and after the outage. `--kill-seconds`: the notifier is killed with -9 so often during the outage, and
 * another one started. PostgreSQL, the notifier, RabbitMQ and the listener are processes of their own; without Debian's
 * rabbitmq-server and python3-oslo.messaging only the webhook is measured.
 *
 *   lost         events that never arrived
 *   duplicates   arrivals beyond the first one of an event
 *   disordered   members whose events did not arrive in their order (copies left out)
 *   toldSeconds  from the return of a receiver until it had been told everything
 *   cpu          percent of one core during the outage: notifier, PostgreSQL
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { WEBHOOK_WAITING_MAX } from '../src/domain/limits.ts'
import { type Database, openDatabase, query } from '../src/store/connection/database.ts'
import { migrateToLatest } from '../src/store/connection/migrate.ts'
import { type FlippingFarm, flippingFarm } from '../test/support/flips.ts'
import { type NotifierProcess, startNotifierProcess } from '../test/support/notifier-process.ts'
import { missingForAmqp, type RabbitMq, startListener, startRabbitMq } from '../test/support/rabbitmq.ts'
import { sequenceAllEvents } from '../test/support/sequence.ts'
import { startReceiver, type WebhookReceiver } from '../test/support/webhook-receiver.ts'
import { aWebhook } from '../test/support/webhooks.ts'
import { commandLine } from './command-line.ts'
import { startPostgres } from './postgres.ts'
import { cpuSecondsOf, postgresCpuSeconds } from './usage.ts'
import { progress } from './progress.ts'

const HOUR_SECONDS = 3600
/** Changes before the outage and after it. */
const AROUND_SECONDS = 10
/** A receiver that came back is tried again within a minute; RabbitMQ needs some seconds to start. */
const TOLD_WITHIN_SECONDS = 300

const values = commandLine('node dist/bench/receivers-away.js [options]', {
  'outage-seconds': '600',
  rate: '2',
  members: '20',
  'kill-seconds': '0',
  out: fileURLToPath(new URL('receivers-away.json', import.meta.url)),
})
const outageSeconds = Number(values['outage-seconds'])
const killSeconds = Number(values['kill-seconds'])

/** What one receiver got, in the order of its arrival. */
interface Told {
  readonly position: number
  readonly subject: string
}

interface Receiver {
  readonly name: string
  away(): Promise<void>
  back(): Promise<void>
  told(): readonly Told[]
}

function webhookReceiver(receiver: WebhookReceiver): Receiver {
  return {
    name: 'webhook',
    away: () => receiver.away(),
    back: () => receiver.listen(),
    told: () => receiver.heard,
  }
}

function amqpReceiver(rabbit: RabbitMq, heard: Awaited<ReturnType<typeof startListener>>): Receiver {
  return {
    name: 'amqp',
    away: () => rabbit.stop('SIGTERM'),
    back: () => rabbit.start(),
    told: () =>
      heard.map(({ payload }) => ({
        position: Number(payload.event_id),
        subject: payload.member?.id ?? 'others',
      })),
  }
}

/** Compares what a receiver got with what it had to get. */
function judged(told: readonly Told[], expected: ReadonlySet<number>) {
  const seen = new Set<number>()
  const last = new Map<string, number>()
  const disordered = new Set<string>()
  for (const { position, subject } of told) {
    if (seen.has(position)) continue
    seen.add(position)
    if (position < (last.get(subject) ?? 0)) disordered.add(subject)
    last.set(subject, position)
  }
  const lost = [...expected].filter((position) => !seen.has(position)).length
  return { expected: expected.size, lost, duplicates: told.length - seen.size, disordered: disordered.size }
}

function isTold(receiver: Receiver, expected: ReadonlySet<number>): boolean {
  const positions = new Set(receiver.told().map(({ position }) => position))
  return [...expected].every((position) => positions.has(position))
}

/** Changes members in turn at `--rate`, each at its time, so that a slow one does not slow the others down. */
async function change(farm: FlippingFarm, seconds: number, said: string): Promise<number> {
  const count = Math.round(seconds * Number(values.rate))
  const startedMs = performance.now()
  for (let i = 0; i < count; i += 1) {
    progress.show(`${said}: ${i} of ${count} changes`, said)
    await wait(Math.max(0, startedMs + (i * 1000) / Number(values.rate) - performance.now()))
    await farm.flip(i % farm.members.length)
  }
  return count
}

/** The notifier of this moment; it is killed and replaced every `--kill-seconds`. */
class Notifiers {
  readonly #start: () => NotifierProcess
  #current: NotifierProcess
  #ended = 0
  kills = 0

  constructor(start: () => NotifierProcess) {
    this.#start = start
    this.#current = start()
  }

  /** CPU seconds of all of them. */
  get cpuSeconds(): number {
    return this.#ended + cpuSecondsOf(this.#current.child.pid ?? 0)
  }

  async killAgainAndAgain(signal: AbortSignal): Promise<void> {
    if (killSeconds <= 0) return
    for (;;) {
      await wait(killSeconds * 1000, undefined, { signal }).catch(() => undefined)
      if (signal.aborted) return
      this.#ended = this.cpuSeconds
      await this.#current.end('SIGKILL')
      this.kills += 1
      this.#current = this.#start()
    }
  }
}

interface Bench {
  readonly db: Database
  readonly url: string
  readonly folder: string
  readonly after: (end: () => Promise<void> | void) => void
}

async function receiversOf({ db, folder, after }: Bench): Promise<{
  readonly receivers: readonly Receiver[]
  readonly environment: NodeJS.ProcessEnv
}> {
  const webhook = await startReceiver({ after })
  await aWebhook({ db }, webhook)
  const missing = missingForAmqp()
  if (missing !== undefined) {
    console.log(`without AMQP: ${missing}`)
    return { receivers: [webhookReceiver(webhook)], environment: {} }
  }
  const rabbit = await startRabbitMq({ after }, folder)
  const heard = await startListener({ after }, rabbit)
  return {
    receivers: [webhookReceiver(webhook), amqpReceiver(rabbit, heard)],
    environment: { HM_AMQP_URL: rabbit.url },
  }
}

/** Everything is away for `--outage-seconds`; what that cost. */
async function outage(
  { db }: Bench,
  farm: FlippingFarm,
  receivers: readonly Receiver[],
  notifiers: Notifiers,
) {
  const used = async () => ({ notifier: notifiers.cpuSeconds, postgres: (await postgresCpuSeconds(db)) ?? 0 })
  for (const receiver of receivers) await receiver.away()
  const ending = new AbortController()
  const killing = notifiers.killAgainAndAgain(ending.signal)
  const before = await used()
  const startedMs = performance.now()
  const changes = await change(farm, outageSeconds, 'receivers are away')
  const seconds = (performance.now() - startedMs) / 1000
  ending.abort()
  await killing
  const after = await used()
  const percent = (cpuSeconds: number) => Math.round((cpuSeconds / seconds) * 1000) / 10
  const [row] = await query<{ n: number }>(db, 'select count(*) as n from webhook_delivery')
  return {
    seconds: Math.round(seconds),
    changes,
    waiting: row?.n ?? 0,
    kills: notifiers.kills,
    cpu: {
      notifier: percent(after.notifier - before.notifier),
      postgres: percent(after.postgres - before.postgres),
    },
  }
}

/** Milliseconds of each receiver from its return until it had been told everything of `expected`. */
async function comeBack(receivers: readonly Receiver[], expected: ReadonlySet<number>) {
  return await Promise.all(
    receivers.map(async (receiver) => {
      await receiver.back()
      const startedMs = performance.now()
      const lateMs = startedMs + TOLD_WITHIN_SECONDS * 1000
      while (!isTold(receiver, expected) && performance.now() < lateMs) {
        progress.show(`${receiver.name} is back`)
        await wait(100)
      }
      return { name: receiver.name, toldSeconds: Math.round((performance.now() - startedMs) / 100) / 10 }
    }),
  )
}

async function run(bench: Bench): Promise<Readonly<Record<string, unknown>>> {
  const { db, url, after } = bench
  await migrateToLatest(db, url)
  const farm = await flippingFarm(db, Number(values.members))
  await sequenceAllEvents(db)
  const from = (await farm.events()).at(-1)?.position ?? 0
  const positions = async () => new Set((await farm.events(from)).map(({ position }) => position))
  const { receivers, environment } = await receiversOf(bench)
  const start = () =>
    startNotifierProcess({ url, beforeDrop: after }, { HM_LOG_LEVEL: 'info', ...environment })
  const notifiers = new Notifiers(start)
  while ((await query(db, 'select from delivery')).length < receivers.length) await wait(100)

  await change(farm, AROUND_SECONDS, 'receivers are there')
  const away = await outage(bench, farm, receivers, notifiers)
  const back = await comeBack(receivers, await positions())
  await change(farm, AROUND_SECONDS, 'receivers are there again')
  await wait(AROUND_SECONDS * 1000)
  progress.end()
  const expected = await positions()
  const results = receivers.map((receiver, i) => ({
    ...judged(receiver.told(), expected),
    toldSeconds: back[i]?.toldSeconds,
  }))
  const share = HOUR_SECONDS / away.seconds
  return {
    outage: away,
    ...Object.fromEntries(receivers.map(({ name }, i) => [name, results[i]])),
    anHour: {
      changes: Math.round(away.changes * share),
      waiting: Math.round(away.waiting * share),
      waitingMax: WEBHOOK_WAITING_MAX,
    },
  }
}

const folder = mkdtempSync(join(tmpdir(), 'healthmonitor-bench-'))
const postgres = await startPostgres()
const db = openDatabase({ url: postgres.url, applicationName: 'bench', maxConnections: 4 })
const ends: (() => Promise<void> | void)[] = []
try {
  const figures = await run({ url: postgres.url, db, folder, after: (end) => void ends.push(end) })
  console.log(figures)
  const about = { at: new Date().toISOString(), node: process.version, options: values }
  writeFileSync(values.out, `${JSON.stringify({ ...about, ...figures }, undefined, 2)}\n`)
} finally {
  progress.end()
  for (const end of ends.toReversed()) await end()
  await db.destroy()
  await postgres.stop()
  rmSync(folder, { recursive: true, force: true })
}
