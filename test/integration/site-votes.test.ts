/** Members on which several sites vote: what is written of a vote, what it decides, and what is left of a site that is lost. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import type { VerdictWrite } from '../../src/domain/prober/check.ts'
import { type Quorum, type Vote, verdictOf } from '../../src/domain/site/quorum.ts'
import { type Database, type Db, query } from '../../src/store/connection/database.ts'
import { loadPools } from '../../src/store/probing/checks.ts'
import { hasVotes, markLostSites, recount, takeUncounted } from '../../src/store/probing/lost-sites.ts'
import { beat, claimShards } from '../../src/store/probing/shards.ts'
import { writeVotes } from '../../src/store/probing/votes.ts'
import { changed, eventually, insertMembers, insertPool } from '../support/configuration.ts'
import { openTransaction, testDatabase } from '../support/database.ts'
import { aVerdict, writeAllVerdicts } from '../support/verdicts.ts'

const SITES = ['fra', 'ams', 'nyc'] as const
type Site = (typeof SITES)[number] | 'local'

async function monitorFrom(
  db: Db,
  monitorId: string,
  sites: readonly string[],
  quorum?: Quorum,
): Promise<void> {
  await query(
    db,
    `update health_monitor set sites = $2, options = $3, generation = nextval('check_generation') where id = $1`,
    [
      monitorId,
      sites.length === 1 && sites[0] === 'local' ? null : JSON.stringify(sites),
      JSON.stringify({ sites, ...(quorum === undefined ? {} : { quorum }) }),
    ],
  )
}

/** A pool of some members on which these sites vote, and a prober of each site that has all its shards. */
async function voted(
  t: TestContext,
  { sites = SITES, quorum, members = 1 }: { sites?: readonly Site[]; quorum?: Quorum; members?: number } = {},
) {
  const database = await testDatabase(t)
  const { db } = database
  const { poolId, monitorId, shard } = await insertPool(db)
  const targets = Array.from({ length: members }, (_, i) => ({ address: '127.0.0.1', port: i + 1 }))
  const memberIds = await insertMembers(db, poolId, targets)
  await monitorFrom(db, monitorId, sites, quorum)
  const owners = new Map<Site, string>()
  let sequence = 0
  const joins = async (site: Site, leaseMs = 600_000): Promise<string> => {
    const owner = owners.get(site) ?? randomUUID()
    owners.set(site, owner)
    await beat(db, { id: owner, site, host: 'test', pid: 1, leaseMs })
    await claimShards(db, { owner, site, count: 256, foreignToo: false })
    return owner
  }
  const generation = async () =>
    (await loadPools(db, [poolId], sites[0]))[0]?.checks[0]?.config.generation ?? 0
  const votes = async (site: Site, status: Vote, more: Partial<VerdictWrite> = {}, of = memberIds) => {
    const now = await generation()
    const rows = of.map((memberId) =>
      aVerdict(memberId, shard, ++sequence, {
        status,
        generation: now,
        isVote: true,
        reason: status === 'ONLINE' ? 'PASSED' : 'CONNECT_TIMEOUT',
        ...more,
      }),
    )
    return await writeVotes(db, owners.get(site) ?? '', rows, site)
  }
  for (const site of sites) await joins(site)
  return {
    database,
    db,
    poolId,
    monitorId,
    shard,
    memberIds,
    memberId: memberIds[0] ?? '',
    owners,
    joins,
    votes,
    generation,
  }
}

async function published(db: Db, memberId: string) {
  const [row] = await query<{ state: string; stale: boolean; reason: string; detail: string | null }>(
    db,
    `select ms.state, ms.stale, ms.reason, s.detail from member_status ms
     left join member_state s on s.member_id = ms.member_id where ms.member_id = $1`,
    [memberId],
  )
  return row
}

async function transitions(db: Db, memberId: string): Promise<readonly string[]> {
  const rows = await query<{ change: string }>(
    db,
    `select from_state || ' ' || to_state as change from member_transition where member_id = $1 order by id`,
    [memberId],
  )
  return rows.map(({ change }) => change)
}

