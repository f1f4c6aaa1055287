/**
 * `node dist/bench/api.js [--base /v2.0/lbaas] [--seconds 5] [--warm-up 3] [--concurrency 8] [--only REGEXP]
 *     [--transitions 0] [--flips 0]`
 *
 * The API alone, with 100 monitors and then with 100 000 members stored: requests per second and latency of reading one,
 * listing, creating and deleting, and of lists filtered by status; and the CPU that all processes of the service and of
 * PostgreSQL use per request. One client process, keep-alive, on loopback, bounded. Before the first phase all its requests
 * are made for `warm-up` seconds that do not count: the process is seconds old. `--only`: what to measure, by its name.
 * `--transitions 500` and `--flips 20000` measure the lists again, while so many members change their status each second,
 * evenly, or all of them at once at the beginning of each list. These changes are written as probers write them, by a
 * process of its own, and another one reads their events from the stream and notes how late they are.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { Pool } from 'undici'
import { openDatabase } from '../src/store/connection/database.ts'
import { commandLine } from './command-line.ts'
import { MEMBERS, POOLS, PROJECT, storeMembers } from './api-rows.ts'
import { startChanges } from './changes.ts'
import { startPostgres } from './postgres.ts'
import { answering, endService, startService } from './service.ts'
import { readStream, type StreamReader } from './stream-lateness.ts'
import { postgresCpuSeconds, usageOfTree } from './usage.ts'

const PORT = 19_878
/** Milliseconds after the last change in which its event comes. */
const STREAM_WAIT_MS = 2000
const MONITORS = 100
/** The pools with members; those of the monitors of the first phase have none. */
const NEWEST_FIRST = '&sort_key=created_at&sort_dir=desc'
const SUBNET_ID = '11111111-2222-4333-8444-555555555555'

const values = commandLine('node dist/bench/api.js [options]', {
  base: '/v2.0/lbaas',
  seconds: '5',
  'warm-up': '3',
  concurrency: '8',
  only: '',
  transitions: '0',
  flips: '0',
})
const only = new RegExp(values.only)
const base = values.base
const client = new Pool(`http://127.0.0.1:${PORT}`, { connections: Number(values.concurrency) })

const postgres = await startPostgres()
const db = openDatabase({ url: postgres.url, applicationName: 'bench', maxConnections: 2 })
const service = startService({
  DATABASE_URL: postgres.url,
  HM_LISTEN: `127.0.0.1:${PORT}`,
  HM_PROBERS: '0',
})

async function main(): Promise<void> {
  try {
    await answering(service, `http://127.0.0.1:${PORT}`)
    const monitors = await createMonitors()
    await warmUp(monitors)
    console.log(
      `\n${MONITORS} monitors stored, base ${base}, ${values.concurrency} at a time, ${values.seconds} s each, ` +
        `after ${values['warm-up']} s of all of them that do not count`,
    )
    await measureAll(monitors)
    const [pool = ''] = await storeMembers(db)
    console.log(`\n${MEMBERS} members stored in ${POOLS} more pools of the project`)
    await measureAll(monitors)
    await measureLists(pool)
    await measureListsBesideChanges(pool)
  } finally {
    await client.destroy()
    await endService(service)
    await db.destroy()
    await postgres.stop()
  }
}

interface Step {
  readonly name: string
  readonly request: (i: number, loop: number) => Promise<void>
  /** Absent = as many at a time as asked for. */
  readonly concurrency?: number
}

async function stepsOf(monitors: readonly string[]): Promise<readonly Step[]> {
  const freePools = await Promise.all(
    Array.from({ length: Number(values.concurrency) }, () => createPool(true)),
  )
  return [
    { name: 'GET one monitor', request: (i) => get(`/healthmonitors/${monitors[i % monitors.length]}`) },
    { name: 'list 100 monitors', request: () => get('/healthmonitors?limit=100') },
    { name: 'GET one pool', request: () => get(`/pools/${freePools[0]}`) },
    // Each below a load balancer of its own: writes below one wait for each other, and a pool has one monitor.
    {
      name: 'POST + DELETE, own parents',
      request: (_, loop) => createAndDelete(freePools[loop] ?? ''),
    },
    {
      name: 'POST + DELETE, one at a time',
      request: () => createAndDelete(freePools[0] ?? ''),
      concurrency: 1,
    },
  ]
}

