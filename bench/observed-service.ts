/** A service that has something to show: members that pass, fail and flap, requests of both dialects, a certificate. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Agent, fetch } from 'undici'
import { selfSigned } from '../test/support/certificate.ts'
import { loopbackAddress } from './member-rows.ts'
import { endService, printedAddresses, startService } from './service.ts'

const NAME = 'api.example.org'
const SUBNET_ID = '11111111-2222-4333-8444-555555555555'
/** Members of each kind. */
const EACH = 10
/** Nobody listens there (tcpmux). */
const CLOSED_PORT = 1
/** Milliseconds that the flapping target is up, and then down. */
const FLAP_MS = 4000

export interface ObservedService {
  readonly metrics: URL
  readonly members: number
  /** Sends requests and lets members flap for so long. */
  load(seconds: number): Promise<void>
  stop(): Promise<void>
}

export async function startObservedService(): Promise<ObservedService> {
  const folder = mkdtempSync(join(tmpdir(), 'hm-observed-'))
  // An embedded PostgreSQL of another user reaches its folder.
  if (process.getuid?.() === 0) chmodSync(folder, 0o711)
  const { cert, key } = selfSigned(NAME)
  writeFileSync(join(folder, 'tls.crt'), cert)
  writeFileSync(join(folder, 'tls.key'), key)
  const targets = [startTarget(), startTarget()]
  const service = startService(
    {
      HM_DATA_DIR: join(folder, 'data'),
      HM_LISTEN: '127.0.0.1:0',
      HM_METRICS_LISTEN: '127.0.0.1:0',
      HM_TLS_CERT: join(folder, 'tls.crt'),
      HM_TLS_KEY: join(folder, 'tls.key'),
      HM_LOG_LEVEL: 'error',
    },
    { stdout: 'pipe' },
  )
  const agent = new Agent({ connect: { ca: cert, servername: NAME } })
  const stop = async (): Promise<void> => {
    await endService(service)
    for (const target of targets) target.kill('SIGKILL')
    await agent.close()
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  }
  try {
    const ports = await Promise.all(targets.map(listening))
    const { api, metrics } = await printedAddresses(service)
    const client = new Client(new URL(api).origin, agent)
    await configure(client, ports)
    const [, flapping] = targets
    return {
      metrics: new URL(metrics),
      members: 3 * 3 * EACH,
      load: async (seconds) => {
        await Promise.all([requests(client, seconds), flap(flapping, seconds)])
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Sends requests to the API. */
class Client {
  readonly #base: string
  readonly #agent: Agent

  constructor(base: string, agent: Agent) {
    this.#base = base
    this.#agent = agent
  }

  async get(path: string): Promise<number> {
    const answer = await fetch(`${this.#base}${path}`, { dispatcher: this.#agent })
    await answer.text()
    return answer.status
  }

  /** The id of what was made. */
  async post(path: string, body: object): Promise<string> {
    const answer = await fetch(`${this.#base}/v2.0/lbaas/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      dispatcher: this.#agent,
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`)
    const [made] = Object.values(JSON.parse(text) as Record<string, { readonly id?: string }>)
    return made?.id ?? ''
  }
}

/** A pool of TCP, HTTP and UDP each; a third of the members passes, a third flaps, a third fails. */
async function configure(client: Client, [passing = 0, flapping = 0]: readonly number[]): Promise<void> {
  const loadbalancer_id = await client.post('loadbalancers', { loadbalancer: { vip_subnet_id: SUBNET_ID } })
  for (const [protocol, type] of [
    ['TCP', 'TCP'],
    ['HTTP', 'HTTP'],
    ['UDP', 'UDP_CONNECT'],
  ]) {
    const pool = { loadbalancer_id, protocol, lb_algorithm: 'ROUND_ROBIN' }
    const pool_id = await client.post('pools', { pool })
    for (let n = 0; n < 3 * EACH; n += 1) {
      const protocol_port = [passing, flapping, CLOSED_PORT][n % 3]
      const member = { address: loopbackAddress(n), protocol_port, subnet_id: SUBNET_ID }
      await client.post(`pools/${pool_id}/members`, { member })
    }
    const times = { delay: 1, timeout: 1, max_retries: 1, max_retries_down: 1 }
    await client.post('healthmonitors', { healthmonitor: { pool_id, type, ...times } })
  }
}

async function requests(client: Client, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    for (const path of ['/v2.0/lbaas/members', '/load-balancer/v2/lbaas/pools', '/v2.0/lbaas/unknown'])
      await client.get(path)
    await wait(1000)
  }
}

async function flap(target: ChildProcess | undefined, seconds: number): Promise<void> {
  for (let ms = 0; ms < 1000 * seconds; ms += 2 * FLAP_MS) {
    for (const change of ['stop', 'start']) {
      target?.send(change)
      await wait(FLAP_MS)
    }
  }
}

function startTarget(): ChildProcess {
  return fork(fileURLToPath(new URL('./target.js', import.meta.url)))
}

async function listening(target: ChildProcess): Promise<number> {
  const [message] = (await once(target, 'message')) as [{ port: number }]
  return message.port
}