test('the first verdict comes with the vote that makes the quorum, and a member falls when most sites see it so', async (t) => {
  const { db, memberId, votes } = await voted(t)
  await votes('fra', 'ONLINE')
  assert.equal((await published(db, memberId))?.state, 'UNKNOWN', 'one of three decides nothing')
  await votes('ams', 'ONLINE')
  assert.equal((await published(db, memberId))?.state, 'ONLINE')
  await votes('fra', 'OFFLINE')
  await votes('nyc', 'ONLINE')
  assert.deepEqual(await transitions(db, memberId), ['UNKNOWN ONLINE'], 'one of three is no majority')
  await votes('ams', 'OFFLINE')
  assert.deepEqual(await published(db, memberId), {
    state: 'OFFLINE',
    stale: false,
    reason: 'CONNECT_TIMEOUT',
    detail: 'OFFLINE from fra and ams, ONLINE from nyc',
  })
  await votes('fra', 'ONLINE')
  assert.deepEqual(await transitions(db, memberId), ['UNKNOWN ONLINE', 'ONLINE OFFLINE', 'OFFLINE ONLINE'])
  const events = await query<{ to_status: string }>(
    db,
    `select to_status from event_outbox where type = 'member.status' and member_id = $1 order by id`,
    [memberId],
  )
  assert.deepEqual(
    events.map(({ to_status: to }) => to),
    ['ONLINE', 'OFFLINE', 'ONLINE'],
  )
})

test('a vote of a prober that has lost the shard is refused, and decides nothing', async (t) => {
  const { db, memberId, votes, owners, shard } = await voted(t, { sites: ['fra'] })
  await votes('fra', 'ONLINE')
  const successor = randomUUID()
  await query(db, `update site_shard set owner = $1, epoch = epoch + 1 where site = 'fra' and id = $2`, [
    successor,
    shard,
  ])
  assert.deepEqual((await votes('fra', 'OFFLINE')).held, new Set())
  assert.equal((await published(db, memberId))?.state, 'ONLINE')
  owners.set('fra', successor)
  assert.deepEqual((await votes('fra', 'OFFLINE', { epoch: 1 })).held, new Set())
  assert.deepEqual((await votes('fra', 'OFFLINE', { epoch: 2 })).held, new Set([shard]))
  assert.equal((await published(db, memberId))?.state, 'OFFLINE')
  await votes('fra', 'ONLINE', { epoch: 2, sequence: 1 })
  assert.equal((await published(db, memberId))?.state, 'OFFLINE', 'an older one changes nothing')
})

test('sites that decide at one time never leave another verdict than their votes make', async (t) => {
  const { db, memberIds, votes } = await voted(t, { members: 20 })
  const last = new Map<string, Vote>()
  const flip = async (site: Site): Promise<void> => {
    for (let round = 0; round < 15; round++) {
      const status = Math.random() < 0.5 ? 'ONLINE' : 'OFFLINE'
      last.set(site, status)
      let left: readonly string[] = memberIds
      await eventually('nothing is put off', async () => {
        const { putOff } = await votes(site, status, {}, left)
        left = left.filter((id) => putOff.has(id))
        return left.length === 0
      })
    }
  }
  await Promise.all(SITES.map(flip))
  const expected = verdictOf(
    'majority',
    SITES.map((site) => ({ site, vote: last.get(site) })),
  )
  for (const memberId of memberIds) {
    assert.equal((await published(db, memberId))?.state, expected)
    const steps = (await transitions(db, memberId)).map((step) => step.split(' '))
    for (const [i, [from]] of steps.entries())
      assert.equal(from, steps[i - 1]?.[1] ?? 'UNKNOWN', 'no step is missing')
  }
})