async function measureAll(monitors: readonly string[]): Promise<void> {
  for (const { name, request, concurrency } of await stepsOf(monitors))
    await measure(name, request, concurrency)
}

/** Makes all requests of the first phase in turn. */
async function warmUp(monitors: readonly string[]): Promise<void> {
  const steps = await stepsOf(monitors)
  for (const { request, concurrency } of steps)
    await repeatedly(request, Number(values['warm-up']) / steps.length, concurrency)
}

/** Lists of a project with many members; `poolId` is a pool of 500, a tenth of them failing. */
async function measureLists(poolId: string): Promise<void> {
  const members = `/pools/${poolId}/members`
  const failing = base.startsWith('/load-balancer') ? 'ERROR' : 'OFFLINE'
  await measure(`100 members of a pool`, () => get(`${members}?limit=100`))
  await measure(`all 500 of them`, () => get(members))
  await measure(`… that fail`, () => get(`${members}?operating_status=${failing}`))
  await measure('100 pools', () => get(`/pools?limit=100${NEWEST_FIRST}`))
  await measure('100 listeners', () => get('/listeners?limit=100'))
  await measure('100 load balancers', () => get('/loadbalancers?limit=100'))
  await measure('20 pools of 500 members', () => get(`/pools?limit=20${NEWEST_FIRST}`))
  if (base.startsWith('/load-balancer')) await measureStatusFilters()
  else await measureAllMembers()
}

/** What is done when the measuring of a list begins; it ends by the signal. */
let beside: ((ended: AbortSignal) => Promise<void>) | undefined

async function measureListsBesideChanges(poolId: string): Promise<void> {
  const [perSecond, flips] = [Number(values.transitions), Number(values.flips)]
  if (perSecond + flips === 0) return
  const changes = await startChanges(postgres.url)
  const stream = await readStream(`http://127.0.0.1:${PORT}`)
  try {
    if (perSecond > 0) {
      console.log(`\nwhile ${perSecond} members a second change their status`)
      beside = (ended) => changes.each(perSecond, ended)
      await measureLists(poolId)
      await printLateness(stream)
    }
    if (flips > 0) {
      console.log(`\nwhile ${flips} members change their status at once, at the beginning of each line`)
      beside = () => changes.next(flips)
      await measureLists(poolId)
      await printLateness(stream)
    }
  } finally {
    beside = undefined
    await Promise.all([changes.end(), stream.end()])
  }
}

async function printLateness(stream: StreamReader): Promise<void> {
  // The last ones are on their way.
  await wait(STREAM_WAIT_MS)
  const { events, p50Ms, p99Ms, maxMs } = await stream.take()
  console.log(
    `stream: ${events} events of members, after the decision p50 ${p50Ms}, p99 ${p99Ms}, max ${maxMs} ms`,
  )
}

async function measureStatusFilters(): Promise<void> {
  for (const status of ['OFFLINE', 'DEGRADED']) {
    await measure(`pools that are ${status}`, () => get(`/pools?limit=100&operating_status=${status}`))
  }
  for (const status of ['ONLINE', 'DEGRADED']) {
    await measure(`load balancers ${status}`, () =>
      get(`/loadbalancers?limit=100&operating_status=${status}`),
    )
  }
  await measure('listeners that are ONLINE', () => get('/listeners?limit=100&operating_status=ONLINE'))
  await measure('monitors that are OFFLINE', () => get('/healthmonitors?limit=100&operating_status=OFFLINE'))
}

async function measureAllMembers(): Promise<void> {
  await measure('100 of all members', () => get('/members?limit=100'))
  await measure('… that are OFFLINE', () => get('/members?limit=100&operating_status=OFFLINE'))
  await measure('… that are ONLINE', () => get('/members?limit=100&operating_status=ONLINE'))
}

/** Runs `request` from several loops for some seconds; the latencies of all in milliseconds. */
async function repeatedly(
  request: Step['request'],
  seconds: number,
  concurrency = Number(values.concurrency),
): Promise<number[]> {
  const latencies: number[] = []
  const end = performance.now() + seconds * 1000
  let i = 0
  const run = async (loop: number): Promise<void> => {
    while (performance.now() < end) {
      const start = performance.now()
      await request(i++, loop)
      latencies.push(performance.now() - start)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, (_, loop) => run(loop)))
  return latencies
}

