/** Two projects in one prober process: members of one never answer, the other's is probed and judged as if they were not there. */
import assert from 'node:assert/strict'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { DESCRIPTOR_RESERVE } from '../../src/domain/limits.ts'
import { query } from '../../src/store/connection/database.ts'
import { eventually, insertMembers, insertPool, statuses } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import { startProberProcess } from '../support/prober-process.ts'

const ADDRESS = '127.0.0.1'
/** Milliseconds within which the bystander is probed again on a busy host; its delay is 1 s. */
const PROBED_WITHIN_MS = 2500
/** Its window: two failures with a delay and a timeout of a second each, and the same once more for a busy host. */
const WINDOW_MS = 8000
const WATCHED_MS = 6000

async function listening(t: TestContext, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen({ port: 0, host: ADDRESS, backlog: 1024 }, resolve))
  t.after(() => void server.close())
  return (server.address() as AddressInfo).port
}

/** Accepts connections and says nothing for ever. */
async function silentServer(t: TestContext) {
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket.on('error', () => undefined).resume())
    socket.on('close', () => open.delete(socket))
  })
  t.after(() => {
    for (const socket of open) socket.destroy()
  })
  return { port: await listening(t, server), open }
}

async function bystanderServer(t: TestContext) {
  const askedAt: number[] = []
  const server = createHttpServer((_, response) => {
    askedAt.push(performance.now())
    response.end('ok')
  })
  const port = await listening(t, server)
  const stop = (): void => {
    server.close()
    server.closeAllConnections()
  }
  return { port, askedAt, stop }
}

/** The attacker's silent members fill what they may; then the bystander comes, is watched, and its server stops. */
async function assertUndisturbed(
  t: TestContext,
  { members, held, descriptors }: { members: number; held: number; descriptors?: number },
): Promise<void> {
  const database = await testDatabase(t)
  const { db } = database
  const [silent, his] = [await silentServer(t), await bystanderServer(t)]
  const limited = descriptors === undefined ? [] : ['sh', '-c', `ulimit -Sn ${descriptors} && exec "$0" "$@"`]
  startProberProcess(database, {}, limited)

  const hostile = await insertPool(db, { type: 'HTTP', timeoutSeconds: 300 }, 'attacker')
  await query(db, 'update health_monitor set monitor_port = $1 where id = $2', [
    silent.port,
    hostile.monitorId,
  ])
  const ports = Array.from({ length: members }, (_, i) => ({ address: ADDRESS, port: 1024 + i }))
  await insertMembers(db, hostile.poolId, ports)
  await eventually('the attacker holds what it may', () => silent.open.size >= held, 30_000)

  const { poolId } = await insertPool(db, { type: 'HTTP' }, 'bystander')
  const [memberId = ''] = await insertMembers(db, poolId, [{ address: ADDRESS, port: his.port }])
  const state = async () => (await statuses(db)).get(memberId)?.state
  await eventually('the bystander is ONLINE', async () => (await state()) === 'ONLINE')
  const watchedMs = performance.now()
  await eventually('some seconds pass', () => performance.now() - watchedMs > WATCHED_MS)
  const times = [...his.askedAt.filter((at) => at >= watchedMs), performance.now()]
  const longest = Math.max(...times.map((at, i) => at - (times[i - 1] ?? watchedMs)))
  assert.ok(longest <= PROBED_WITHIN_MS, `not probed for ${longest.toFixed(0)} ms`)
  assert.ok(silent.open.size >= held, 'and the attacker still holds it')
  his.stop()
  await eventually('it is OFFLINE within its window', async () => (await state()) === 'OFFLINE', WINDOW_MS)
}

test('members that never answer take four fifths of a prober’s probes, and another project’s is probed and judged on time', async (t) => {
  const budget = 100
  await assertUndisturbed(t, { members: 130, held: 80, descriptors: budget + DESCRIPTOR_RESERVE })
})

test('members that never answer take four fifths of the slots of an address, and another project’s there is probed and judged on time', async (t) => {
  await assertUndisturbed(t, { members: 520, held: 410 })
})
