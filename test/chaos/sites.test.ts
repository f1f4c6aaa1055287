/**
 * Three sites, each in a network of its own, and a member that all of them probe: the way from one site to the member is cut,
 * and a site is killed. What the member is then, and who sees what.
 */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { memberHealth } from '../../src/domain/status/member-health.ts'
import type { Quorum } from '../../src/domain/site/quorum.ts'
import { query } from '../../src/store/connection/database.ts'
import { findMemberFacts } from '../../src/store/status/health.ts'
import { eventually, insertMembers, insertPool } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import { makeNamespace, type Namespace, throughFileSystem } from '../support/network-namespace.ts'
import { type ProberProcess, startProberProcess } from '../support/prober-process.ts'

const SITES = ['fra', 'ams', 'nyc'] as const
const MEMBER = '10.79.0.9'
/** Detection takes two failures, a second apart, each within a second. */
const WINDOW_MS = 6000

interface World {
  readonly seen: () => Promise<Readonly<Record<string, string>>>
  /** State, whether it is stale, and the detail of the last transition. */
  readonly published: () => Promise<readonly [state: string, stale: boolean, detail: string | null]>
  readonly probers: ReadonlyMap<string, ProberProcess>
  readonly cut: (site: string) => void
  readonly mend: (site: string) => void
  readonly start: (site: string, environment?: NodeJS.ProcessEnv) => void
  readonly transitions: () => Promise<number>
}

/** A namespace per site, each with a cable to the namespace of the member, whose address is on its loopback. */
function networks(
  t: TestContext,
): { readonly target: Namespace; readonly sites: ReadonlyMap<string, Namespace> } | undefined {
  const target = makeNamespace(t)
  if (target === undefined) return undefined
  target.run(`ip addr add ${MEMBER}/32 dev lo`)
  const sites = new Map<string, Namespace>()
  for (const [i, site] of SITES.entries()) {
    const namespace = makeNamespace(t)
    if (namespace === undefined) return undefined
    namespace.run(`ip link add cable type veth peer name to-${site} netns ${target.name}`)
    namespace.run(
      `ip addr add 10.79.${i + 1}.1/24 dev cable; ip link set cable up; ip route add ${MEMBER} via 10.79.${i + 1}.2`,
    )
    target.run(`ip addr add 10.79.${i + 1}.2/24 dev to-${site}; ip link set to-${site} up`)
    sites.set(site, namespace)
  }
  return { target, sites }
}

async function world(t: TestContext, quorum: Quorum): Promise<World | undefined> {
  const found = networks(t)
  if (found === undefined) return undefined
  const { target, sites } = found
  const database = await throughFileSystem(t, await testDatabase(t))
  const { db } = database
  const port = await target.serve(t, [MEMBER])
  const { poolId, monitorId } = await insertPool(db)
  const [memberId = ''] = await insertMembers(db, poolId, [{ address: MEMBER, port }])
  await query(db, 'update health_monitor set sites = $2, options = $3 where id = $1', [
    monitorId,
    JSON.stringify(SITES),
    JSON.stringify({ sites: SITES, quorum }),
  ])
  const probers = new Map<string, ProberProcess>()
  const start = (site: string, environment: NodeJS.ProcessEnv = {}): void => {
    const within = sites.get(site)?.within ?? []
    probers.set(site, startProberProcess(database, environment, within, ['--site', site]))
  }
  for (const site of SITES) start(site)
  const health = async () => {
    const facts = await findMemberFacts(db, { id: memberId, poolId, projectId: undefined })
    assert.ok(facts !== undefined)
    return memberHealth(facts)
  }
  const number = (site: string): number => SITES.findIndex((name) => name === site) + 1
  return {
    probers,
    start,
    seen: async () =>
      Object.fromEntries(
        ((await health()).sites ?? []).map(({ site, status, votes, reason }) => [
          site,
          votes ? (status ?? '') : reason,
        ]),
      ),
    published: async () => {
      const { state, stale, detail } = await health()
      return [state, stale, detail]
    },
    cut: (site) => target.run(`ip route add blackhole 10.79.${number(site)}.1/32`),
    mend: (site) => target.run(`ip route del blackhole 10.79.${number(site)}.1/32`),
    transitions: async () => (await query(db, 'select from member_transition')).length,
  }
}

const within = async (what: string, ms: number, condition: () => Promise<boolean>): Promise<number> => {
  const startMs = performance.now()
  await eventually(what, condition, ms)
  return Math.round(performance.now() - startMs)
}

const says = (of: () => Promise<object>, expected: object) => async (): Promise<boolean> =>
  JSON.stringify(await of()) === JSON.stringify(expected)

