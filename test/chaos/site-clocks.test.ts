/**
 * Probers of a site whose wall clocks are minutes wrong: what they decide is ordered by epoch and sequence, and the times that
 * people read are those of the server. The evidence says by how much they were corrected.
 */
import assert from 'node:assert/strict'
import { type Db, query } from '../../src/store/connection/database.ts'
import { eventually, insertMembers, insertPool } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import { startNatsServer, testOnNats } from '../support/nats-server.ts'
import { testRelay } from '../support/nats-site.ts'
import { startProberProcess } from '../support/prober-process.ts'
import { clockAhead } from '../support/shifted-clock.ts'
import { startTargets } from '../support/targets.ts'

const SITE = 'fra'
const MEMBERS = 10
const OFF_MS = 7 * 60_000
/** How far a corrected time may be from what the test saw: two failures, a message, and a busy host. */
const TOLERANCE_MS = 10_000

interface Told {
  readonly member_id: string
  readonly to_state: string
  readonly at: Date
  readonly evidence: Readonly<Record<string, unknown>>
}

async function told(db: Db): Promise<readonly Told[]> {
  return await query<Told>(
    db,
    'select member_id, to_state, at, evidence from member_transition order by member_id, id',
  )
}

/** Whether the last probes of the site are seen as what they are: some seconds old. */
async function isCheckpointOfNow(db: Db): Promise<boolean> {
  const rows = await query<{ as_of: Date; probed_at: Date[]; next_at: Date[] }>(
    db,
    'select as_of, probed_at, next_at from site_checkpoint where cardinality(member_ids) > 0',
  )
  const times = rows.flatMap(({ as_of, probed_at, next_at }) => [as_of, ...probed_at, ...next_at])
  return times.length > MEMBERS && times.every((at) => Math.abs(at.getTime() - Date.now()) < TOLERANCE_MS)
}

testOnNats(
  'clocks of a site that are 7 minutes wrong, either way: times are corrected, and the order stays',
  async (t, binary) => {
    const database = await testDatabase(t)
    const { db } = database
    const nats = await startNatsServer(t, { binary })
    const targets = await startTargets(t, MEMBERS)
    const { poolId, monitorId } = await insertPool(db, { delaySeconds: 1, timeoutSeconds: 1, fall: 2 })
    const ids = await insertMembers(db, poolId, targets)
    await query(db, 'update health_monitor set sites = $2, options = $3 where id = $1', [
      monitorId,
      JSON.stringify([SITE]),
      JSON.stringify({ sites: [SITE] }),
    ])
    await query(db, 'update pool set config_version = config_version + 1 where id = $1', [poolId])
    const relay = testRelay(database, nats.url, [SITE])
    const proberOff = (ms: number) =>
      startProberProcess(
        database,
        { HM_NATS_URL: nats.url, DATABASE_URL: '', ...clockAhead(ms) },
        [],
        ['--site', SITE],
      )
    const all = async (status: string): Promise<boolean> => {
      const rows = await query<{ status: string }>(db, 'select status from member_site_state')
      return rows.length === MEMBERS && rows.every((row) => row.status === status)
    }
    const begunAt = Date.now()
    const ahead = proberOff(OFF_MS)
    await eventually('all are ONLINE', () => all('ONLINE'))
    await Promise.all(targets.map((target) => target.stop()))
    await eventually('all are OFFLINE', () => all('OFFLINE'))

    // The next owner of the shards is behind by as much: by its clock it decides before what it follows.
    await ahead.end('SIGTERM')
    await eventually('its checkpoint is of now', () => isCheckpointOfNow(db))
    const behind = proberOff(-OFF_MS)
    await Promise.all(targets.map((target) => target.restart()))
    await eventually('all are ONLINE again', () => all('ONLINE'))
    await Promise.all(targets.map((target) => target.stop()))
    await eventually('all are OFFLINE again', () => all('OFFLINE'))
    const endedAt = Date.now()
    await behind.end('SIGTERM')
    await eventually('its checkpoint is of now', () => isCheckpointOfNow(db))

    const rows = await told(db)
    for (const id of ids) {
      const chain = rows.filter(({ member_id }) => member_id === id)
      assert.deepEqual(
        chain.map(({ to_state }) => to_state),
        ['ONLINE', 'OFFLINE', 'ONLINE', 'OFFLINE'],
      )
      const times = chain.map(({ at }) => at.getTime())
      assert.deepEqual(
        times.toSorted((a, b) => a - b),
        times,
        'in the order of their times',
      )
      const corrections = chain.map(({ evidence }) => Number(evidence['clock_corrected_ms']))
      t.diagnostic(`${corrections.join(', ')} ms; ${times.map((at) => at - begunAt).join(', ')} ms`)
    }
    const wrong = rows.filter(
      ({ at }) => at.getTime() < begunAt - TOLERANCE_MS || at.getTime() > endedAt + TOLERANCE_MS,
    )
    assert.deepEqual(wrong, [])
    const seen = await relay.metrics.registry.metrics()
    assert.match(seen, /hm_relay_rows_total\{[^}]*what="corrected"[^}]*\} \d/)
  },
)
