import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { eventually, insertMembers, insertPool, statuses } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import { startProberProcess } from '../support/prober-process.ts'

const POOLS = 60
/** Milliseconds after which the server answers: at any time a third of the probes are under way. */
const ANSWER_MS = 500
/** Milliseconds of each stop. */
const STOPS = [600, 900, 1300, 1900]

test('a prober that stands still in the middle of its probes calls nobody OFFLINE, even when one failure is enough', async (t) => {
  const database = await testDatabase(t)
  const { db } = database
  let answered = 0
  const server = createServer((_request, response) => {
    setTimeout(() => {
      answered++
      response.end('ok')
    }, ANSWER_MS)
  })
  // A server that loses patience while the prober stands still: its closing must not count either.
  server.requestTimeout = 1000
  server.headersTimeout = 1000
  server.keepAliveTimeout = 500
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.closeAllConnections())
  t.after(() => void server.close())
  const { port } = server.address() as AddressInfo
  for (let i = 0; i < POOLS; i++) {
    const { poolId } = await insertPool(db, { type: 'HTTP', delaySeconds: 1, timeoutSeconds: 1, fall: 1 })
    await insertMembers(db, poolId, [{ address: '127.0.0.1', port }])
  }
  const prober = startProberProcess(database)
  await eventually('every member is ONLINE', async () => {
    const seen = [...(await statuses(db)).values()]
    return seen.length === POOLS && seen.every((row) => row.state === 'ONLINE')
  })
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
  for (const stopMs of STOPS) {
    prober.child.kill('SIGSTOP')
    await pause(stopMs)
    prober.child.kill('SIGCONT')
    await pause(700)
  }
  const before = answered
  await eventually('probing goes on', () => answered > before + POOLS)
  const fallen = await query(db, `select reason, detail from member_transition where to_state = 'OFFLINE'`)
  const stalls = prober.log.filter((line) => line.includes('event loop was stalled'))
  t.diagnostic(`${STOPS.length} stops, ${stalls.length} noticed; ${fallen.length} members fell`)
  assert.deepEqual(fallen, [])
  assert.ok(stalls.length >= STOPS.length)
})
