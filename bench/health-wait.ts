/**
 * `node dist/bench/health-wait.js [--changes 200] [--members 1]`
 *
 * How long after a decision of a prober a client that waits for it has its answer: `wait_for` of a member and of its pool, asked
 * at the same time, while a real listener goes up and down. The whole program with its embedded PostgreSQL (durable), one
 * prober, a TCP check every 100 ms. The decision is `since` of the member, by the clock of this host. `written` is the part of a
 * member's wait after the verdict was written, which a prober does 100 ms after the decision. Prints and stores as JSON.
 */
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Agent, request } from 'undici'
import { commandLine } from './command-line.ts'
import { endService, printedAddresses, startService } from './service.ts'
import { progress } from './progress.ts'

const SUBNET_ID = '11111111-2222-4333-8444-555555555555'

const values = commandLine('node dist/bench/health-wait.js [options]', {
  changes: '200',
  members: '1',
  out: fileURLToPath(new URL('health-wait.json', import.meta.url)),
})
const client = new Agent({ headersTimeout: 90_000 })

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'healthmonitor-bench-'))
  const service = startService(
    { HM_DATA_DIR: folder, HM_LISTEN: '127.0.0.1:0', HM_LOG_LEVEL: 'error' },
    { stdout: 'pipe' },
  )
  try {
    const { api } = await printedAddresses(service)
    const { poolId, memberId, target } = await makePool(api)
    const waits = { member: `/pools/${poolId}/members/${memberId}/health`, pool: `/pools/${poolId}/health` }
    const late: Record<keyof typeof waits | 'written', number[]> = { member: [], pool: [], written: [] }
    for (let change = 0; change < Number(values.changes); change++) {
      progress.show(`change ${change + 1} of ${values.changes}`, 'changes')
      const state = change % 2 === 0 ? 'OFFLINE' : 'ONLINE'
      const asked = (['member', 'pool'] as const).map(async (kind) => {
        const { decided, written } = await lateness(`${api}${waits[kind]}?wait_for=${state}&timeout=60`)
        late[kind].push(decided)
        if (kind === 'member') late.written.push(written)
      })
      if (state === 'OFFLINE') await closed(target)
      else await listening(target.server, target.port)
      await Promise.all(asked)
    }
    const figures = {
      member: quantiles(late.member),
      pool: quantiles(late.pool),
      written: quantiles(late.written),
    }
    console.log(`${values.changes} changes, pool of ${values.members}: ms from decision to answer`)
    console.table(figures)
    const about = { at: new Date().toISOString(), node: process.version, options: values }
    writeFileSync(values.out, `${JSON.stringify({ ...about, ...figures }, undefined, 2)}\n`)
    target.server.close()
  } finally {
    await endService(service)
    await client.destroy()
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Shown {
  readonly since: string
  readonly as_of: string
}

interface WaitAnswer {
  readonly health: Shown & { readonly members?: readonly Shown[] }
  readonly wait: { readonly reached: boolean }
}

/** Milliseconds between the last decision that was waited for, or its write, and the answer. */
async function lateness(url: string): Promise<{ readonly decided: number; readonly written: number }> {
  const { health, wait } = (await call('GET', url)) as WaitAnswer
  const now = Date.now()
  if (!wait.reached) throw new Error(`${url} was not reached`)
  const shown = health.members ?? [health]
  const after = (times: readonly string[]) => now - Math.max(...times.map((time) => Date.parse(time)))
  return { decided: after(shown.map(({ since }) => since)), written: after(shown.map((each) => each.as_of)) }
}

interface Target {
  readonly server: Server
  readonly port: number
}

/** Members at addresses of loopback, all with the port of one listener, so that all of them change at once. */
async function makePool(api: string): Promise<{ poolId: string; memberId: string; target: Target }> {
  const server = createServer((socket) => socket.on('error', () => undefined).resume())
  const target = { server, port: await listening(server, 0) }
  const { loadbalancer } = await create(api, 'loadbalancer', { vip_subnet_id: SUBNET_ID })
  const { pool } = await create(api, 'pool', {
    loadbalancer_id: loadbalancer?.id,
    protocol: 'TCP',
    lb_algorithm: 'ROUND_ROBIN',
  })
  const poolId = pool?.id ?? ''
  let memberId = ''
  for (let n = 1; n <= Number(values.members); n++) {
    const { member } = await create(api, 'member', {
      path: `/pools/${poolId}/members`,
      address: `127.0.0.${n}`,
      protocol_port: target.port,
      subnet_id: SUBNET_ID,
    })
    memberId = member?.id ?? ''
  }
  await create(api, 'healthmonitor', {
    pool_id: poolId,
    type: 'TCP',
    delay: 1,
    timeout: 1,
    max_retries: 1,
    options: { interval_ms: 100, timeout_ms: 90, fall: 1 },
  })
  await call('GET', `${api}/pools/${poolId}/health?wait_for=ONLINE&timeout=60`)
  return { poolId, memberId, target }
}

async function create(
  api: string,
  kind: string,
  { path = `/${kind}s`, ...fields }: Readonly<Record<string, unknown>> & { readonly path?: string },
): Promise<Readonly<Record<string, { readonly id: string }>>> {
  return (await call('POST', `${api}${path}`, { [kind]: fields })) as Record<string, { readonly id: string }>
}

async function call(method: 'GET' | 'POST', url: string, body?: object): Promise<unknown> {
  const answer = await request(url, {
    method,
    dispatcher: client,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  })
  const text = await answer.body.text()
  if (answer.statusCode >= 300) throw new Error(`${method} ${url}: ${answer.statusCode} ${text}`)
  return JSON.parse(text) as unknown
}

async function listening(server: Server, port: number): Promise<number> {
  server.listen(port, '0.0.0.0')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

async function closed({ server }: Target): Promise<void> {
  server.close()
  await once(server, 'close')
}

function quantiles(figures: readonly number[]): Readonly<Record<string, number>> {
  const sorted = figures.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) }
}

await main()
