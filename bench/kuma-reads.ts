/**
 * `node dist/bench/kuma-reads.js [--proxies 2000] [--inbounds 1] [--services 500] [--mesh-services 500] [--requests 100]`
 *
 * What is shown of a mesh: p50 and p99 of one object and of a page of 100, asked for one after the other; then what a project that
 * asks for all of it without a pause, four requests at a time, does to another one: its p50 and p99, and the longest time for
 * which the event loop of the API was held. All inbounds are probed, and have a verdict.
 *
 * The API is this process; who asks is another one. PostgreSQL belongs to the run and does not wait for its disk.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { Pool } from 'undici'
import { openDatabase, query } from '../src/store/connection/database.ts'
import { migrateToLatest } from '../src/store/connection/migrate.ts'
import { MESH_HEALTH_CHECK, storeObjects, storeVerdicts } from '../test/support/kuma.ts'
import { apiOn } from './api-app.ts'
import { commandLine } from './command-line.ts'
import { startPostgres } from './postgres.ts'

const values = commandLine('node dist/bench/kuma-reads.js [options]', {
  proxies: '2000',
  inbounds: '1',
  services: '500',
  'mesh-services': '500',
  requests: '100',
  seconds: '5',
  // Of the process that asks.
  url: '',
})
const MESH = '/kuma/meshes/default'
const READS: Readonly<Record<string, string>> = {
  'one proxy with its insight': `${MESH}/dataplanes+insights/p-1`,
  '100 proxies with their insights': `${MESH}/dataplanes+insights?size=100&offset=300`,
  'one service': `${MESH}/service-insights/service-7`,
  '100 services': `${MESH}/service-insights?size=100&offset=100`,
  'one MeshService': `${MESH}/meshservices/m-7`,
  '100 MeshServices': `${MESH}/meshservices?size=100`,
  'the mesh': '/kuma/mesh-insights/default',
}
const POLICY = `${MESH}/meshhealthchecks/p`
const AT_ONCE = 4
const PUT_MS = 600_000

const say = (text: string): void => void process.stdout.write(`${text}\n`)
const at = (sorted: readonly number[], q: number) =>
  (sorted[Math.floor(q * (sorted.length - 1))] ?? Number.NaN).toFixed(1)

function figures(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b)
  return `p50 ${at(sorted, 0.5)} ms, p99 ${at(sorted, 0.99)} ms, max ${at(sorted, 1)} ms`
}

/** Milliseconds of a read, or of a write of this body. */
async function asked(pool: Pool, path: string, projectId: string, body?: string): Promise<number> {
  const start = performance.now()
  const headers = { 'x-project-id': projectId, 'content-type': 'application/json' }
  const answer = await pool.request({
    method: body === undefined ? 'GET' : 'PUT',
    path,
    headers,
    body: body ?? null,
  })
  const text = await answer.body.text()
  if (answer.statusCode !== 200) throw new Error(`${path}: ${answer.statusCode} ${text.slice(0, 200)}`)
  return performance.now() - start
}

/** Asks for each thing in turn, then as the one who asks without a pause beside another one. */
async function ask(): Promise<void> {
  const pool = new Pool(values.url, { connections: AT_ONCE + 1, headersTimeout: 0, bodyTimeout: 0 })
  for (const [name, path] of Object.entries(READS)) {
    const times: number[] = []
    for (let i = 0; i < Number(values.requests); i++) times.push(await asked(pool, path, 'bench'))
    say(`${name}: ${figures(times)}`)
  }
  const small = async (seconds: number) => {
    const times: number[] = []
    for (const end = performance.now() + seconds * 1000; performance.now() < end; )
      times.push(await asked(pool, `${MESH}/dataplanes`, 'small'))
    return times
  }
  say(`another project, alone: ${figures(await small(2))}`)
  const writes = [['writes of a policy', POLICY, JSON.stringify(MESH_HEALTH_CHECK)]] as const
  for (const [name, path, body] of [...Object.entries(READS), ...writes]) {
    let isEnding = false
    const attack = async () => {
      while (!isEnding) await asked(pool, path, 'bench', body)
    }
    process.send?.('begin')
    const attacks = Array.from({ length: AT_ONCE }, attack)
    const times = await small(Number(values.seconds))
    isEnding = true
    await Promise.all(attacks)
    const answered = once(process, 'message')
    process.send?.('end')
    const [stall] = (await answered) as [number]
    say(
      `another project, beside "${name}": ${figures(times)}; longest hold of the event loop ${stall.toFixed(1)} ms`,
    )
  }
  await pool.destroy()
  process.disconnect()
}

function objects(): object[] {
  const [proxies, inbounds, services] = [values.proxies, values.inbounds, values.services].map(Number)
  const serviceOf = (i: number) => `service-${i % (services ?? 1)}`
  const dataplanes = Array.from({ length: proxies ?? 0 }, (_, i) => ({
    type: 'Dataplane',
    name: `p-${i}`,
    networking: {
      address: `10.${Math.floor(i / 250)}.0.${(i % 250) + 1}`,
      inbound: Array.from({ length: inbounds ?? 1 }, (_none, n) => ({
        port: 8080 + n,
        tags: { 'kuma.io/service': serviceOf(i * (inbounds ?? 1) + n) },
      })),
    },
  }))
  const meshServices = Array.from({ length: Number(values['mesh-services']) }, (_, i) => ({
    type: 'MeshService',
    name: `m-${i}`,
    spec: {
      selector: { dataplaneTags: { 'kuma.io/service': serviceOf(i) } },
      ports: [{ port: 80, targetPort: 8080, appProtocol: 'tcp' }],
    },
  }))
  return [...dataplanes, ...meshServices]
}

async function main(): Promise<void> {
  const postgres = await startPostgres({ isDurable: false })
  const db = openDatabase({ url: postgres.url, applicationName: 'bench', maxConnections: 8 })
  try {
    await migrateToLatest(db, postgres.url)
    const server = createServer(apiOn(db))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    await storeObjects(db, 'bench', objects())
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    for (const name of ['first', 'second']) {
      delay.reset()
      const start = performance.now()
      const answer = await fetch(`${url}${POLICY}`, {
        method: 'PUT',
        body: JSON.stringify(MESH_HEALTH_CHECK),
        headers: { 'content-type': 'application/json', 'x-project-id': 'bench' },
        signal: AbortSignal.timeout(PUT_MS),
      })
      if (!answer.ok) throw new Error(await answer.text())
      say(
        `the ${name} write: ${Math.round(performance.now() - start)} ms, longest hold of the event loop ${(delay.max / 1e6).toFixed(1)} ms`,
      )
    }
    await storeVerdicts(db, (inbound) => inbound.length % 3 === 0)
    await query(db, 'analyze')
    const [size] = await query<{ objects: number; bytes: number; members: number }>(
      db,
      `select (select count(*)::integer from kuma_resource) as objects, (select sum(bytes)::float8 from kuma_resource) as bytes,
         (select count(*)::integer from member) as members`,
    )
    say(JSON.stringify(size))
    const args = process.argv.slice(2)
    const client = fork(fileURLToPath(import.meta.url), [...args, '--url', url])
    client.on('message', (message) => {
      if (message === 'begin') delay.reset()
      else client.send(delay.max / 1e6)
    })
    const [code] = (await once(client, 'exit')) as [number]
    if (code !== 0) throw new Error(`who asks ended with ${code}`)
    server.close()
    server.closeAllConnections()
  } finally {
    await db.destroy()
    await postgres.stop()
  }
}

if (values.url === '') await main()
else await ask()