test('the way from one site to a member is cut: the member stays ONLINE, and health says who sees what', async (t) => {
  const places = await world(t, 'majority')
  if (places === undefined) return
  const { seen, published, cut, mend, transitions } = places
  await within('all see it ONLINE', 20_000, says(seen, { fra: 'ONLINE', ams: 'ONLINE', nyc: 'ONLINE' }))
  cut('fra')
  const one = await within(
    'fra does not',
    WINDOW_MS,
    says(seen, { fra: 'OFFLINE', ams: 'ONLINE', nyc: 'ONLINE' }),
  )
  assert.deepEqual((await published()).slice(0, 2), ['ONLINE', false])
  assert.equal(await transitions(), 1, 'the first verdict is the only transition')
  cut('ams')
  const two = await within(
    'two of three make it OFFLINE',
    WINDOW_MS,
    async () => (await published())[0] === 'OFFLINE',
  )
  assert.deepEqual(await published(), ['OFFLINE', false, 'OFFLINE from fra and ams, ONLINE from nyc'])
  mend('fra')
  await within('it is ONLINE again', WINDOW_MS, async () => (await published())[0] === 'ONLINE')
  assert.deepEqual(await seen(), { fra: 'ONLINE', ams: 'OFFLINE', nyc: 'ONLINE' })
  assert.equal(await transitions(), 3)
  t.diagnostic(`seen after the cut of one site: ${one} ms, OFFLINE after that of another: ${two} ms`)
})

test('a site that is killed has no vote soon: the others decide, and with too few of them the status stays and is stale', async (t) => {
  const places = await world(t, 'majority')
  if (places === undefined) return
  const { seen, published, cut, probers, start, transitions } = places
  await within('all see it ONLINE', 20_000, says(seen, { fra: 'ONLINE', ams: 'ONLINE', nyc: 'ONLINE' }))
  await probers.get('fra')?.end('SIGKILL')
  const lost = await within(
    'fra is lost',
    15_000,
    says(seen, { fra: 'NO_PROBER', ams: 'ONLINE', nyc: 'ONLINE' }),
  )
  assert.deepEqual((await published()).slice(0, 2), ['ONLINE', false])
  cut('ams')
  cut('nyc')
  await within('the two others decide', WINDOW_MS, async () => (await published())[0] === 'OFFLINE')
  assert.equal((await published())[2], 'OFFLINE from ams and nyc, nothing known from fra')
  await probers.get('ams')?.end('SIGKILL')
  await within('one of three is too few', 15_000, async () => (await published())[1])
  assert.equal((await published())[0], 'OFFLINE')
  start('fra')
  await within('fra votes again', 20_000, says(seen, { fra: 'ONLINE', ams: 'NO_PROBER', nyc: 'OFFLINE' }))
  await within('as many for either is ONLINE', 5000, async () => (await published())[0] === 'ONLINE')
  assert.equal(await transitions(), 3)
  t.diagnostic(`the vote of a site that was killed ended after ${lost} ms`)
})

test('a restart of the only prober of a site changes no status, and leaves nothing undecided', async (t) => {
  const places = await world(t, 'any')
  if (places === undefined) return
  const { seen, published, cut, probers, start, transitions } = places
  await within('all see it ONLINE', 20_000, says(seen, { fra: 'ONLINE', ams: 'ONLINE', nyc: 'ONLINE' }))
  cut('ams')
  cut('nyc')
  await within('only fra sees it', WINDOW_MS, says(seen, { fra: 'ONLINE', ams: 'OFFLINE', nyc: 'OFFLINE' }))
  await probers.get('fra')?.end('SIGTERM')
  start('fra')
  await within('fra is back', 15_000, says(seen, { fra: 'ONLINE', ams: 'OFFLINE', nyc: 'OFFLINE' }))
  await new Promise((resolve) => setTimeout(resolve, 2000)) // What must not happen has no condition to wait for.
  assert.deepEqual((await published()).slice(0, 2), ['ONLINE', false])
  assert.equal(await transitions(), 1)
})

test('a site whose own policy denies the address says so, and has no vote; one that nobody serves is named', async (t) => {
  const places = await world(t, { at_least: 1 })
  if (places === undefined) return
  const { seen, probers, start, published } = places
  await within('all see it ONLINE', 20_000, says(seen, { fra: 'ONLINE', ams: 'ONLINE', nyc: 'ONLINE' }))
  await probers.get('nyc')?.end('SIGTERM')
  await probers.get('fra')?.end('SIGTERM')
  start('fra', { HM_PROBE_DENY: `${MEMBER}/32`, HM_CHECKPOINT_MS: '1000' })
  await within(
    'fra may not probe it',
    30_000,
    says(seen, { fra: 'TARGET_DENIED', ams: 'ONLINE', nyc: 'NO_PROBER' }),
  )
  assert.deepEqual((await published()).slice(0, 2), ['ONLINE', false])
})
