/** Leases, checks and checkpoints of several sites: each site has all shards, and writes under its own leases alone. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { writeCheckpoints, readCheckpointEntries } from '../../src/store/probing/checkpoints.ts'
import { loadPoolPart, loadPools } from '../../src/store/probing/checks.ts'
import { writeCertificates } from '../../src/store/probing/certificates.ts'
import { type Db, query } from '../../src/store/connection/database.ts'
import {
  answerProbeRequests,
  insertProbeRequest,
  takeProbeRequests,
} from '../../src/store/probing/probe-requests.ts'
import { beat, claimShards, releaseShards, removeDeadProbers } from '../../src/store/probing/shards.ts'
import { eventually, insertMembers, insertPool, statuses } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import { testProber } from '../support/prober.ts'
import { startProberProcess } from '../support/prober-process.ts'
import { OWN_LOOPBACK } from '../support/ports.ts'

const LEASE_MS = 60_000

/** A prober of a site that has all its shards, at epoch 1. */
async function proberOf(db: Db, site: string) {
  const id = randomUUID()
  const beating = (leaseMs = LEASE_MS) => beat(db, { id, site, host: 'test', pid: 1, leaseMs })
  await beating()
  const held = await claimShards(db, { owner: id, site, count: 256, foreignToo: false })
  return { id, beating, held }
}

const checkpoint = (id: number, epoch: number, memberId: string) => ({
  id,
  epoch,
  asOf: Date.now(),
  recent: new Uint8Array(),
  entries: [
    {
      memberId,
      generation: 1,
      probedAt: 1_700_000_000_000,
      nextAt: 1_700_000_005_000,
      outcome: 'passed' as const,
      reason: 'PASSED' as const,
      phases: { totalMs: 1 },
      okRun: 1,
      badRun: 0,
      stale: false,
      flags: 0,
    },
  ],
})

test('each site has every shard once, and counts its own probers and free shards alone', async (t) => {
  const { db } = await testDatabase(t)
  const local = await proberOf(db, 'local')
  const fra = await proberOf(db, 'fra')
  for (const { held } of [local, fra]) {
    assert.deepEqual(
      held.map(({ id }) => id).toSorted((a, b) => a - b),
      [...Array(256).keys()],
    )
    assert.ok(held.every(({ epoch }) => epoch === 1))
  }
  const other = { id: randomUUID(), site: 'fra', host: 'test', pid: 1, leaseMs: LEASE_MS }
  assert.deepEqual([(await beat(db, other)).liveProbers, (await local.beating()).liveProbers], [2, 1])
  assert.equal(
    (await local.beating()).nextExpiryMs,
    undefined,
    'leases of other sites are none of its concern',
  )
  await releaseShards(db, fra.id, [3, 4], 'fra')
  assert.deepEqual([(await fra.beating()).free, (await local.beating()).free], [2, 0])
  assert.deepEqual((await local.beating()).held.length, 256)
  const taken = await claimShards(db, { owner: other.id, site: 'fra', count: 256, foreignToo: true })
  assert.deepEqual(
    taken.toSorted((a, b) => a.id - b.id),
    [
      { id: 3, epoch: 2 },
      { id: 4, epoch: 2 },
    ],
  )
})

test('long contact of a prober in one site lets nobody claim foreign shards in another', async (t) => {
  const { db } = await testDatabase(t)
  await beat(db, { id: randomUUID(), host: 'test', pid: 1, leaseMs: LEASE_MS, contactMs: LEASE_MS })
  const fra = { id: randomUUID(), site: 'fra', host: 'test', pid: 1, leaseMs: LEASE_MS }
  assert.equal((await beat(db, fra)).isContactLong, false)
  assert.equal((await beat(db, { ...fra, contactMs: LEASE_MS })).isContactLong, true)
})

test('the row of a dead prober stays while it owns a shard of its site', async (t) => {
  const { db } = await testDatabase(t)
  const fra = await proberOf(db, 'fra')
  await fra.beating(-LEASE_MS)
  assert.equal(await removeDeadProbers(db, 1000), 0)
  await releaseShards(db, fra.id, [...Array(256).keys()], 'fra')
  assert.equal(await removeDeadProbers(db, 1000), 1)
})

