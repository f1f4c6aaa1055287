/** What a prober's store promises, whichever way it reaches the service. */
import assert from 'node:assert/strict'
import { createMetrics } from '../../src/runtime/metrics/metrics.ts'
import { Ownership } from '../../src/schedule/configuration/ownership.ts'
import { query } from '../../src/store/connection/database.ts'
import type { ProberFacts } from '../../src/domain/prober/prober-facts.ts'
import { eventually, insertMembers, insertPool, statuses } from '../support/configuration.ts'
import { keepingLog } from '../support/prober.ts'
import {
  type OpenStore,
  probedFromSite,
  type ReachedSite,
  REACHED_SITE,
  testOnReaches,
} from '../support/reaches.ts'
import { aVerdict } from '../support/verdicts.ts'

const LEASE_MS = 1000

/** Of a prober that has done nothing. */
const NO_FACTS: ProberFacts = {
  checks: 0,
  loading: { shards: 0, checks: 0 },
  inFlight: 0,
  budget: 1,
  queue: 0,
  stale: 0,
  unwritten: 0,
  lag: { p99Ms: 0, maxMs: 0 },
  inconclusive: {},
  inconclusiveLast: {},
  heap: { usedBytes: 0, limitBytes: 1 },
  breaker: {
    state: 'closed',
    massFailing: false,
    suspect: false,
    canaries: 0,
    canariesAnswer: null,
    massFailures: 0,
    trips: 0,
    held: 0,
  },
}

/** An owner with nothing to probe. */
function startOwner({ open, database }: ReachedSite) {
  const { id, store } = open(LEASE_MS)
  const ownership: Ownership = new Ownership({
    leaseMs: LEASE_MS,
    isLoaded: () => true,
    log: keepingLog(),
    metrics: createMetrics('test'),
    store: {
      beat: (contactMs) => store.beat(contactMs, NO_FACTS),
      claim: (count, foreignToo) => store.claim(count, foreignToo),
      release: (ids) => store.release(ids),
      removeProber: () => store.removeProber(),
    },
    events: {
      onGained: () => void setImmediate(() => ownership.loaded()),
      onLost: () => undefined,
      onRelease: () => Promise.resolve(),
    },
  })
  database.beforeDrop(() => {
    ownership.destroy()
    return Promise.resolve()
  })
  ownership.start()
  return { id, ownership }
}

async function sizes({ db }: ReachedSite): Promise<readonly number[]> {
  const rows = await query<{ n: number }>(
    db,
    'select count(*)::int as n from site_shard where owner is not null and site = $1 group by owner order by 1',
    [REACHED_SITE],
  )
  return rows.map((row) => row.n)
}

testOnReaches(
  'owners share the shards of a site as they join, leave and die, and every shard has one owner',
  async (_t, site) => {
    const owners = [startOwner(site)]
    // None has more than a fair share, rounded up: who has the smallest one depends on who claims first.
    const shared = (count: number) =>
      eventually(
        `shares of ${count}`,
        async () => {
          const found = await sizes(site)
          const believed = owners.flatMap(({ ownership }) => [...ownership.held.keys()])
          return (
            found.length === count &&
            Math.max(...found) === Math.ceil(256 / count) &&
            believed.length === 256 &&
            new Set(believed).size === 256
          )
        },
        60_000,
      )
    await shared(1)
    owners.push(startOwner(site))
    await shared(2)
    owners.push(startOwner(site), startOwner(site))
    await shared(4)
    await owners.pop()?.ownership.close()
    await shared(3)
    // One that dies without a word: its lease runs out.
    owners.shift()?.ownership.destroy()
    await shared(2)
  },
)

/** A prober that has beaten for longer than a lease, so that it may claim what is foreign. */
async function settled({ open }: ReachedSite, leaseMs = 60_000): Promise<OpenStore> {
  const opened = open(leaseMs)
  await eventually(
    'the site is reached',
    () =>
      opened.store.beat(leaseMs, NO_FACTS).then(
        () => true,
        () => false,
      ),
    60_000,
  )
  return opened
}

testOnReaches(
  'claimers at one moment never get the same shard, and every claim raises the epoch',
  async (_t, site) => {
    const claimers = await Promise.all(Array.from({ length: 4 }, () => settled(site)))
    const all = (await Promise.all(claimers.map(({ store }) => store.claim(64, false)))).flat()
    assert.ok(all.length > 0)
    assert.equal(new Set(all.map(({ id }) => id)).size, all.length)
    assert.ok(all.every(({ epoch }) => epoch === 1))
    const [first] = claimers
    assert.ok(first !== undefined)
    const { held } = await first.store.beat(60_000, NO_FACTS)
    await first.store.release(held.map(({ id }) => id))
    const other = await settled(site)
    const again = await other.store.claim(256, false)
    const released = new Set(held.map(({ id }) => id))
    assert.ok(again.filter(({ id }) => released.has(id)).every(({ epoch }) => epoch === 2))
  },
)

