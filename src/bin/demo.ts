/**
 * `npm run demo`: the service at work in half a minute. Starts it on free ports with a database of its own, three small
 * HTTP servers as members and a monitor; stops one server, starts it again, and prints what the API says meanwhile.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('./healthmonitor.js', import.meta.url))
/** Any: no traffic is routed. */
const SUBNET_ID = '11111111-2222-4333-8444-555555555555'
const POLL_MS = 200
const STEP_DEADLINE_MS = 30_000

interface Backend {
  readonly name: string
  readonly port: number
  readonly start: () => Promise<void>
  readonly stop: () => Promise<void>
}

interface MemberHealth {
  readonly status: string
  readonly reason: string
  readonly detail: string | null
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'healthmonitor-demo-'))
  // Under root, PostgreSQL runs as another account, which must pass through.
  if (process.getuid?.() === 0) await chmod(folder, 0o711)
  const port = await freePort()
  const backends = await Promise.all(['one', 'two', 'three'].map(startBackend))
  const service = startService(folder, port)
  const stopAll = async (): Promise<void> => {
    await Promise.all(backends.map((backend) => backend.stop()))
    await ended(service)
    await rm(folder, { recursive: true, force: true })
  }
  process.once('SIGINT', () => service.kill('SIGTERM'))
  try {
    await play(`http://127.0.0.1:${port}`, backends, service)
  } finally {
    await stopAll()
  }
}

async function play(base: string, backends: readonly Backend[], service: ChildProcess): Promise<void> {
  say('starting the service with an embedded PostgreSQL …')
  await until('the service answers', async () => (await answers(`${base}/healthcheck`)) || fail(service))
  const poolId = await configure(base, backends)
  const [, two] = backends
  if (two === undefined) throw new Error('the demo has three servers')
  const watch = new Watch(base, poolId, backends)
  await watch.until('all three are ONLINE', (states) =>
    [...states.values()].every((state) => state === 'ONLINE'),
  )
  say(`stopping server ${two.name}: two failures in a row make it OFFLINE`)
  await two.stop()
  await watch.until(`${two.name} is OFFLINE`, (states) => states.get(two.name) === 'OFFLINE')
  say(`starting server ${two.name} again: two successes in a row make it ONLINE`)
  await two.start()
  await watch.until(`${two.name} is ONLINE`, (states) => states.get(two.name) === 'ONLINE')
  say('that is all; stopping.')
}

/** A load balancer, a pool, three members and an HTTP monitor, as any client would create them. */
async function configure(base: string, backends: readonly Backend[]): Promise<string> {
  const post = async (path: string, body: object): Promise<string> => {
    const answer = await fetch(`${base}/v2.0/lbaas/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    const text = await answer.text()
    if (answer.status !== 201) throw new Error(`POST ${path}: ${answer.status} ${text}`)
    const [created] = Object.values(JSON.parse(text) as Record<string, { id: string }>)
    return created?.id ?? ''
  }
  say('creating a load balancer, a pool, three members and a health monitor (delay 1 s, timeout 1 s) …')
  const loadBalancer = await post('loadbalancers', {
    loadbalancer: { name: 'demo', vip_subnet_id: SUBNET_ID },
  })
  const pool = await post('pools', {
    pool: { name: 'demo', loadbalancer_id: loadBalancer, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' },
  })
  for (const { name, port } of backends) {
    const member = { name, address: '127.0.0.1', protocol_port: port, subnet_id: SUBNET_ID }
    await post(`pools/${pool}/members`, { member })
  }
  await post('healthmonitors', {
    healthmonitor: { pool_id: pool, type: 'HTTP', delay: 1, timeout: 1, max_retries: 2, max_retries_down: 2 },
  })
  return pool
}

/** Prints every change of a member's health until a condition holds. */
class Watch {
  readonly #base: string
  readonly #poolId: string
  readonly #names: readonly string[]
  readonly #seen = new Map<string, string>()

  constructor(base: string, poolId: string, backends: readonly Backend[]) {
    this.#base = base
    this.#poolId = poolId
    this.#names = backends.map((backend) => backend.name)
  }

  async until(what: string, holds: (states: ReadonlyMap<string, string>) => boolean): Promise<void> {
    await until(what, async () => holds(await this.#look()))
  }

  async #look(): Promise<ReadonlyMap<string, string>> {
    const path = `${this.#base}/v2.0/lbaas/pools/${this.#poolId}/members`
    const { members } = (await (await fetch(path)).json()) as { members: { id: string; name: string }[] }
    const states = new Map<string, string>()
    for (const member of members) {
      const answer = (await (await fetch(`${path}/${member.id}/health`)).json()) as { health: MemberHealth }
      const { status, reason } = answer.health
      states.set(member.name, status)
      if (this.#seen.get(member.name) !== status)
        say(`  ${member.name.padEnd(6)} ${status.padEnd(8)} ${reason}`)
      this.#seen.set(member.name, status)
    }
    return new Map(this.#names.map((name) => [name, states.get(name) ?? '']))
  }
}

async function startBackend(name: string): Promise<Backend> {
  let server: Server | undefined
  const listen = (port: number): Promise<number> =>
    new Promise((resolve, reject) => {
      const created = createServer((_, response) => response.end(`I am ${name}\n`))
      created.once('error', reject)
      created.listen(port, '127.0.0.1', () => {
        server = created
        resolve((created.address() as AddressInfo).port)
      })
    })
  const port = await listen(0)
  return {
    name,
    port,
    start: async () => void (await listen(port)),
    stop: () =>
      new Promise((resolve) => {
        if (server === undefined) return resolve()
        server.close(() => resolve())
        server.closeAllConnections()
        server = undefined
      }),
  }
}

function startService(folder: string, port: number): ChildProcess {
  const { DATABASE_URL: _, ...environment } = process.env
  return spawn(process.execPath, [PROGRAM, 'serve'], {
    env: {
      ...environment,
      HM_DATA_DIR: folder,
      HM_LISTEN: `127.0.0.1:${port}`,
      HM_METRICS_LISTEN: 'off',
      HM_LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

async function ended(service: ChildProcess): Promise<void> {
  if (service.exitCode !== null || service.signalCode !== null) return
  const gone = new Promise((resolve) => service.once('exit', resolve))
  service.kill('SIGTERM')
  await gone
}

function fail(service: ChildProcess): false {
  if (service.exitCode !== null) throw new Error(`the service ended with exit code ${service.exitCode}`)
  return false
}

async function freePort(): Promise<number> {
  return await new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok
  } catch (error) {
    if (error instanceof TypeError) return false
    throw error
  }
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + STEP_DEADLINE_MS
  while (!(await holds())) {
    if (performance.now() > deadline)
      throw new Error(`waited ${STEP_DEADLINE_MS / 1000} s in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

const start = performance.now()
function say(line: string): void {
  console.log(`${((performance.now() - start) / 1000).toFixed(1).padStart(5)} s  ${line}`)
}

await main()
