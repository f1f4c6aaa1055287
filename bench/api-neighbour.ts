/**
 * `node dist/bench/api-neighbour.js [--attack none,batches,keys,lists] [--seconds 15] [--at-once 32]`
 *
 * What one project does to the requests of another at one API process. A bystander makes a request every 50 ms: it reads its
 * pool, lists its members, and creates and deletes a monitor in turn. Printed of each attack: the bystander's latencies and
 * what it was answered beside 2xx, and what the attacker was answered.
 *
 *   none     nobody does anything
 *   batches  `at-once` batches of 200 members at a time, all for one pool of the attacker's own
 *   keys     `at-once` bodies of 0.2 MB with 20 000 unknown keys at a time
 *   lists    `at-once` lists at a time, each of a pool of 10 000 members, in pages as large as they may be
 *
 * The attacker is a process of its own. One `healthmonitor api` with an embedded PostgreSQL; everything on loopback, ended by
 * pid.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Pool } from 'undici'
import { PAGE_MAX_DEFAULT } from '../src/domain/limits.ts'
import { commandLine } from './command-line.ts'
import { freePorts } from './namespace.ts'
import { startPostgres } from './postgres.ts'
import { answering, endService, startService } from './service.ts'

const FIRST_PORT = 19_878
const EVERY_MS = 50
const WARM_UP_SECONDS = 3
const BATCH = 200
const UNKNOWN_KEYS = 20_000
const LIST_OF = 10_000
const BASE = '/v2.0/lbaas'
const BATCHES = '/load-balancer/v2.0/lbaas'
const SUBNET_ID = '11111111-2222-4333-8444-555555555555'

const values = commandLine('node dist/bench/api-neighbour.js [options]', {
  attack: 'none,batches,keys,lists',
  seconds: '15',
  'at-once': '32',
  // Of the process that attacks.
  role: '',
  url: '',
  pool: '',
})

type Statuses = Record<string, number>

interface Client {
  readonly statuses: Statuses
  readonly call: (method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: string) => Promise<string>
  readonly close: () => Promise<void>
}

function clientOf(projectId: string, url: string, connections: number): Client {
  const pool = new Pool(url, { connections })
  const statuses: Statuses = {}
  return {
    statuses,
    close: () => pool.destroy(),
    call: async (method, path, body) => {
      const headers = {
        'x-project-id': projectId,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      }
      const answer = await pool.request({ method, path, headers, body: body ?? null })
      statuses[answer.statusCode] = (statuses[answer.statusCode] ?? 0) + 1
      return await answer.body.text()
    },
  }
}

async function create({ call }: Client, kind: string, attributes: object): Promise<string> {
  const answer = JSON.parse(
    await call('POST', `${BASE}/${kind}s`, JSON.stringify({ [kind]: attributes })),
  ) as Record<string, { id: string }>
  const id = answer[kind]?.id
  if (id === undefined) throw new Error(`a ${kind} could not be created: ${JSON.stringify(answer)}`)
  return id
}

async function createPool(client: Client): Promise<string> {
  const loadbalancer_id = await create(client, 'loadbalancer', { vip_subnet_id: SUBNET_ID })
  return await create(client, 'pool', { loadbalancer_id, protocol: 'TCP', lb_algorithm: 'ROUND_ROBIN' })
}

/** Batch number `n` of the attacker: members that the one before did not have. */
function batch(n: number, size = BATCH): string {
  const members = Array.from({ length: size }, (_, i) => ({
    address: `192.0.2.${1 + (n % 250)}`,
    protocol_port: 1 + i,
  }))
  return JSON.stringify({ members })
}

const unknownKeys = JSON.stringify({
  pool: Object.fromEntries(Array.from({ length: UNKNOWN_KEYS }, (_, n) => [`k${n}`, n])),
})

const ATTACKS: Readonly<Record<string, (client: Client, poolId: string, n: number) => Promise<string>>> = {
  none: async () => await Promise.resolve(''),
  batches: ({ call }, poolId, n) => call('PUT', `${BATCHES}/pools/${poolId}/members`, batch(n)),
  keys: ({ call }, poolId) => call('PUT', `${BASE}/pools/${poolId}`, unknownKeys),
  lists: ({ call }, poolId) => call('GET', `${BASE}/pools/${poolId}/members?limit=${PAGE_MAX_DEFAULT}`),
}

