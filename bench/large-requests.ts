/**
 * `node dist/bench/large-requests.js [--repeat 5] [--only text]`
 *
 * How long the largest requests that any project may make block the event loop of the API: for each the longest round
 * of the loop, in which no other request is served, in processor time; the smallest and the median of some repetitions.
 * The API runs in this thread, its client in another. Linux only.
 */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { openDatabase } from '../src/store/connection/database.ts'
import { migrateToLatest } from '../src/store/connection/migrate.ts'
import { commandLine } from './command-line.ts'
import { apiOn } from './api-app.ts'
import { type Answered, type Ask, casesOf, type Request } from './large-request-cases.ts'
import { startPostgres } from './postgres.ts'

const CONNECTIONS = 16

/** The client's side: one request at a time. */
function answerRequests(port: number): void {
  parentPort?.on('message', ({ method, path, body }: Request) => {
    const begin = performance.now()
    void fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } }),
    })
      .then(async (answer) => {
        const text = await answer.text()
        const ms = performance.now() - begin
        parentPort?.postMessage({ status: answer.status, bytes: text.length, ms, text: text.slice(0, 2000) })
      })
      .catch((error: unknown) => parentPort?.postMessage({ status: 0, bytes: 0, ms: 0, text: String(error) }))
  })
}

async function main(): Promise<void> {
  const values = commandLine('node dist/bench/large-requests.js [options]', { repeat: '5', only: '' })
  const postgres = await startPostgres({ isDurable: false })
  const db = openDatabase({ url: postgres.url, applicationName: 'bench', maxConnections: CONNECTIONS })
  await migrateToLatest(db, postgres.url)
  const server = createServer(apiOn(db))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const worker = new Worker(new URL(import.meta.url), { workerData: (server.address() as AddressInfo).port })
  const ask: Ask = (request) =>
    new Promise((resolve) => {
      worker.once('message', resolve)
      worker.postMessage(request)
    })
  try {
    for (const { name, request } of await casesOf(ask)) {
      if (name.includes(values.only)) await measure(name, request, ask, Number(values.repeat))
    }
  } finally {
    await worker.terminate()
    server.closeAllConnections()
    server.close()
    await db.destroy()
    await postgres.stop()
  }
}

/** Processor time of this thread in milliseconds: what others do on the machine is not in it. */
function threadMs(): number {
  return Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[0]) / 1e6
}

/** Looks at the processor time in every round of the event loop; gives the longest of a round when it is stopped. */
function watchRounds(): () => number {
  let longest = 0
  let last = threadMs()
  let isOver = false
  const look = (): void => {
    const now = threadMs()
    longest = Math.max(longest, now - last)
    last = now
    if (!isOver) setImmediate(look)
  }
  setImmediate(look)
  return () => {
    isOver = true
    return longest
  }
}

async function measure(name: string, request: () => Request, ask: Ask, repeat: number): Promise<void> {
  const holds: number[] = []
  let last: Answered | undefined
  for (let i = 0; i < repeat; i++) {
    const made = request()
    await new Promise(setImmediate)
    const stop = watchRounds()
    last = await ask(made)
    holds.push(stop())
  }
  holds.sort((a, b) => a - b)
  const [best = 0] = holds
  const median = holds[Math.floor(holds.length / 2)] ?? 0
  const refusal = (last?.status ?? 0) >= 400 ? `  ${last?.text.slice(0, 100)}` : ''
  console.log(
    `${name.padEnd(52)} ${last?.status}  ${best.toFixed(1).padStart(6)} ms (median ${median.toFixed(1)})` +
      `  ${last?.ms.toFixed(0)} ms in all, ${last?.bytes} bytes${refusal}`,
  )
}

if (isMainThread) await main()
else answerRequests(workerData as number)