test('a site probes the monitors that name it, and `local` those that name none', async (t) => {
  const { db } = await testDatabase(t)
  const probedBy = async (poolId: string, site: string) => {
    const [pool] = await loadPools(db, [poolId], site)
    const part = await loadPoolPart(db, poolId, { after: undefined, limit: 10, site })
    assert.equal(part?.pool.checks.length, pool?.checks.length, 'in parts as in one piece')
    return pool?.checks.length
  }
  for (const [sites, expected] of [
    [null, { local: 2, fra: 0, ams: 0 }],
    [['local'], { local: 2, fra: 0, ams: 0 }],
    [['fra'], { local: 0, fra: 2, ams: 0 }],
    [['fra', 'local'], { local: 2, fra: 2, ams: 0 }],
  ] as const) {
    const { poolId, monitorId } = await insertPool(db)
    await insertMembers(
      db,
      poolId,
      [1, 2].map((port) => ({ address: '127.0.0.1', port })),
    )
    await query(db, 'update health_monitor set sites = $1 where id = $2', [
      sites === null ? null : JSON.stringify(sites),
      monitorId,
    ])
    for (const [site, count] of Object.entries(expected))
      assert.equal(await probedBy(poolId, site), count, `${site} of ${JSON.stringify(sites)}`)
  }
})

test('checkpoints are kept per site, and are refused where the lease is of another site, epoch or prober', async (t) => {
  const { db } = await testDatabase(t)
  const [local, fra] = [await proberOf(db, 'local'), await proberOf(db, 'fra')]
  const [ofLocal, ofFra] = [randomUUID(), randomUUID()]
  await writeCheckpoints(db, local.id, [checkpoint(7, 1, ofLocal)])
  await writeCheckpoints(db, fra.id, [checkpoint(7, 1, ofFra)], 'fra')
  const entries = async (site: string) =>
    (await readCheckpointEntries(db, [7], [ofLocal, ofFra], site)).map(({ memberId }) => memberId)
  assert.deepEqual(
    [await entries('local'), await entries('fra'), await entries('ams')],
    [[ofLocal], [ofFra], []],
  )
  const foreign = randomUUID()
  await writeCheckpoints(db, fra.id, [checkpoint(7, 1, foreign)])
  await writeCheckpoints(db, local.id, [checkpoint(7, 1, foreign)], 'fra')
  await writeCheckpoints(db, fra.id, [checkpoint(7, 1, foreign)], 'ams')
  await writeCheckpoints(db, fra.id, [checkpoint(7, 2, foreign)], 'fra')
  assert.deepEqual([await entries('local'), await entries('fra')], [[ofLocal], [ofFra]])
  const rewritten = randomUUID()
  await writeCheckpoints(db, fra.id, [checkpoint(7, 1, rewritten), checkpoint(8, 1, ofFra)], 'fra')
  assert.deepEqual(
    await readCheckpointEntries(db, [7], [ofFra], 'fra'),
    [],
    'a checkpoint is replaced as a whole',
  )
})

test('certificates and answers are written under the lease of their site alone', async (t) => {
  const { db } = await testDatabase(t)
  const [local, fra] = [await proberOf(db, 'local'), await proberOf(db, 'fra')]
  const { poolId, shard } = await insertPool(db)
  const [memberId = ''] = await insertMembers(db, poolId, [{ address: '127.0.0.1', port: 1 }])
  const certificate = {
    memberId,
    projectId: 'project-1',
    generation: 1,
    shard,
    epoch: 1,
    warningDays: 7,
    notAfter: 2_000_000_000_000,
    subject: 'CN=a',
    issuer: 'CN=b',
  }
  const shown = async () => (await query(db, 'select from member_certificate')).length
  await writeCertificates(db, fra.id, [certificate])
  await writeCertificates(db, local.id, [certificate], 'fra')
  assert.equal(await shown(), 0)
  await writeCertificates(db, fra.id, [certificate], 'fra')
  assert.equal(await shown(), 1)
})