testOnReaches(
  'the shard of a dead owner is claimed only when the caller allows it, that of a live one never',
  async (_t, site) => {
    const [dead, live, taker] = [await settled(site, 300), await settled(site), await settled(site)]
    await dead.store.claim(100, false)
    await live.store.beat(0, NO_FACTS)
    await live.store.claim(156, false)
    await eventually(
      'the lease has ended',
      async () => (await taker.store.beat(60_000, NO_FACTS)).liveProbers === 2,
    )
    assert.equal((await taker.store.claim(256, false)).length, 0)
    const taken = await taker.store.claim(256, true)
    assert.equal(taken.length, 100)
    assert.ok(taken.every(({ epoch }) => epoch === 2))
  },
)

/** A member that the site probes, and the shard that it is in, which `owner` has. */
async function ownedMember(site: ReachedSite, owner: OpenStore) {
  const { db } = site
  const { poolId, shard } = await insertPool(db)
  const [memberId = ''] = await insertMembers(db, poolId, [{ address: '127.0.0.1', port: 9 }])
  await probedFromSite(db, [poolId])
  await eventually('it is claimed', async () => {
    await owner.store.claim(256, true)
    return (await owner.store.beat(60_000, NO_FACTS)).held.length === 256
  })
  const generation = async () =>
    (
      await query<{ n: number }>(db, 'select check_generation as n from member_detail where id = $1', [
        memberId,
      ])
    )[0]?.n ?? 0
  const state = async () => (await statuses(db)).get(memberId)?.state
  return { poolId, shard, memberId, generation: await generation(), state }
}

testOnReaches(
  'what a former owner writes after the shard was taken changes nothing, and its owner learns it',
  async (_t, site) => {
    const former = await settled(site, 300)
    const { memberId, shard, generation, state } = await ownedMember(site, former)
    const row = (epoch: number, sequence: number, status: 'ONLINE' | 'OFFLINE') => {
      const verdict = aVerdict(memberId, shard, sequence, { epoch, status, generation, isVote: true })
      return {
        ...verdict,
        transitions: verdict.transitions.map((one) => ({ ...one, generation, to: status })),
      }
    }
    const { held } = await former.store.writeVerdicts([row(1, 1, 'ONLINE')])
    assert.deepEqual([...held], [shard])
    await eventually('it is ONLINE', async () => (await state()) === 'ONLINE')
    const taker = await settled(site)
    await eventually('it is taken', async () =>
      (await taker.store.claim(256, true)).some(({ id }) => id === shard),
    )
    // The former one does not know yet. What it sends is refused where it arrives.
    await former.store.writeVerdicts([row(1, 2, 'OFFLINE')])
    await taker.store.writeVerdicts([row(2, 1, 'ONLINE')])
    await eventually('the vote of the new owner has come', async () => {
      const votes = await query<{ epoch: number }>(
        site.db,
        'select epoch from member_site_state where member_id = $1',
        [memberId],
      )
      return votes[0]?.epoch === 2
    })
    assert.equal(await state(), 'ONLINE')
    assert.equal((await query(site.db, `select from member_transition where to_state = 'OFFLINE'`)).length, 0)
    await former.store.beat(0, NO_FACTS)
    assert.deepEqual([...(await former.store.writeVerdicts([row(1, 3, 'OFFLINE')])).held], [])
  },
)

testOnReaches('the next owner goes on from the last verdict and the last checkpoint', async (_t, site) => {
  const former = await settled(site, 300)
  const { memberId, poolId, shard, generation } = await ownedMember(site, former)
  const verdict = aVerdict(memberId, shard, 1, {
    epoch: 1,
    status: 'OFFLINE',
    generation,
    isVote: true,
    badRun: 2,
  })
  const entry = {
    memberId,
    generation,
    probedAt: 1_700_000_000_000,
    nextAt: 1_700_000_005_000,
    outcome: 'failed' as const,
    reason: 'CONNECT_TIMEOUT' as const,
    phases: { totalMs: 1.5 },
    okRun: 0,
    badRun: 2,
    stale: false,
    flags: 0,
  }
  await former.store.writeVerdicts([
    { ...verdict, transitions: [{ ...verdict.transitions[0]!, generation, to: 'OFFLINE' }] },
  ])
  await former.store.writeCheckpoints([
    { id: shard, epoch: 1, asOf: Date.now(), entries: [entry], recent: new Uint8Array() },
  ])
  const next = await settled(site)
  const listening = await next.store.listen(
    () => undefined,
    () => undefined,
  )
  await eventually('it is taken', async () =>
    (await next.store.claim(256, true)).some(({ id }) => id === shard),
  )
  await eventually('the configuration is there', () =>
    next.store.readDigests([shard]).then(
      ({ size }) => size === 1,
      () => false,
    ),
  )
  await next.store.readVersions([shard])
  assert.deepEqual(
    (await next.store.readSizes([poolId])).map(({ members }) => members),
    [1],
  )
  const [pool] = await next.store.loadPools([poolId])
  const [check] = pool?.checks ?? []
  assert.deepEqual(
    [check?.config.memberId, check?.config.isVote, check?.verdict?.status, check?.verdict?.badRun],
    [memberId, true, 'OFFLINE', 2],
  )
  assert.deepEqual(await next.store.readCheckpointEntries([shard], [memberId]), [entry])
  await listening.end()
})
