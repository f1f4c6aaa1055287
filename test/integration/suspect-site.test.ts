/** A site at which most members fail while another site sees them ONLINE: its votes are held (ADR 38). Two sites, real targets. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { ProbeResult } from '../../src/domain/result/probe-result.ts'
import { makeProbers } from '../../src/probe/probers.ts'
import { query } from '../../src/store/connection/database.ts'
import { eventually, insertMembers, insertPool, statuses } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import { testProber } from '../support/prober.ts'
import { startTargets } from '../support/targets.ts'

/** Pools, each in a network of its own. */
const POOLS = 10
/** Three windows of a delay and a timeout of a second, and what a slow host adds. */
const STALE_WITHIN_MS = 20_000

const UNREACHABLE: ProbeResult = {
  outcome: 'failed',
  reason: 'CONNECT_TIMEOUT',
  detail: 'the network of the site is cut',
  phases: { totalMs: 1 },
}

/** Members that `local` and `fra` see ONLINE; `cut` is whether the network between `fra` and the members is cut. */
async function twoSites(t: TestContext) {
  const database = await testDatabase(t)
  const { db } = database
  const networks = Array.from({ length: POOLS }, (_, i) => `127.0.${10 + i}.1`)
  const targets = (await Promise.all(networks.map((address) => startTargets(t, 1, address)))).flat()
  for (const { address, port } of targets) {
    const { poolId, monitorId } = await insertPool(db, { delaySeconds: 1, rise: 1, fall: 2 })
    await query(db, 'update health_monitor set sites = $2, options = $3 where id = $1', [
      monitorId,
      JSON.stringify(['local', 'fra']),
      JSON.stringify({ sites: ['local', 'fra'], quorum: 'all' }),
    ])
    await insertMembers(db, poolId, [{ address, port }])
  }
  const network = { isCut: false }
  testProber(database)
  testProber(database, {
    site: 'fra',
    usesCores: false,
    probers: (runtime) => {
      const probers = makeProbers(runtime)
      return {
        ...probers,
        TCP: (target, done) => {
          // As where packets are dropped: the scheduler ends the attempt.
          if (network.isCut) return () => done(UNREACHABLE)
          return probers.TCP(target, done)
        },
      }
    },
  })
  const all = async (state: string): Promise<boolean> =>
    [...(await statuses(db)).values()].every((status) => status.state === state)
  await eventually('both sites see every member ONLINE', async () => {
    const [row] = await query<{ n: number }>(
      db,
      `select count(*)::int as n from member_site_state where status = 'ONLINE' and not stale`,
    )
    return row?.n === 2 * POOLS && (await all('ONLINE'))
  })
  const votesOf = (site: string) =>
    query<{ status: string; stale: boolean }>(
      db,
      'select distinct status, stale from member_site_state where site = $1 order by 1, 2',
      [site],
    )
  const transitions = () => query(db, `select from member_transition where to_state = 'OFFLINE'`)
  const breakers = async () =>
    (
      await query<{ site: string; state: string; suspect: boolean }>(
        db,
        `select site, facts->'breaker'->>'state' as state, (facts->'breaker'->'suspect')::boolean as suspect
         from prober order by site`,
      )
    ).map(({ site, state, suspect }) => [site, state, suspect])
  return { db, targets, network, all, votesOf, transitions, breakers }
}

test('the site that alone sees most members fail is the suspect: no vote of it changes, and then it has none', async (t) => {
  const { db, network, all, votesOf, transitions, breakers } = await twoSites(t)
  network.isCut = true
  await eventually('fra is the suspect', async () =>
    (await breakers()).some(([site, state, suspect]) => site === 'fra' && state === 'holding' && suspect),
  )
  await eventually(
    'its votes are stale',
    async () => (await votesOf('fra')).every(({ stale }) => stale),
    STALE_WITHIN_MS,
  )
  assert.deepEqual(await votesOf('fra'), [{ status: 'ONLINE', stale: true }])
  assert.deepEqual(await votesOf('local'), [{ status: 'ONLINE', stale: false }])
  assert.deepEqual(await transitions(), [])
  const told = await query<{ data: { prober: { site: string }; reason: string } }>(
    db,
    `select data from event_outbox where type = 'breaker.held'`,
  )
  assert.deepEqual(
    told.map(({ data: { prober, reason } }) => [prober.site, reason]),
    [['fra', 'OTHER_SITES_DISAGREE']],
  )
  network.isCut = false
  await eventually('fra votes again', async () => (await votesOf('fra')).every(({ stale }) => !stale))
  await eventually('nothing is held', async () =>
    (await breakers()).every(([, state, suspect]) => state === 'closed' && !suspect),
  )
  assert.ok(await all('ONLINE'))
  assert.deepEqual(await transitions(), [])
})

test('when all members die, no site takes itself for the cause for long: they are OFFLINE', async (t) => {
  const { targets, all, votesOf } = await twoSites(t)
  await Promise.all(targets.map((target) => target.stop()))
  await eventually('all are OFFLINE', () => all('OFFLINE'), STALE_WITHIN_MS)
  // The vote of the site that failed first is enough for OFFLINE: the other one's may come later.
  for (const site of ['local', 'fra'])
    await eventually(`${site} sees each of them OFFLINE`, async () =>
      (await votesOf(site)).every(({ status }) => status === 'OFFLINE'),
    )
})
