/**
 * A large mesh: how long one write takes that has all checks follow from all objects again; milliseconds of ten writes each.
 * PostgreSQL belongs to the run and does not wait for its disk.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { meshOfStored } from '../src/domain/kuma/stored-objects.ts'
import { wantedPoolsOf } from '../src/domain/kuma/wanted-pools.ts'
import { openDatabase, query } from '../src/store/connection/database.ts'
import { migrateToLatest } from '../src/store/connection/migrate.ts'
import { readMesh } from '../src/store/kuma/resources.ts'
import { fillMesh, policyBody, proxyBody } from '../test/support/kuma.ts'
import { apiOn } from './api-app.ts'
import { commandLine } from './command-line.ts'
import { startPostgres } from './postgres.ts'

const { proxies, policies } = commandLine('node dist/bench/kuma-mesh.js [options]', {
  proxies: '2000',
  policies: '200',
})
/** That of a request without identity. */
const PROJECT = 'bench'

const postgres = await startPostgres({ isDurable: false })
const db = openDatabase({ url: postgres.url, applicationName: 'bench', maxConnections: 8 })
await migrateToLatest(db, postgres.url)
const server = createServer(apiOn(db))
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
await fillMesh(db, { projectId: PROJECT, proxies: Number(proxies), policies: Number(policies) })

async function put(path: string, body: unknown): Promise<number> {
  const start = performance.now()
  const answer = await fetch(`${url}/kuma/meshes/default/${path}`, {
    method: 'PUT',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  })
  if (!answer.ok) throw new Error(await answer.text())
  await answer.arrayBuffer()
  return Math.round(performance.now() - start)
}

const say = (text: string): void => void process.stdout.write(`${text}\n`)
say(`the first write, which makes all pools: ${await put('dataplanes/p-0', proxyBody('p-0', 0))} ms`)
const [members] = await query<{ count: number }>(db, 'select count(*)::integer as count from member')
const [pools] = await query<{ count: number }>(db, 'select count(*)::integer as count from pool')
say(`${pools?.count} pools, ${members?.count} members`)
const same: number[] = []
for (let i = 0; i < 10; i++) same.push(await put('dataplanes/p-0', proxyBody('p-0', 0)))
say(`one proxy, unchanged: ${same.join(' ')} ms`)
const changed: number[] = []
for (let i = 0; i < 10; i++) changed.push(await put('dataplanes/p-0', proxyBody('p-0', i)))
say(`one proxy that goes to another service: ${changed.join(' ')} ms`)
const policy: number[] = []
for (let i = 0; i < 10; i++) policy.push(await put('health-checks/c-2', policyBody(2, `${i + 2}s`)))
say(`one policy: ${policy.join(' ')} ms`)
const start = performance.now()
const rows = await readMesh(db, PROJECT, 'default')
const read = performance.now()
const mesh = meshOfStored(rows, {})
const wanted = wantedPoolsOf(mesh)
const end = performance.now()
say(
  `of it: reading ${Math.round(read - start)} ms, selection ${Math.round(end - read)} ms (${wanted.pools.length} pools)`,
)
server.close()
server.closeAllConnections()
await db.destroy()
await postgres.stop()
