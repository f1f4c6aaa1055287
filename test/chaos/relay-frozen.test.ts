/**
 * A relay that is frozen for longer than its lease and wakes up: another one works by then. What the frozen one has in hand
 * changes nothing, every change of a target is published once, and it becomes one that waits.
 */
import assert from 'node:assert/strict'
import { RELAY_LEASE_MS } from '../../src/domain/limits.ts'
import { query } from '../../src/store/connection/database.ts'
import { eventually, insertMembers, insertPool } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import { startNatsServer, testOnNats } from '../support/nats-server.ts'
import { type ProberProcess, startProberProcess, startRelayProcess } from '../support/prober-process.ts'
import { startTargets } from '../support/targets.ts'

const MEMBERS = 40
const SITE = 'fra'

interface Told {
  readonly member_id: string
  readonly from_state: string
  readonly to_state: string
  readonly sequence: string
}

const says = (message: string) => (relay: ProberProcess) => relay.log.some((line) => line.includes(message))
const works = says('this relay works for the site"')
const worksNoMore = says('this relay works for the site no more')

testOnNats(
  'a relay that was frozen beyond its lease is fenced when it wakes up: nothing is lost, and nothing is said twice',
  async (t, binary) => {
    const database = await testDatabase(t)
    const { db } = database
    const nats = await startNatsServer(t, { binary })
    const targets = await startTargets(t, MEMBERS)
    const { poolId, monitorId } = await insertPool(db, { delaySeconds: 1, timeoutSeconds: 1, fall: 2 })
    const ids = await insertMembers(db, poolId, targets)
    const sites = JSON.stringify([SITE])
    await query(db, 'update health_monitor set sites = $2, options = $3 where id = $1', [
      monitorId,
      sites,
      JSON.stringify({ sites: [SITE] }),
    ])
    await query(db, 'update pool set config_version = config_version + 1 where id = $1', [poolId])
    const reached = { HM_NATS_URL: nats.url }
    const relays = [0, 1].map(() => startRelayProcess(database, { ...reached, HM_NATS_SITES: SITE }))
    startProberProcess(database, { ...reached, DATABASE_URL: '' }, [], ['--site', SITE])

    const count = async (status: string): Promise<number> => {
      const rows = await query<{ status: string }>(db, 'select status from member_site_state')
      return rows.filter((row) => row.status === status).length
    }
    await eventually('all are ONLINE', async () => (await count('ONLINE')) === MEMBERS)
    const [sleeper, ...more] = relays.filter(works)
    assert.ok(sleeper !== undefined && more.length === 0)
    const other = relays.find((relay) => relay !== sleeper)
    assert.ok(other !== undefined)

    // Frozen in the middle of its work: some of what has fallen is written, some is not.
    await Promise.all(targets.map((target) => target.stop()))
    await eventually('some are OFFLINE', async () => (await count('OFFLINE')) > 0)
    sleeper.child.kill('SIGSTOP')
    t.after(() => void sleeper.child.kill('SIGCONT'))
    const frozenMs = performance.now()
    await eventually('the other one works', () => works(other))
    t.diagnostic(`replaced after ${Math.round(performance.now() - frozenMs)} ms`)
    await eventually('all are OFFLINE', async () => (await count('OFFLINE')) === MEMBERS)
    await Promise.all(targets.map((target) => target.restart()))
    await eventually('all are ONLINE again', async () => (await count('ONLINE')) === MEMBERS)
    await eventually('its lease is long over', () => performance.now() - frozenMs > 2 * RELAY_LEASE_MS)

    sleeper.child.kill('SIGCONT')
    await eventually('it knows that it was replaced', () => worksNoMore(sleeper))
    // Two rounds of probes later whatever it had in hand has arrived, if it was written.
    const wokenMs = Date.now()
    const probedSince = () =>
      targets.every(({ probedAt }) => (probedAt.at(-1) ?? 0) > performance.now() - 2000)
    await eventually('probing went on', () => Date.now() - wokenMs > 2000 && probedSince())
    assert.equal(await count('ONLINE'), MEMBERS)
    const told = await query<Told>(
      db,
      'select member_id, from_state, to_state from member_transition order by member_id, id',
    )
    for (const id of ids) {
      const chain = told.filter(({ member_id }) => member_id === id)
      assert.deepEqual(
        chain.map(({ to_state }) => to_state),
        ['ONLINE', 'OFFLINE', 'ONLINE'],
        id,
      )
    }
    assert.equal(sleeper.child.exitCode, null)
    assert.equal(worksNoMore(other), false)

    // It is one that waits: it works again when the other ends.
    const before = sleeper.log.filter((line) => line.includes('this relay works for the site"')).length
    await other.end('SIGTERM')
    await eventually(
      'it works again',
      () => sleeper.log.filter((line) => line.includes('this relay works for the site"')).length > before,
    )
    await Promise.all(targets.slice(0, 5).map((target) => target.stop()))
    await eventually('what falls then is OFFLINE', async () => (await count('OFFLINE')) === 5)
  },
)