/** Attacks until the parent ends it, and says then what it was answered. */
async function attackOn(name: string): Promise<void> {
  const atOnce = Number(values['at-once'])
  const client = clientOf('attacker', values.url, atOnce)
  let n = 0
  let isEnding = false
  const ended = once(process, 'message').then(() => (isEnding = true))
  const loop = async (): Promise<void> => {
    while (!isEnding) await ATTACKS[name]?.(client, values.pool, n++)
  }
  await Promise.all(Array.from({ length: name === 'none' ? 0 : atOnce }, loop))
  await ended
  process.send?.(client.statuses)
  await client.close()
  process.disconnect()
}

async function filledPool(client: Client, members: number): Promise<string> {
  const poolId = await createPool(client)
  const perBatch = 1000
  for (let from = 0; from < members; from += perBatch)
    await client.call(
      'PUT',
      `${BATCHES}/pools/${poolId}/members?additive_only=true`,
      batch(from / perBatch, perBatch),
    )
  return poolId
}

/** One request after the other, each `EVERY_MS` after the one before was sent, or as soon as that is answered. */
async function bystand(client: Client, poolId: string, seconds: number): Promise<number[]> {
  const latencies: number[] = []
  let monitorId = ''
  const steps: readonly (() => Promise<unknown>)[] = [
    () => client.call('GET', `${BASE}/pools/${poolId}`),
    () => client.call('GET', `${BASE}/pools/${poolId}/members`),
    async () => {
      const monitor = { pool_id: poolId, type: 'TCP', delay: 5, timeout: 3, max_retries: 3 }
      monitorId = await create(client, 'healthmonitor', monitor).catch(() => '')
    },
    () => client.call('DELETE', `${BASE}/healthmonitors/${monitorId}`),
  ]
  const end = performance.now() + seconds * 1000
  for (let n = 0; performance.now() < end || n % steps.length !== 0; n++) {
    const startMs = performance.now()
    await steps[n % steps.length]?.()
    const tookMs = performance.now() - startMs
    latencies.push(tookMs)
    await wait(Math.max(0, EVERY_MS - tookMs))
  }
  return latencies
}

async function run(name: string, url: string): Promise<void> {
  const setUp = clientOf('attacker', url, 1)
  const attacked = await filledPool(setUp, name === 'lists' ? LIST_OF : 0)
  await setUp.close()
  const bystander = clientOf('bystander', url, 1)
  const own = await filledPool(bystander, 10)
  await bystand(bystander, own, WARM_UP_SECONDS)
  const args = ['--role', name, '--url', url, '--pool', attacked, '--at-once', values['at-once']]
  const attacker = fork(fileURLToPath(import.meta.url), args)
  await wait(1000)
  for (const status of Object.keys(bystander.statuses)) delete bystander.statuses[status]
  const sorted = (await bystand(bystander, own, Number(values.seconds))).toSorted((a, b) => a - b)
  const answered = once(attacker, 'message')
  attacker.send('end')
  const [statuses] = (await answered) as [Statuses]
  const at = (q: number) => (sorted[Math.floor(q * (sorted.length - 1))] ?? Number.NaN).toFixed(1)
  console.log(
    `${name.padEnd(8)} bystander: ${sorted.length} requests, p50 ${at(0.5)} ms p99 ${at(0.99)} ms max ${at(1)} ms, ` +
      `${JSON.stringify(bystander.statuses)}; attacker: ${JSON.stringify(statuses)}`,
  )
  await bystander.close()
}

async function main(): Promise<void> {
  const names = values.attack.split(',')
  const unknown = names.find((name) => ATTACKS[name] === undefined)
  if (unknown !== undefined) throw new Error(`${unknown} is none of ${Object.keys(ATTACKS).join(', ')}`)
  const postgres = await startPostgres()
  const [port = 0] = await freePorts(FIRST_PORT, 1)
  const service = startService({
    DATABASE_URL: postgres.url,
    HM_LISTEN: `127.0.0.1:${port}`,
    HM_PROBERS: '0',
    HM_LOG_LEVEL: 'error',
    HM_QUOTA_MEMBER: '-1',
  })
  const url = `http://127.0.0.1:${port}`
  try {
    await answering(service, url)
    for (const name of names) await run(name, url)
  } finally {
    await endService(service)
    await postgres.stop()
  }
}

if (values.role === '') await main()
else await attackOn(values.role)