test('a vote on a pool whose counts another transaction has locked is put off, and others are written', async (t) => {
  const { db, poolId, memberId, votes } = await voted(t, { sites: ['fra'] })
  await votes('fra', 'ONLINE')
  const open = await openTransaction(db)
  await query(open.tx, 'select from pool_roll_up where pool_id = $1 for update', [poolId])
  assert.deepEqual((await votes('fra', 'OFFLINE')).putOff, new Set([memberId]))
  await open.rollback()
  assert.equal((await published(db, memberId))?.state, 'ONLINE')
  assert.deepEqual((await votes('fra', 'OFFLINE')).putOff, new Set())
  assert.equal((await published(db, memberId))?.state, 'OFFLINE')
})

/** As if the time after which a site counts as lost had passed; and all that follows from it. */
async function timePasses(db: Database): Promise<void> {
  assert.ok(await hasVotes(db))
  await markLostSites(db, false)
  await query(db, `update site_loss set since = since - interval '1 minute'`)
  await markLostSites(db, false)
  for (let shards = await takeUncounted(db); shards.length > 0; shards = await takeUncounted(db))
    for (const shard of shards) await recount(db, shard)
}

test('the vote of a lost site does not count: the others decide, and when it is back it counts again', async (t) => {
  const { db, memberId, votes, joins } = await voted(t, { quorum: 'all' })
  await votes('fra', 'OFFLINE')
  for (const site of ['ams', 'nyc'] as const) await votes(site, 'ONLINE')
  assert.equal((await published(db, memberId))?.state, 'OFFLINE')
  await monitorQuorum(db, { at_least: 2 })
  await joins('fra', -1)
  await timePasses(db)
  assert.equal((await published(db, memberId))?.state, 'ONLINE', 'fra is lost; the two others see it ONLINE')
  await votes('nyc', 'OFFLINE')
  assert.equal((await published(db, memberId))?.state, 'OFFLINE')
  await joins('fra')
  await timePasses(db)
  await votes('fra', 'ONLINE')
  assert.equal((await published(db, memberId))?.state, 'ONLINE', 'fra votes again')
  await markLostSites(db, false)
  assert.deepEqual(
    await query(db, `select from site_loss where site = 'fra'`),
    [],
    'nothing is left of the loss',
  )
})

async function monitorQuorum(db: Db, quorum: Quorum): Promise<void> {
  await query(db, `update health_monitor set options = options || jsonb_build_object('quorum', $1::jsonb)`, [
    JSON.stringify(quorum),
  ])
}

test('while fewer sites vote than the quorum needs, the status stays, and is stale', async (t) => {
  const { db, memberId, votes, joins } = await voted(t, { sites: ['fra', 'ams'], quorum: 'majority' })
  for (const site of ['fra', 'ams'] as const) await votes(site, 'ONLINE')
  await joins('ams', -1)
  await timePasses(db)
  assert.deepEqual(
    [(await published(db, memberId))?.state, (await published(db, memberId))?.stale],
    ['ONLINE', true],
  )
  await votes('fra', 'OFFLINE')
  assert.deepEqual(
    [(await published(db, memberId))?.state, (await published(db, memberId))?.stale],
    ['ONLINE', true],
  )
  await joins('ams')
  await timePasses(db)
  assert.deepEqual(
    [(await published(db, memberId))?.state, (await published(db, memberId))?.stale],
    ['ONLINE', false],
  )
  await votes('ams', 'OFFLINE')
  assert.equal((await published(db, memberId))?.state, 'OFFLINE')
})

test('events say when too few sites vote, and when there are enough, and not while a member is pending', async (t) => {
  const { db, votes, joins } = await voted(t, { sites: ['fra', 'ams'], members: 3 })
  const told = async (): Promise<readonly string[]> => {
    const rows = await query<{ what: string }>(
      db,
      `select to_status || ' ' || (data->>'reason') as what from event_outbox where type = 'member.stale' order by id`,
    )
    return rows.map(({ what }) => what)
  }
  await votes('fra', 'ONLINE')
  await votes('ams', 'ONLINE')
  assert.deepEqual(await told(), [])
  await joins('ams', -1)
  await timePasses(db)
  const stale = Array.from({ length: 3 }, () => 'STALE TOO_FEW_SITES')
  assert.deepEqual(await told(), stale)
  await votes('fra', 'OFFLINE')
  assert.deepEqual(await told(), stale, 'once')
  await joins('ams')
  await timePasses(db)
  assert.deepEqual(await told(), [...stale, ...stale.map(() => 'FRESH TOO_FEW_SITES')])
})