test('a request for a probe is taken by the prober of its site, and only its answer counts', async (t) => {
  const { db } = await testDatabase(t)
  const [local, fra] = [await proberOf(db, 'local'), await proberOf(db, 'fra')]
  const { poolId, shard } = await insertPool(db)
  const [memberId = ''] = await insertMembers(db, poolId, [{ address: '127.0.0.1', port: 1 }])
  assert.ok(await insertProbeRequest(db, { id: randomUUID(), memberId, counted: false, withinMs: 60_000 }))
  const take = (prober: typeof local, site: string) =>
    takeProbeRequests(db, {
      owner: prober.id,
      site,
      held: new Map([[shard, 1]]),
      inHand: [],
      perProject: 10,
      most: 10,
    })
  assert.deepEqual(await take(fra, 'fra'), [])
  const [request] = await take(local, 'local')
  assert.ok(request !== undefined)
  const answered = async () => (await query(db, 'select from probe_request where answer is not null')).length
  await answerProbeRequests(db, local.id, [{ request, answer: { noResult: 'share' } }], 'fra')
  assert.equal(await answered(), 0)
  await answerProbeRequests(db, local.id, [{ request, answer: { noResult: 'share' } }])
  assert.equal(await answered(), 1)
})

/** Shards that probers of each site own. */
async function owned(db: Db): Promise<Readonly<Record<string, number>>> {
  const rows = await query<{ site: string; n: number }>(
    db,
    `select 'local' as site, count(owner)::int as n from shard
     union all select site, count(owner)::int from site_shard group by site`,
  )
  return Object.fromEntries(rows.map(({ site, n }) => [site, n]))
}

async function probed(t: TestContext) {
  const database = await testDatabase(t)
  const { db } = database
  const { poolId, shard } = await insertPool(db)
  const members = await insertMembers(db, poolId, [{ address: OWN_LOOPBACK, port: 16_383 }])
  return { database, db, shard, memberId: members[0] ?? '' }
}

test('a prober of another site beside those of `local` takes nothing from them, and probes nothing that is theirs', async (t) => {
  const { database, db, shard, memberId } = await probed(t)
  const local = testProber(database)
  const fra = testProber(database, { site: 'fra' })
  await eventually('each site has its shards', async () => {
    const { local: ofLocal, fra: ofFra } = await owned(db)
    return ofLocal === 256 && ofFra === 256
  })
  await eventually(
    'the member has a verdict',
    async () => (await statuses(db)).get(memberId)?.state === 'OFFLINE',
  )
  await eventually('both have written a checkpoint of the shard', async () => {
    const rows = await query(
      db,
      `select from shard_checkpoint l join site_checkpoint s on s.shard = l.shard
       where l.shard = $1 and cardinality(l.member_ids) = 1 and cardinality(s.member_ids) = 0`,
      [shard],
    )
    return rows.length === 1
  })
  await local.close()
  await eventually('the shards of `local` are free', async () => (await owned(db))['local'] === 0)
  assert.equal((await owned(db))['fra'], 256)
  await fra.close()
  assert.equal((await owned(db))['fra'], 0)
})

test('`--site` wins over HM_SITE, and what no site can be called is refused', async (t) => {
  const database = await testDatabase(t)
  const prober = startProberProcess(database, { HM_SITE: 'ams' }, [], ['--site', 'fra'])
  await eventually('its shards are those of fra', async () => (await owned(database.db))['fra'] === 256)
  assert.deepEqual(Object.keys(await owned(database.db)).toSorted(), ['fra', 'local'])
  await prober.end('SIGTERM')
  const refused = startProberProcess(database, {}, [], ['--site', 'Fra!'])
  await eventually('it has ended', () => refused.child.exitCode !== null)
  assert.match(refused.log.join('\n'), /HM_SITE must be at most 32 small letters, digits and hyphens/)
})
