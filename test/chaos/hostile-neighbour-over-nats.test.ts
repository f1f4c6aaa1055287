/**
 * Two projects at one site over NATS, with one prober and one relay: all members of one flap as fast as they can, the verdict
 * on the other's arrives within its window all the same.
 */
import assert from 'node:assert/strict'
import { type Db, query } from '../../src/store/connection/database.ts'
import { eventually, insertMembers, insertPool, type MonitorFields } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import { startNatsServer, testOnNats } from '../support/nats-server.ts'
import { startProberProcess, startRelayProcess } from '../support/prober-process.ts'
import { startTargets } from '../support/targets.ts'

const SITE = 'fra'
const FLAPPING = 2000
const POOLS = 10
/** Milliseconds between two changes of what the attacker's members answer: his check is made every second. */
const FLAP_MS = 1500
/** Two failures with a delay and a timeout of a second each, and the same once more for a busy host. */
const WINDOW_MS = 8000
/** How often the bystander falls and comes back. */
const ROUNDS = 3

/** A pool of a project whose members this site alone probes. */
async function pool(
  db: Db,
  project: string,
  { monitorPort, ...monitor }: MonitorFields & { readonly monitorPort?: number },
  members: readonly { readonly address: string; readonly port: number }[],
): Promise<readonly string[]> {
  const { poolId, monitorId } = await insertPool(db, monitor, project)
  const ids = await insertMembers(db, poolId, members)
  await query(db, 'update health_monitor set sites = $2, options = $3, monitor_port = $4 where id = $1', [
    monitorId,
    JSON.stringify([SITE]),
    JSON.stringify({ sites: [SITE] }),
    monitorPort ?? null,
  ])
  await query(db, 'update pool set config_version = config_version + 1 where id = $1', [poolId])
  return ids
}

testOnNats(
  '2 000 members of one project flap, and the verdict on another project is in time',
  async (t, binary) => {
    const database = await testDatabase(t)
    const { db } = database
    const nats = await startNatsServer(t, { binary })
    const [flapping, his] = await startTargets(t, 2)
    assert.ok(flapping !== undefined && his !== undefined)
    for (let i = 0; i < POOLS; i++) {
      const from = 1024 + (i * FLAPPING) / POOLS
      const members = Array.from({ length: FLAPPING / POOLS }, (_, j) => ({
        address: flapping.address,
        port: from + j,
      }))
      await pool(db, 'attacker', { rise: 1, fall: 1, monitorPort: flapping.port }, members)
    }
    const [memberId = ''] = await pool(db, 'bystander', {}, [his])
    const reached = { HM_NATS_URL: nats.url }
    startRelayProcess(database, { ...reached, HM_NATS_SITES: SITE })
    startProberProcess(database, { ...reached, DATABASE_URL: '' }, [], ['--site', SITE])
    const statusOf = async (): Promise<string | undefined> =>
      (
        await query<{ status: string }>(db, 'select status from member_site_state where member_id = $1', [
          memberId,
        ])
      )[0]?.status
    const decided = async (): Promise<number> =>
      (await query<{ count: number }>(db, 'select count(*)::int as count from member_site_state'))[0]
        ?.count ?? 0
    await eventually('all are known', async () => (await decided()) === FLAPPING + 1, 60_000)

    let isOver = false
    const flaps = (async () => {
      // As long as the bystander is watched, and not for ever.
      for (let i = 0; i < (2 * ROUNDS * WINDOW_MS) / FLAP_MS && !isOver; i++) {
        await (i % 2 === 0 ? flapping.stop() : flapping.restart())
        const sinceMs = performance.now()
        await eventually(
          'it is time for the next change',
          () => isOver || performance.now() - sinceMs > FLAP_MS,
        )
      }
    })()
    const took: number[] = []
    try {
      for (let round = 0; round < ROUNDS; round++)
        for (const status of ['OFFLINE', 'ONLINE']) {
          await (status === 'OFFLINE' ? his.stop() : his.restart())
          const changedMs = performance.now()
          await eventually(`the bystander is ${status}`, async () => (await statusOf()) === status)
          took.push(performance.now() - changedMs)
        }
    } finally {
      isOver = true
      await flaps
    }
    const [{ count } = { count: 0 }] = await query<{ count: number }>(
      db,
      `select count(*)::int as count from member_transition where member_id <> $1`,
      [memberId],
    )
    t.diagnostic(`${took.map((ms) => Math.round(ms)).join(', ')} ms; ${count} transitions of the attacker`)
    assert.ok(count > 2 * FLAPPING, 'the attacker flaps')
    assert.ok(Math.max(...took) <= WINDOW_MS, `late: ${Math.max(...took)} ms`)
  },
)
