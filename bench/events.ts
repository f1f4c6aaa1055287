/**
 * `node dist/bench/events.js [--members 20000] [--changes 200]`
 *
 * From a decision to the receiver of a webhook: the result writer, PostgreSQL, a notifier as a process of its own, and a receiver
 * over HTTP that checks every signature. Three cases: single changes; single changes beside a project whose receiver gives no
 * answer while 10 000 events wait for it; and all members flipping at one moment. Prints and stores as JSON milliseconds from the
 * decision to the receiver, seconds for the flip, and CPU seconds of the notifier and of PostgreSQL.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Webhook as Verifier } from 'standardwebhooks'
import { SHARD_COUNT } from '../src/domain/limits.ts'
import { createMetrics } from '../src/runtime/metrics/metrics.ts'
import type { Check } from '../src/schedule/loop/check.ts'
import { ResultWriter } from '../src/schedule/record/result-writer.ts'
import { type Database, openDatabase, query, transaction } from '../src/store/connection/database.ts'
import { migrateToLatest } from '../src/store/connection/migrate.ts'
import { beat, claimShards } from '../src/store/probing/shards.ts'
import { writeVerdicts } from '../src/store/probing/verdicts.ts'
import { insertWebhook } from '../src/store/event/webhooks.ts'
import { commandLine } from './command-line.ts'
import { kindOf } from './engine-kinds.ts'
import { storeMembers, type StoredMember } from './member-rows.ts'
import { startPostgres } from './postgres.ts'
import { PROGRAM } from './service.ts'
import { cpuSecondsOf, postgresCpuSeconds } from './usage.ts'

const PER_POOL = 100
const WITHIN_MS = 120_000
/** Between single changes: in steady state they do not wait for each other. */
const PAUSE_MS = 50
const WAITING_OF_DEAD = 10_000
const RECENT_BYTES = 128

const values = commandLine('node dist/bench/events.js [options]', {
  members: '20000',
  changes: '200',
  out: fileURLToPath(new URL('events.json', import.meta.url)),
})

interface Receiver {
  readonly server: Server
  readonly url: string
  readonly secret: string
  /** Milliseconds of arrival by member, of the first copy since `arrivals` was cleared. */
  readonly arrivals: Map<string, number>
  requests: number
  events: number
  unsigned: number
}

async function startReceiver(answers: boolean): Promise<Receiver> {
  const secret = `whsec_${randomBytes(32).toString('base64')}`
  const verifier = new Verifier(secret)
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      if (!answers) return
      response.writeHead(204).end()
      const now = performance.now()
      const body = Buffer.concat(chunks).toString()
      receiver.requests += 1
      try {
        verifier.verify(body, request.headers as Record<string, string>, { jsonParse: false })
      } catch {
        receiver.unsigned += 1
      }
      const parsed = JSON.parse(body) as
        | { data: { member: { id: string } } }
        | { data: { member: { id: string } } }[]
      for (const { data } of Array.isArray(parsed) ? parsed : [parsed]) {
        receiver.events += 1
        if (!receiver.arrivals.has(data.member.id)) receiver.arrivals.set(data.member.id, now)
      }
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const receiver: Receiver = { server, url, secret, arrivals: new Map(), requests: 0, events: 0, unsigned: 0 }
  return receiver
}

async function addWebhook(db: Database, { url, secret }: Receiver, projectId: string): Promise<void> {
  const filter = { types: ['member.status'] }
  await transaction(db, (tx) =>
    insertWebhook(tx, {
      id: randomUUID(),
      projectId,
      name: '',
      url,
      format: 'cloudevents',
      enabled: true,
      filter,
      secrets: [secret],
    }),
  )
}

function checkOf({ memberId, shard }: StoredMember, status: 'ONLINE' | 'OFFLINE'): Check {
  const evidence = { type: 'TCP', address: '127.0.0.1', port: 80, timeout_ms: 3000, rise: 3, fall: 3 }
  const detail = 'connect ECONNREFUSED'
  const verdict = { status, since: Date.now(), reason: 'CONNECT_REFUSED', detail, evidence }
  return {
    config: { memberId, projectId: 'bench', shard, generation: 1 },
    state: { status, okRun: 1, badRun: 0 },
    verdict,
  } as unknown as Check
}