test('after nobody has looked for long, what was seen before does not make a site lost', async (t) => {
  const { db, votes, joins, memberId } = await voted(t, { sites: ['fra'], quorum: 'any' })
  await votes('fra', 'ONLINE')
  await joins('fra', -1)
  await markLostSites(db, false)
  await query(db, `update site_loss set since = since - interval '1 minute'`)
  await markLostSites(db, true)
  assert.deepEqual(await query(db, 'select from site_loss where is_lost'), [])
  assert.equal((await published(db, memberId))?.stale, false)
})

test('the vote of a check that is stale does not count until there is a sure result', async (t) => {
  const { db, memberId, votes } = await voted(t, { sites: ['fra', 'ams'], quorum: 'any' })
  await votes('fra', 'ONLINE')
  await votes('ams', 'OFFLINE')
  assert.equal((await published(db, memberId))?.state, 'ONLINE')
  await votes('fra', 'ONLINE', { isStale: true })
  assert.equal((await published(db, memberId))?.state, 'OFFLINE')
  await votes('fra', 'ONLINE')
  assert.equal((await published(db, memberId))?.state, 'ONLINE')
})

test('a site goes on with its own verdict after a hand-over, whatever was decided', async (t) => {
  const { db, poolId, votes, memberId } = await voted(t, { sites: ['fra', 'local', 'ams'] })
  await votes('fra', 'OFFLINE')
  await votes('local', 'ONLINE')
  await votes('ams', 'ONLINE', { isStale: true })
  assert.equal((await published(db, memberId))?.state, 'ONLINE')
  const own = async (site: string) => (await loadPools(db, [poolId], site))[0]?.checks[0]
  assert.deepEqual(
    [(await own('fra'))?.verdict?.status, (await own('local'))?.verdict?.status, (await own('nyc'))?.verdict],
    ['OFFLINE', 'ONLINE', undefined],
  )
  assert.deepEqual(
    [(await own('ams'))?.verdict?.isStale, (await own('fra'))?.verdict?.isStale],
    [true, undefined],
  )
  assert.equal((await own('fra'))?.config.isVote, true)
})

test('from one site to several and back, each verdict is written, and none of before comes through', async (t) => {
  const { db, poolId, monitorId, votes, joins, memberId, shard } = await voted(t, {
    sites: ['fra'],
    quorum: 'any',
  })
  const owner = await joins('local')
  const ofLocal = async (status: Vote, sequence: number, generation: number) =>
    await writeAllVerdicts(db, owner, [aVerdict(memberId, shard, sequence, { status, generation })])
  await monitorFrom(db, monitorId, ['local'])
  const first = (await loadPools(db, [poolId]))[0]?.checks[0]?.config.generation ?? 0
  await ofLocal('ONLINE', 1000, first)
  await monitorFrom(db, monitorId, ['fra'], 'any')
  await changed(db, poolId)
  await votes('fra', 'OFFLINE')
  assert.equal((await published(db, memberId))?.state, 'OFFLINE')
  await ofLocal('ONLINE', 1001, first)
  assert.equal(
    (await published(db, memberId))?.state,
    'OFFLINE',
    'a prober that has not loaded the change yet',
  )
  await monitorFrom(db, monitorId, ['local'])
  const last = (await loadPools(db, [poolId]))[0]?.checks[0]?.config
  assert.deepEqual([last?.isVote, (last?.generation ?? 0) > first], [undefined, true])
  await ofLocal('ONLINE', 2, last?.generation ?? 0)
  assert.equal((await published(db, memberId))?.state, 'ONLINE')
})
