/**
 * `node dist/bench/config-change.js [--changes 100] [--pools 20] [--delay 5] [--listen on|off]`
 *
 * How long a change of the configuration takes to show: from the answer of the API to the first probe that arrives at the
 * new target. Each change moves the monitor of one pool to the other of two ports. `--listen off` lets the probers' LISTEN
 * fail (`without-listen.ts`), so that only the poll remains. Everything on loopback, bounded, ended by pid.
 */
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { commandLine } from './command-line.ts'
import { startPostgres } from './postgres.ts'
import { endService, startService } from './service.ts'

const API_PORT = 19_886
const DEADLINE_MS = 30_000
const SUBNET_ID = '11111111-2222-4333-8444-555555555555'

const values = commandLine('node dist/bench/config-change.js [options]', {
  changes: '100',
  pools: '20',
  delay: '5',
  listen: 'on',
})
const changes = Number(values.changes)
const pools = Number(values.pools)

/** A pool with one member at an address of its own, by which its probes can be recognised. */
interface Target {
  readonly address: string
  readonly monitorId: string
}

/** When the last probe of an address arrived at a port: `address port` → monotonic milliseconds. */
const arrivals = new Map<string, number>()

async function main(): Promise<void> {
  const postgres = await startPostgres()
  const listeners = [await listenAnywhere(), await listenAnywhere()] as const
  const service = startService({
    DATABASE_URL: postgres.url,
    HM_LISTEN: `127.0.0.1:${API_PORT}`,
    HM_LOG_LEVEL: 'error',
    ...(values.listen === 'off'
      ? { NODE_OPTIONS: `--import ${new URL('./without-listen.js', import.meta.url).href}` }
      : {}),
  })
  try {
    await until('the service answers', () => isUp())
    const targets = await configure(portOf(listeners[0]))
    await until('every target is probed', () =>
      Promise.resolve(targets.every(({ address }) => arrivals.has(`${address} ${portOf(listeners[0])}`))),
    )
    const latencies: number[] = []
    for (let n = 0; n < changes; n += 1) {
      const target = targets[n % pools]
      const listener = listeners[(Math.floor(n / pools) + 1) % 2]
      if (target === undefined || listener === undefined) throw new Error('no target')
      latencies.push(await change(target, portOf(listener)))
    }
    report(latencies)
  } finally {
    await endService(service)
    for (const listener of listeners) listener.close()
    await postgres.stop()
  }
}

/** Milliseconds from the API's answer to the first probe at the new port. */
async function change(target: Target, port: number): Promise<number> {
  const key = `${target.address} ${port}`
  arrivals.delete(key)
  await send('PUT', `healthmonitors/${target.monitorId}`, { healthmonitor: { monitor_port: port } })
  const answeredMs = performance.now()
  await until('a probe of the new target', () => Promise.resolve(arrivals.has(key)))
  // Changes come at any moment of the poll, not in step with it.
  await wait(Math.random() * 1000)
  return Math.max(0, (arrivals.get(key) ?? 0) - answeredMs)
}

function report(latencies: readonly number[]): void {
  const sorted = latencies.toSorted((a, b) => a - b)
  const at = (share: number): string =>
    `${Math.round(sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN)} ms`
  console.log(
    `${latencies.length} changes, ${pools} pools, delay ${values.delay} s, LISTEN ${values.listen}: p50 ${at(0.5)}, p90 ${at(0.9)}, p99 ${at(0.99)}, max ${at(1)}`,
  )
}

async function listenAnywhere(): Promise<Server> {
  const server = createServer((socket) => {
    const key = `${socket.localAddress} ${socket.localPort}`
    if (!arrivals.has(key)) arrivals.set(key, performance.now())
    socket.on('error', () => undefined)
    socket.destroy()
  })
  server.listen(0, '0.0.0.0')
  await once(server, 'listening')
  return server
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening')
  return address.port
}

async function configure(port: number): Promise<readonly Target[]> {
  const lb = await send('POST', 'loadbalancers', { loadbalancer: { vip_subnet_id: SUBNET_ID } })
  const targets: Target[] = []
  for (let n = 1; n <= pools; n += 1) {
    const address = `127.1.0.${n}`
    const pool = await send('POST', 'pools', {
      pool: { loadbalancer_id: lb, protocol: 'TCP', lb_algorithm: 'ROUND_ROBIN' },
    })
    await send('POST', `pools/${pool}/members`, {
      member: { address, protocol_port: port, subnet_id: SUBNET_ID },
    })
    const delay = Number(values.delay)
    const monitorId = await send('POST', 'healthmonitors', {
      healthmonitor: { pool_id: pool, type: 'TCP', delay, timeout: 1, max_retries: 1 },
    })
    targets.push({ address, monitorId })
  }
  return targets
}

/** Sends one request; answers the id of the object. */
async function send(method: 'POST' | 'PUT', path: string, body: object): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${API_PORT}/v2.0/lbaas/${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
  const [object] = Object.values(JSON.parse(text) as Record<string, { readonly id: string }>)
  return object?.id ?? ''
}

async function isUp(): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${API_PORT}/healthcheck`)).ok
  } catch {
    return false
  }
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`waited too long until ${what}`)
    await wait(5)
  }
}

await main()
