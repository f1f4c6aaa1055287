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
import { parseArgs } from 'node:util'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { createApp } from '../src/api/app.ts'
import { EventStreams } from '../src/api/v1/event-streams.ts'
import { feedOf } from '../src/bin/events.ts'
import { parseCidr } from '../src/domain/address/ip-address.ts'
import { PAGE_MAX_DEFAULT, VIP_RANGE_DEFAULT } from '../src/domain/limits.ts'
import { OCTAVIA_BATCH_MAX } from '../src/api/dialect/octavia/limits.ts'
import { makeTargetPolicy } from '../src/domain/address/target-policy.ts'
import { vipRangeOf } from '../src/domain/address/vip-range.ts'
import { noIdentity } from '../src/identity/no-identity.ts'
import { type Database, openDatabase } from '../src/store/database.ts'
import { migrateToLatest } from '../src/store/migrate.ts'
import { startPostgres } from './postgres.ts'

const CONNECTIONS = 16
const UNLIMITED = { loadbalancer: -1, listener: -1, pool: -1, member: -1, healthmonitor: -1 }
const OCTAVIA = '/load-balancer/v2.0/lbaas'
const ELB = '/elb/v2.0/lbaas'
const SUBNET_ID = '11111111-2222-4333-8444-555555555555'

interface Request {
  readonly method: string
  readonly path: string
  readonly body?: string
}

interface Answered {
  readonly status: number
  readonly bytes: number
  readonly ms: number
  readonly text: string
}

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

type Ask = (request: Request) => Promise<Answered>

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { repeat: { type: 'string', default: '5' }, only: { type: 'string', default: '' } },
  })
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
    for (const { name, request } of await cases(ask)) {
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

function apiOn(db: Database) {
  const app = createApp({
    db,
    settings: {
      defaultDialect: 'elb',
      pageMax: PAGE_MAX_DEFAULT,
      quotas: UNLIMITED,
      rbac: 'both',
      vipRange: vipRangeOf(parseCidr(VIP_RANGE_DEFAULT)),
      loopbackHostsOnly: true,
      trustedProxies: [],
      allowPing: true,
      udpMinDelaySeconds: 3,
      networkReads: true,
    },
    log: { debug: () => undefined, info: () => undefined, error: (fields) => console.error(fields) },
    identify: noIdentity('bench'),
    events: {
      feed: feedOf(db, { info: () => undefined, warn: () => undefined }),
      streams: new EventStreams(),
    },
    targetPolicy: makeTargetPolicy({
      allow: [],
      deny: [],
      loopbackAllowed: true,
      ownListeners: [],
      localAddresses: [],
    }),
    observe: () => undefined,
  })
  const handle = app.callback()
  return (...exchange: Parameters<typeof handle>) => void handle(...exchange)
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

interface Case {
  readonly name: string
  readonly request: () => Request
}

const put = (path: string, body: unknown): Request => ({ method: 'PUT', path, body: JSON.stringify(body) })
const post = (path: string, body: unknown): Request => ({ method: 'POST', path, body: JSON.stringify(body) })
const get = (path: string): Request => ({ method: 'GET', path })
const many = <Item>(count: number, item: (i: number) => Item): Item[] =>
  Array.from({ length: count }, (_, i) => item(i))
const address = (i: number): string => `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`

async function made(ask: Ask, path: string, envelope: string, attributes: object): Promise<string> {
  const { status, text } = await ask(post(path, { [envelope]: attributes }))
  if (status !== 201) throw new Error(`${path}: ${status} ${text}`)
  return /"id":"([^"]+)"/.exec(text)?.[1] ?? ''
}

const aLoadBalancer = (ask: Ask) =>
  made(ask, `${ELB}/loadbalancers`, 'loadbalancer', { vip_subnet_id: SUBNET_ID })
