/**
 * `node dist/bench/event-streams.js [--streams 10000] [--changes 200] [--flips 20000]`
 *
 * One API process with many open streams of events: what a stream takes of its memory and, while nothing happens, of its
 * processor; how long after a decision its event is at a reader; and how long until a burst of flips is. Decisions are written
 * as probers write them. On loopback, with a durable PostgreSQL of its own.
 */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { type Database, openDatabase } from '../src/store/connection/database.ts'
import { MEMBERS, PROJECT, storeMembers } from './api-rows.ts'
import { commandLine } from './command-line.ts'
import { type Decide, decider } from './decisions.ts'
import { startPostgres } from './postgres.ts'
import { answering, endService, startService } from './service.ts'
import { postgresCpuSeconds, usageOfTree } from './usage.ts'
import { progress } from './progress.ts'

const PORT = 19_881
/** Opened at once: the listener's backlog takes no more. */
const AT_ONCE = 200
const IDLE_MS = 20_000
const FLIPS_PER_STATEMENT = 1000
const MARK = '\nevent: '

const values = commandLine('node dist/bench/event-streams.js [options]', {
  streams: '10000',
  changes: '200',
  flips: '20000',
})

async function main(): Promise<void> {
  const postgres = await startPostgres()
  const service = startService({
    DATABASE_URL: postgres.url,
    HM_LISTEN: `127.0.0.1:${PORT}`,
    HM_PROBERS: '0',
  })
  const db = openDatabase({ url: postgres.url, applicationName: 'bench', maxConnections: 2 })
  try {
    await answering(service, `http://127.0.0.1:${PORT}`)
    await storeMembers(db)
    const decide = await decider(db)
    const before = await usageOf(service)
    const streams = await openStreams(Number(values.streams))
    await wait(2000)
    const open = await usageOf(service)
    const count = streams.length
    console.log(
      `${count} streams: ${open.megabytes.toFixed(0)} MB resident, before ${before.megabytes.toFixed(0)} MB: ` +
        `${(((open.megabytes - before.megabytes) * 1024) / count).toFixed(1)} KB per stream`,
    )
    await wait(IDLE_MS)
    const idle = await usageOf(service)
    console.log(
      `idle, with heartbeats: ${((100 * (idle.cpuSeconds - open.cpuSeconds)) / (IDLE_MS / 1000)).toFixed(1)} % of a processor`,
    )
    await measureChanges(streams, decide)
    await measureFlips(db, { streams, decide })
    for (const stream of streams) stream.sent.destroy()
  } finally {
    await endService(service)
    await db.destroy()
    await postgres.stop()
  }
}

interface Stream {
  readonly sent: ClientRequest
  /** Events of members that it was sent. */
  events: number
  onEvent: (() => void) | undefined
}

async function openStreams(count: number): Promise<readonly Stream[]> {
  const streams: Stream[] = []
  while (streams.length < count) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - streams.length) }, openStream)
    streams.push(...(await Promise.all(some)))
  }
  return streams
}

async function openStream(): Promise<Stream> {
  const sent = request({
    host: '127.0.0.1',
    port: PORT,
    path: '/v1/events?type=member.status',
    agent: false,
    headers: { accept: 'text/event-stream', 'x-project-id': PROJECT },
  })
  sent.end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  if (response.statusCode !== 200) throw new Error(`a stream was refused: ${response.statusCode}`)
  const stream: Stream = { sent, events: 0, onEvent: undefined }
  sent.on('error', () => undefined)
  let rest = ''
  response.setEncoding('latin1').on('data', (chunk: string) => {
    // A chunk may end anywhere.
    const text = rest + chunk
    let found = 0
    for (let at = text.indexOf(MARK); at >= 0; at = text.indexOf(MARK, at + 1)) found++
    rest = text.slice(-(MARK.length - 1))
    stream.events += found
    if (found > 0) stream.onEvent?.()
  })
  return stream
}

/** One decision at a time, to the first and to the last stream that was opened. */
async function measureChanges(streams: readonly Stream[], decide: Decide): Promise<void> {
  const [first, last] = [streams[0]!, streams.at(-1)!]
  const latencies: number[] = []
  for (let i = 0; i < Number(values.changes); i++) {
    progress.show(`change ${i + 1} of ${values.changes}`, 'changes')
    const heard = Promise.all([first, last].map(nextEvent))
    const start = performance.now()
    await decide([i], i % 2 === 0 ? 'OFFLINE' : 'ONLINE')
    await heard
    latencies.push(performance.now() - start)
  }
  latencies.sort((a, b) => a - b)
  const at = (q: number) => (latencies[Math.floor(q * (latencies.length - 1))] ?? 0).toFixed(1)
  console.log(
    `${latencies.length} changes, decision to the last stream: p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)} ms`,
  )
}

async function nextEvent(stream: Stream): Promise<void> {
  await new Promise<void>((resolve) => {
    stream.onEvent = () => {
      stream.onEvent = undefined
      resolve()
    }
  })
}

async function measureFlips(
  db: Database,
  { streams, decide }: { readonly streams: readonly Stream[]; readonly decide: Decide },
): Promise<void> {
  const flips = Math.min(Number(values.flips), MEMBERS)
  const kept = streams.slice(0, 10)
  for (const stream of streams.slice(10)) stream.sent.destroy()
  await wait(2000)
  const cpuBefore = (await postgresCpuSeconds(db)) ?? 0
  for (const stream of kept) stream.events = 0
  const start = performance.now()
  for (let n = 0; n < flips; n += FLIPS_PER_STATEMENT) {
    const some = Array.from({ length: Math.min(FLIPS_PER_STATEMENT, flips - n) }, (_, i) => n + i)
    await decide(some, 'OFFLINE')
  }
  const written = (performance.now() - start) / 1000
  while (kept.some((stream) => stream.events < flips)) await wait(5)
  const heard = (performance.now() - start) / 1000
  const cpuSeconds = ((await postgresCpuSeconds(db)) ?? 0) - cpuBefore
  console.log(
    `${flips} flips: written in ${written.toFixed(2)} s, at all of ${kept.length} streams after ${heard.toFixed(2)} s; ` +
      `PostgreSQL ${cpuSeconds.toFixed(2)} s of a processor`,
  )
}

async function usageOf(
  service: ChildProcess,
): Promise<{ readonly megabytes: number; readonly cpuSeconds: number }> {
  const usage = usageOfTree(service.pid ?? 0).find(({ pid }) => pid === service.pid)
  if (usage === undefined) throw new Error('the service is not there')
  return await Promise.resolve({ megabytes: usage.residentMegabytes, cpuSeconds: usage.cpuSeconds })
}

await main()