async function aWriter(db: Database): Promise<ResultWriter> {
  const owner = randomUUID()
  await beat(db, { id: owner, host: 'bench', pid: process.pid, leaseMs: 600_000 })
  const shards = await claimShards(db, { owner, count: SHARD_COUNT, foreignToo: true })
  const epochs = new Map(shards.map(({ id, epoch }) => [id, epoch]))
  const none = (): undefined => undefined
  return new ResultWriter({
    write: (rows) => writeVerdicts(db, owner, rows),
    epochOf: (shard) => epochs.get(shard),
    recentOf: () => new Uint8Array(RECENT_BYTES),
    isAway: () => false,
    onFenced: none,
    metrics: createMetrics('bench'),
    log: { debug: none, info: none, warn: console.log, error: console.log },
  })
}

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const end = performance.now() + WITHIN_MS
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not within ${WITHIN_MS} ms: ${what}`)
    await wait(5)
  }
}

async function startNotifier(url: string, db: Database): Promise<ChildProcess> {
  const child = spawn(process.execPath, [PROGRAM, 'notifier'], {
    env: { PATH: process.env['PATH'], DATABASE_URL: url, HM_METRICS_LISTEN: 'off', HM_LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  await until(async () => (await query(db, 'select from delivery')).length > 0, 'the notifier')
  return child
}

interface Bench {
  readonly db: Database
  readonly writer: ResultWriter
  readonly receiver: Receiver
  readonly members: readonly StoredMember[]
  readonly notifier: ChildProcess
}

/** Milliseconds from decisions, one at a time, to the receiver. */
async function singles(bench: Bench, to: 'ONLINE' | 'OFFLINE'): Promise<object> {
  const { writer, receiver, members } = bench
  receiver.arrivals.clear()
  const decided = new Map<string, number>()
  for (const member of members.slice(0, Number(values.changes))) {
    decided.set(member.memberId, performance.now())
    writer.record(checkOf(member, to), to === 'ONLINE' ? 'OFFLINE' : 'ONLINE')
    await wait(PAUSE_MS)
  }
  await until(() => receiver.arrivals.size >= decided.size, 'single changes')
  const ms = [...decided]
    .map(([id, at]) => (receiver.arrivals.get(id) ?? Number.NaN) - at)
    .toSorted((a, b) => a - b)
  const at = (part: number) =>
    Math.round(ms[Math.min(ms.length - 1, Math.floor(part * ms.length))] ?? Number.NaN)
  return { changes: ms.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) }
}

/** All of them at one moment. */
async function flip(bench: Bench, to: 'ONLINE' | 'OFFLINE', from: 'UNKNOWN' | 'ONLINE'): Promise<object> {
  const { db, writer, receiver, members, notifier } = bench
  receiver.arrivals.clear()
  const before = {
    requests: receiver.requests,
    events: receiver.events,
    cpu: cpuSecondsOf(notifier.pid ?? 0),
    postgres: await postgresCpuSeconds(db),
  }
  const start = performance.now()
  for (const member of members) writer.record(checkOf(member, to), from)
  await writer.drain(WITHIN_MS)
  const writtenMs = performance.now() - start
  await until(() => receiver.arrivals.size >= members.length, 'the flip')
  return {
    members: members.length,
    writtenSeconds: writtenMs / 1000,
    deliveredSeconds: (performance.now() - start) / 1000,
    requests: receiver.requests - before.requests,
    copies: receiver.events - before.events - members.length,
    notifierCpuSeconds: cpuSecondsOf(notifier.pid ?? 0) - before.cpu,
    postgresCpuSeconds: ((await postgresCpuSeconds(db)) ?? 0) - (before.postgres ?? 0),
  }
}

/** A project whose receiver gives no answer, and events that wait for it. */
async function addDeadNeighbour(db: Database): Promise<Receiver> {
  const dead = await startReceiver(false)
  await addWebhook(db, dead, 'dead')
  await query(
    db,
    `insert into event_outbox (type, project_id, member_id, from_status, to_status)
     select 'member.status', 'dead', gen_random_uuid(), 'ONLINE', 'OFFLINE' from generate_series(1, $1)`,
    [WAITING_OF_DEAD],
  )
  await until(async () => {
    const [row] = await query<{ n: number }>(db, 'select count(*) as n from webhook_delivery')
    return (row?.n ?? 0) >= WAITING_OF_DEAD
  }, 'the events of the dead receiver')
  return dead
}

async function run(url: string, db: Database): Promise<Record<string, object>> {
  await migrateToLatest(db, url)
  const monitor = { ...kindOf('tcp').monitor, delaySeconds: 1, timeoutSeconds: 1 }
  const members = await storeMembers(db, monitor, {
    count: Number(values.members),
    perPool: PER_POOL,
    port: 80,
  })
  const writer = await aWriter(db)
  const receiver = await startReceiver(true)
  await addWebhook(db, receiver, 'bench')
  const notifier = await startNotifier(url, db)
  const bench = { db, writer, receiver, members, notifier }
  const figures: Record<string, object> = {}
  const note = (name: string, figure: object) => console.log(name, (figures[name] = figure))
  let dead: Receiver | undefined
  try {
    note('first', await flip(bench, 'ONLINE', 'UNKNOWN'))
    note('singles', await singles(bench, 'OFFLINE'))
    note('back', await singles(bench, 'ONLINE'))
    dead = await addDeadNeighbour(db)
    note('beside a dead receiver', await singles(bench, 'OFFLINE'))
    note('back beside it', await singles(bench, 'ONLINE'))
    note('flip', await flip(bench, 'OFFLINE', 'ONLINE'))
    note('signatures', { wrong: receiver.unsigned })
  } finally {
    notifier.kill('SIGTERM')
    await once(notifier, 'exit')
    await writer.close(0)
    for (const each of [receiver, dead]) {
      each?.server.close()
      each?.server.closeAllConnections()
    }
  }
  return figures
}

const postgres = await startPostgres()
const db = openDatabase({ url: postgres.url, applicationName: 'bench', maxConnections: 3 })
try {
  const figures = await run(postgres.url, db)
  const about = { at: new Date().toISOString(), node: process.version, options: values }
  writeFileSync(values.out, `${JSON.stringify({ ...about, ...figures }, undefined, 2)}\n`)
} finally {
  await db.destroy()
  await postgres.stop()
}