/** Runs `request` for some seconds and prints its rate, its latencies and the CPU that each took. */
async function measure(name: string, request: Step['request'], concurrency?: number): Promise<void> {
  if (!only.test(name)) return
  const before = await cpuSeconds()
  const begin = performance.now()
  const ended = new AbortController()
  const changing = beside?.(ended.signal)
  const latencies = await repeatedly(request, Number(values.seconds), concurrency)
  ended.abort()
  await changing
  const seconds = (performance.now() - begin) / 1000
  const after = await cpuSeconds()
  latencies.sort((a, b) => a - b)
  const at = (q: number) => (latencies[Math.floor(q * (latencies.length - 1))] ?? 0).toFixed(1).padStart(6)
  const rate = (latencies.length / seconds).toFixed(0).padStart(6)
  const each = (what: keyof typeof before) =>
    (((after[what] - before[what]) / latencies.length) * 1e6).toFixed(0).padStart(6)
  console.log(
    `${name.padEnd(28)} ${rate}/s   p50 ${at(0.5)} ms   p99 ${at(0.99)} ms   ` +
      `CPU µs: service ${each('service')}, PostgreSQL ${each('postgres')}`,
  )
}

/** Of all processes of the service, and of all of PostgreSQL. */
async function cpuSeconds(): Promise<{ readonly service: number; readonly postgres: number }> {
  const processes = usageOfTree(service.pid ?? 0)
  return {
    service: processes.reduce((sum, { cpuSeconds: each }) => sum + each, 0),
    postgres: (await postgresCpuSeconds(db)) ?? Number.NaN,
  }
}

async function createAndDelete(poolId: string): Promise<void> {
  const id = await createMonitor(poolId)
  await call('DELETE', `/healthmonitors/${id}`)
}

async function createMonitors(): Promise<string[]> {
  const ids: string[] = []
  for (let i = 0; i < MONITORS; i++) ids.push(await createMonitor(await createPool()))
  return ids
}

let loadBalancer: Promise<string> | undefined

function createLoadBalancer(): Promise<string> {
  return post('/loadbalancers', 'loadbalancer', { vip_subnet_id: SUBNET_ID })
}

async function createPool(alone = false): Promise<string> {
  loadBalancer ??= createLoadBalancer()
  return await post('/pools', 'pool', {
    loadbalancer_id: alone ? await createLoadBalancer() : await loadBalancer,
    protocol: 'TCP',
    lb_algorithm: 'ROUND_ROBIN',
  })
}

async function createMonitor(poolId: string): Promise<string> {
  return await post('/healthmonitors', 'healthmonitor', {
    pool_id: poolId,
    type: 'TCP',
    delay: 5,
    timeout: 3,
    max_retries: 3,
  })
}

/** Counts the bytes of an answer. Text of a page of 2 MB would take this process longer than the service. */
async function get(path: string): Promise<void> {
  const { statusCode, body } = await client.request({
    method: 'GET',
    path: `${base}${path}`,
    headers: { 'x-project-id': PROJECT },
  })
  let bytes = 0
  for await (const chunk of body) bytes += (chunk as Buffer).length
  if (statusCode >= 300 || bytes === 0) throw new Error(`GET ${path}: ${statusCode}, ${bytes} bytes`)
}

async function post(path: string, envelope: string, attributes: object): Promise<string> {
  const answer = JSON.parse(await call('POST', path, { [envelope]: attributes })) as Record<
    string,
    { id: string }
  >
  return answer[envelope]?.id ?? ''
}

async function call(method: 'POST' | 'DELETE', path: string, body?: object): Promise<string> {
  const { statusCode, body: answer } = await client.request({
    method,
    path: `${base}${path}`,
    headers: {
      'x-project-id': PROJECT,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    body: body === undefined ? null : JSON.stringify(body),
  })
  const text = await answer.text()
  if (statusCode >= 300) throw new Error(`${method} ${path}: ${statusCode} ${text.slice(0, 500)}`)
  return text
}

await main()
