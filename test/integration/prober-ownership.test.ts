import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { createMetrics } from '../../src/runtime/metrics/metrics.ts'
import { Ownership } from '../../src/schedule/configuration/ownership.ts'
import { type Db, openDatabase, query } from '../../src/store/connection/database.ts'
import {
  beat,
  claimShards,
  releaseShards,
  removeDeadProbers,
  removeProber,
} from '../../src/store/probing/shards.ts'
import { eventually } from '../support/configuration.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'
import { keepingLog } from '../support/prober.ts'

const LEASE_MS = 1000

/** An owner with a connection of its own, and nothing to probe. */
function startOwner(database: TestDatabase) {
  const id = randomUUID()
  const db = openDatabase({ url: database.url, applicationName: 'owner', maxConnections: 1 })
  const ownership: Ownership = new Ownership({
    leaseMs: LEASE_MS,
    isLoaded: () => true,
    log: keepingLog(),
    metrics: createMetrics('test'),
    store: {
      beat: (contactMs) => beat(db, { id, host: 'test', pid: 1, leaseMs: LEASE_MS, contactMs }),
      claim: (count, foreignToo) => claimShards(db, { owner: id, count, foreignToo }),
      release: (ids) => releaseShards(db, id, ids),
      removeProber: () => removeProber(db, id),
    },
    events: {
      onGained: () => void setImmediate(() => ownership.loaded()),
      onLost: () => undefined,
      onRelease: () => Promise.resolve(),
    },
  })
  database.beforeDrop(async () => {
    ownership.destroy()
    await db.destroy()
  })
  ownership.start()
  return { id, ownership }
}

async function sizes(db: Db): Promise<readonly number[]> {
  const rows = await query<{ n: number }>(
    db,
    'select count(*) as n from shard where owner is not null group by owner order by 1',
  )
  return rows.map((row) => row.n)
}

test('several owners share the shards evenly as they join and leave, and every shard has one owner', async (t) => {
  const database = await testDatabase(t)
  const owners = [startOwner(database)]
  const shared = (expected: readonly number[]) =>
    eventually(`shares of ${expected.join(', ')}`, async () => {
      const found = await sizes(database.db)
      const believed = owners.flatMap(({ ownership }) => [...ownership.held.keys()])
      return (
        JSON.stringify(found) === JSON.stringify(expected) &&
        believed.length === 256 &&
        new Set(believed).size === 256
      )
    })
  await shared([256])
  owners.push(startOwner(database))
  await shared([128, 128])
  owners.push(startOwner(database), startOwner(database))
  await shared([64, 64, 64, 64])
  await owners.pop()?.ownership.close()
  await shared([84, 86, 86])
  // One that dies without a word: its lease runs out.
  owners.shift()?.ownership.destroy()
  await shared([128, 128])
})

test('claimers at the same moment never get the same shard, and every claim raises the epoch', async (t) => {
  const { db } = await testDatabase(t)
  const claims = await Promise.all(
    Array.from({ length: 8 }, () => claimShards(db, { owner: randomUUID(), count: 32, foreignToo: false })),
  )
  const all = claims.flat()
  assert.equal(new Set(all.map((shard) => shard.id)).size, all.length)
  assert.ok(all.every((shard) => shard.epoch === 1))
  await eventually('what was skipped is still free', async () => {
    const rest = await claimShards(db, { owner: randomUUID(), count: 256, foreignToo: false })
    return all.length + rest.length === 256
  })
})

test('the shard of a dead owner is claimed only when the caller allows it, that of a live one never', async (t) => {
  const { db } = await testDatabase(t)
  const [dead, live] = [randomUUID(), randomUUID()]
  await beat(db, { id: live, host: 'test', pid: 1, leaseMs: 60_000 })
  await claimShards(db, { owner: dead, count: 100, foreignToo: false })
  await claimShards(db, { owner: live, count: 156, foreignToo: false })
  assert.equal((await claimShards(db, { owner: randomUUID(), count: 256, foreignToo: false })).length, 0)
  const taken = await claimShards(db, { owner: randomUUID(), count: 256, foreignToo: true })
  assert.equal(taken.length, 100)
  assert.ok(taken.every((shard) => shard.epoch === 2))
})

test('a prober that has just come may claim the shards of a dead one when another has had contact for long, and only then', async (t) => {
  const { db } = await testDatabase(t)
  const [old, fresh] = [randomUUID(), randomUUID()]
  const as = (id: string, contactMs: number, leaseMs = 60_000) =>
    beat(db, { id, host: 'test', pid: 1, leaseMs, contactMs })
  assert.equal((await as(fresh, 0)).isContactLong, false)
  assert.equal((await as(fresh, 59_000)).isContactLong, false)
  assert.equal((await as(fresh, 60_000)).isContactLong, true)
  assert.equal((await as(fresh, 0)).isContactLong, false, 'contact was broken')
  await as(old, 61_000)
  assert.equal((await as(fresh, 0)).isContactLong, true)
  await as(old, 61_000, -1)
  assert.equal((await as(fresh, 0)).isContactLong, false, 'who has no lease says nothing')
})

test("a heartbeat tells when the first lease of another live prober ends, its own never and a dead one's neither", async (t) => {
  const { db } = await testDatabase(t)
  const [own, long, short, dead] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()]
  const as = (id: string, leaseMs: number) => beat(db, { id, host: 'test', pid: 1, leaseMs })
  assert.equal((await as(own, 60_000)).nextExpiryMs, undefined)
  await as(dead, -1)
  const alone = await as(own, 60_000)
  assert.deepEqual([alone.nextExpiryMs, alone.liveProbers], [undefined, 1])
  await as(long, 3_600_000)
  await as(short, 1_800_000)
  const among = await as(own, 60_000)
  const nextMs = among.nextExpiryMs ?? 0
  assert.ok(nextMs > 900_000 && nextMs <= 1_800_000, `${nextMs} ms`)
  assert.equal(among.liveProbers, 3)
})

test('a release gives back only what is still ours', async (t) => {
  const { db } = await testDatabase(t)
  const [mine, taker] = [randomUUID(), randomUUID()]
  await claimShards(db, { owner: mine, count: 2, foreignToo: false })
  await query(db, 'update shard set owner = $1, epoch = epoch + 1 where id = 0', [taker])
  await releaseShards(db, mine, [0, 1])
  const rows = await query(db, 'select id::int, owner from shard where id < 2 order by id')
  assert.deepEqual(rows, [
    { id: 0, owner: taker },
    { id: 1, owner: null },
  ])
})

test('rows of probers that are long gone and own nothing are removed', async (t) => {
  const { db } = await testDatabase(t)
  const [owning, gone] = [randomUUID(), randomUUID()]
  for (const id of [owning, gone]) await beat(db, { id, host: 'test', pid: 1, leaseMs: -5000 })
  await claimShards(db, { owner: owning, count: 1, foreignToo: false })
  assert.equal(await removeDeadProbers(db, 1000), 1)
  assert.deepEqual(await query(db, 'select id from prober'), [{ id: owning }])
})