const aPool = (ask: Ask, loadbalancer_id: string) =>
  made(ask, `${ELB}/pools`, 'pool', { loadbalancer_id, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' })

const member = (i: number, tags: string[] = []) => ({
  name: `member ${i}`,
  address: address(i),
  protocol_port: 80 + (i % 1000),
  weight: i % 100,
  backup: false,
  admin_state_up: true,
  subnet_id: SUBNET_ID,
  monitor_address: address(i),
  monitor_port: 8080,
  tags,
})

async function cases(ask: Ask): Promise<readonly Case[]> {
  const lb = await aLoadBalancer(ask)
  const pool = await aPool(ask, lb)
  const batch = `${OCTAVIA}/pools/${pool}/members`
  const small = await aPool(ask, lb)
  const unknown = (keys: number) => Object.fromEntries(many(keys, (i) => [`k${i}`, i]))
  let name = 0
  const hostile: Case[] = [
    {
      name: 'elb PUT pool, 20 000 unknown keys',
      request: () => put(`${ELB}/pools/${small}`, { pool: unknown(20_000) }),
    },
    {
      name: 'octavia PUT pool, 20 000 unknown keys',
      request: () => put(`${OCTAVIA}/pools/${small}`, { pool: unknown(20_000) }),
    },
    {
      name: 'elb PUT pool, 127 unknown keys',
      request: () => put(`${ELB}/pools/${small}`, { pool: unknown(127) }),
    },
    {
      name: 'depends_on of 400 000 strings',
      request: () => put(`${OCTAVIA}/pools/${small}`, { pool: { depends_on: many(400_000, () => 'x') } }),
    },
    {
      name: 'depends_on of 4 900 strings',
      request: () => put(`${OCTAVIA}/pools/${small}`, { pool: { depends_on: many(4900, () => 'x') } }),
    },
    { name: 'two million [', request: () => ({ method: 'PUT', path: batch, body: '['.repeat(2_000_000) }) },
    {
      name: 'two million [ to the identity',
      request: () => ({ method: 'POST', path: batch, body: '['.repeat(60_000) }),
    },
    { name: 'a batch of 199 000 numbers', request: () => put(batch, { members: many(199_000, () => 1) }) },
    {
      name: 'a batch, one text of 4 MB of escapes',
      request: () => put(batch, { members: [{ name: '\u0001'.repeat(690_000) }] }),
    },
    {
      name: '1 000 objects of 120 unknown keys in a create',
      request: () =>
        post(`${OCTAVIA}/loadbalancers`, { loadbalancer: { pools: many(1000, () => unknown(120)) } }),
    },
    {
      name: 'a list with 200 filters',
      request: () => get(`${ELB}/members?${many(200, (i) => `id=${i}`).join('&')}`),
    },
    {
      name: 'a list with tags of 7 000 words',
      request: () => get(`${OCTAVIA}/pools?tags=${many(3500, () => 'a').join(',')}`),
    },
    {
      name: 'a list sorted 1 500 times',
      request: () => get(`${OCTAVIA}/pools?sort_key=${many(700, () => 'name').join(',')}`),
    },
    {
      name: '200 networks by name',
      request: () => get(`/v2.0/networks?${many(800, (i) => `name=${i}`).join('&')}`),
    },
  ]
  const legal: Case[] = [
    {
      name: `octavia batch of ${OCTAVIA_BATCH_MAX}, created or unchanged`,
      request: () => put(batch, { members: many(OCTAVIA_BATCH_MAX, member) }),
    },
    {
      name: '… all changed',
      request: () =>
        put(batch, {
          members: many(OCTAVIA_BATCH_MAX, (i) => ({ ...member(i), name: `changed ${++name}` })),
        }),
    },
    {
      name: '… with 4 MB of tags',
      request: () =>
        put(batch, {
          members: many(OCTAVIA_BATCH_MAX, (i) =>
            member(
              i,
              many(25, (n) => `tag-${n}-${name}`),
            ),
          ),
        }),
    },
    {
      name: '… the last one wrong',
      request: () =>
        put(batch, {
          members: many(OCTAVIA_BATCH_MAX, (i) =>
            i === OCTAVIA_BATCH_MAX - 1 ? { ...member(i), weight: 'x' } : member(i),
          ),
        }),
    },
    {
      name: 'elb batch of 200',
      request: () =>
        put(`${ELB}/pools/${small}/members`, {
          action: 'replace',
          members: many(200, (i) => ({ address: address(i), protocol_port: 80, subnet_id: SUBNET_ID })),
        }),
    },
    {
      name: 'octavia create with 10 pools of 500 members',
      request: () =>
        post(`${OCTAVIA}/loadbalancers`, {
          loadbalancer: {
            vip_subnet_id: SUBNET_ID,
            pools: many(10, (p) => ({
              name: `p${p}`,
              protocol: 'HTTP',
              lb_algorithm: 'ROUND_ROBIN',
              members: many(500, member),
            })),
          },
        }),
    },
    { name: 'octavia, 2 000 members of a pool', request: () => get(batch) },
    { name: 'elb, 2 000 members', request: () => get(`${ELB}/members`) },
    { name: 'elb, health of 2 000 members', request: () => get(`${ELB}/pools/${pool}/health`) },
    { name: 'elb, a pool of 5 000 members', request: () => get(`${ELB}/pools/${pool}`) },
  ]
  const four = await Promise.resolve().then(async () => {
    const tree = await aLoadBalancer(ask)
    for (let p = 0; p < 4; p++) {
      const of = await aPool(ask, tree)
      await ask(put(`${OCTAVIA}/pools/${of}/members`, { members: many(5000, (i) => member(i)) }))
    }
    return tree
  })
  return [
    ...hostile,
    ...legal,
    {
      name: 'elb, status tree of 20 000 members',
      request: () => get(`${ELB}/loadbalancers/${four}/statuses`),
    },
    {
      name: 'octavia, status tree of 20 000 members',
      request: () => get(`${OCTAVIA}/loadbalancers/${four}/status`),
    },
    {
      name: 'octavia, list of pools with 20 000 members',
      request: () => get(`${OCTAVIA}/pools?loadbalancer_id=${four}`),
    },
  ]
}

if (isMainThread) await main()
else answerRequests(workerData as number)
