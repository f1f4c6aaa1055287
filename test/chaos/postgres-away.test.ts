import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { test } from 'node:test'
import { startEmbeddedPostgres } from '../../src/runtime/embedded/embedded-postgres.ts'
import { type Db, openDatabase, query } from '../../src/store/connection/database.ts'
import { migrateToLatest } from '../../src/store/connection/migrate.ts'
import { eventually, insertMembers, insertPool, statuses } from '../support/configuration.ts'
import type { Ending } from '../support/database.ts'
import { type Forwarder, startForwarder } from '../support/forwarder.ts'
import { temporaryFolder } from '../support/postgres.ts'
import { balanced, startProberProcess } from '../support/prober-process.ts'
import { startTargets } from '../support/targets.ts'

const POOLS = 20
const MEMBERS_PER_POOL = 10
/** Milliseconds that PostgreSQL is away: several leases. `CHAOS_AWAY_MS=60000` for a longer look. */
const AWAY_MS = Number(process.env['CHAOS_AWAY_MS'] ?? 12_000)

/** A PostgreSQL of this test alone, reached through a port that stays when it is started again. */
async function ownPostgres(t: Ending) {
  const dataDir = temporaryFolder()
  const start = () => startEmbeddedPostgres({ dataDir, durable: false, log: () => undefined })
  let server = await start()
  const forwarder = await startForwarder(t, server.port)
  const ends: (() => Promise<void>)[] = []
  const at = (port: number): string => {
    const url = new URL(server.url)
    url.port = String(port)
    return url.href
  }
  let db = openDatabase({ url: server.url, applicationName: 'test', maxConnections: 2 })
  await migrateToLatest(db, server.url)
  t.after(async () => {
    for (const end of ends.toReversed()) await end()
    await db.destroy()
    await server.stop()
    rmSync(dataDir, { recursive: true, force: true })
  })
  return {
    url: at(forwarder.port),
    forwarder,
    db: (): Db => db,
    beforeDrop: (end: () => Promise<void>) => void ends.push(end),
    stop: async () => {
      await db.destroy()
      forwarder.set('cut')
      await server.stop()
    },
    start: async () => {
      server = await start()
      forwarder.set('open', server.port)
      db = openDatabase({ url: server.url, applicationName: 'test', maxConnections: 2 })
    },
  }
}

async function probed(t: Ending) {
  const postgres = await ownPostgres(t)
  const targets = await startTargets(t, POOLS * MEMBERS_PER_POOL)
  const members: string[] = []
  for (let i = 0; i < POOLS; i++) {
    const { poolId } = await insertPool(postgres.db())
    members.push(
      ...(await insertMembers(
        postgres.db(),
        poolId,
        targets.slice(i * MEMBERS_PER_POOL, (i + 1) * MEMBERS_PER_POOL),
      )),
    )
  }
  const probers = [startProberProcess(postgres), startProberProcess(postgres)]
  await balanced(postgres.db(), probers)
  await eventually('every member is ONLINE', () => allAre(postgres.db(), members, 'ONLINE'))
  // Shards may have just changed hands: what is probed from now on is probed by those who own it now.
  const balancedAt = performance.now()
  await eventually('every member is probed by its present owner', () =>
    targets.every(({ probedAt }) => (probedAt.at(-1) ?? 0) > balancedAt + 500),
  )
  return { postgres, targets, members, probers }
}

async function allAre(db: Db, members: readonly string[], state: string): Promise<boolean> {
  const seen = await statuses(db)
  return members.every((id) => seen.get(id)?.state === state)
}

interface Told {
  readonly member_id: string
  readonly from_state: string
  readonly to_state: string
  readonly at: Date
}

async function told(db: Db): Promise<readonly Told[]> {
  return await query<Told>(
    db,
    `select member_id, from_state, to_state, at, reason from member_transition where from_state <> 'UNKNOWN' order by id`,
  )
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

test('PostgreSQL stopped under load: probing goes on, nothing false is published, and changes meanwhile are published later', async (t) => {
  const { postgres, targets, members } = await probed(t)
  const epochs = () => query(postgres.db(), 'select id, owner, epoch from shard order by id')
  const before = await epochs()
  await postgres.stop()
  const awayAt = performance.now()
  const awayDate = Date.now()

  await pause(AWAY_MS / 4)
  const fallen = targets.slice(0, 20)
  await Promise.all(fallen.map((target) => target.stop()))
  await pause(AWAY_MS - (performance.now() - awayAt))
  const gaps = targets.slice(20).map(({ probedAt }) => {
    const times = probedAt.filter((at) => at > awayAt)
    return Math.max(...times.slice(1).map((at, i) => at - (times[i] ?? at)))
  })
  const worstGap = Math.max(...gaps)

  await postgres.start()
  const backAt = performance.now()
  const backDate = Date.now()
  await eventually(
    'what happened meanwhile is reported',
    () => allAre(postgres.db(), members.slice(0, 20), 'OFFLINE'),
    15_000,
  )
  const lateMs = performance.now() - backAt
  await pause(4000)
  assert.deepEqual(await epochs(), before, 'every shard stayed with its owner')
  const rows = await told(postgres.db())
  t.diagnostic(
    `away for ${((backAt - awayAt) / 1000).toFixed(1)} s; longest time between two probes of a member ${worstGap.toFixed(0)} ms; ` +
      `${rows.length} transitions of ${fallen.length} members, written ${lateMs.toFixed(0)} ms after the start`,
  )
  const others = rows.filter(({ member_id }) => !members.slice(0, 20).includes(member_id))
  assert.equal(rows.length, fallen.length, `exactly the members that fell: ${JSON.stringify(others)}`)
  assert.deepEqual(new Set(rows.map((row) => row.member_id)), new Set(members.slice(0, 20)))
  const times = rows.map((row) => row.at.getTime() - awayDate)
  assert.ok(
    times.every((ms) => ms > 0 && ms < backDate - awayDate),
    `they carry the time at which they happened: ${times.join(', ')} ms after the stop`,
  )
  assert.ok(worstGap < AWAY_MS / 3, 'probing did not wait for PostgreSQL')
})

test('a frozen network to PostgreSQL: the lease of the others is not taken, and what was decided arrives after the thaw', async (t) => {
  const { postgres, targets, members } = await probed(t)
  await freezeFor(postgres.forwarder, 8000, async () => {
    await Promise.all(targets.slice(0, 10).map((target) => target.stop()))
  })
  await eventually(
    'what happened meanwhile is reported',
    () => allAre(postgres.db(), members.slice(0, 10), 'OFFLINE'),
    30_000,
  )
  const rows = await told(postgres.db())
  t.diagnostic(`${rows.length} transitions of 10 members`)
  assert.equal(rows.length, 10)
})

async function freezeFor(forwarder: Forwarder, ms: number, meanwhile: () => Promise<void>): Promise<void> {
  forwarder.set('frozen')
  await meanwhile()
  await pause(ms)
  forwarder.set('open')
}
