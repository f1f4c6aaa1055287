/** The statements on requests for a probe: who takes which, in which order, and whose answer is taken. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { shardOf } from '../../src/domain/prober/shard.ts'
import { query } from '../../src/store/connection/database.ts'
import {
  answerProbeRequests,
  forgetProbeRequests,
  insertProbeRequest,
  readProbeAnswers,
  takeProbeRequests,
} from '../../src/store/probing/probe-requests.ts'
import { claimShards } from '../../src/store/probing/shards.ts'
import { insertMembers, insertPool } from '../support/configuration.ts'
import { openTransaction, testDatabase } from '../support/database.ts'

const ANSWER = { noResult: 'not_probed' } as const

async function world(t: TestContext) {
  const { db } = await testDatabase(t)
  const claim = async () => {
    const owner = randomUUID()
    const claimed = await claimShards(db, { owner, count: 256, foreignToo: true })
    return { owner, held: new Map(claimed.map(({ id, epoch }) => [id, epoch])) }
  }
  const asked = async (project: string, count: number, withinMs = 60_000): Promise<string[]> => {
    const { poolId } = await insertPool(db, {}, project)
    const targets = Array.from({ length: count }, (_, i) => ({ address: '127.0.0.1', port: i + 1 }))
    const ids: string[] = []
    for (const memberId of await insertMembers(db, poolId, targets)) {
      const id = randomUUID()
      assert.equal(await insertProbeRequest(db, { id, memberId, counted: false, withinMs }), true)
      ids.push(id)
    }
    return ids
  }
  return { db, claim, asked }
}

const take = (
  { db }: Awaited<ReturnType<typeof world>>,
  by: { readonly owner: string; readonly held: ReadonlyMap<number, number> },
  bounds: { readonly perProject?: number; readonly most?: number; readonly inHand?: readonly string[] } = {},
) => takeProbeRequests(db, { ...by, inHand: [], perProject: 50, most: 500, ...bounds })

test('projects are served in turn, and none has more in hand than it may, whatever came first', async (t) => {
  const of = await world(t)
  const prober = await of.claim()
  await of.asked('much', 6)
  await of.asked('little', 2)
  const inHand: string[] = []
  const projects = async (bounds: Parameters<typeof take>[2]) => {
    const taken = await take(of, prober, { ...bounds, inHand })
    inHand.push(...taken.map(({ id }) => id))
    return taken.map(({ projectId }) => projectId).toSorted()
  }
  assert.deepEqual(await projects({ most: 3 }), ['little', 'much', 'much'])
  assert.deepEqual(await projects({ perProject: 4 }), ['little', 'much', 'much'])
  assert.deepEqual(await projects({ perProject: 4 }), [])
  assert.deepEqual(await projects({}), ['much', 'much'])
})

test('a request carries the version of the pool when it was made, and how long somebody waits', async (t) => {
  const of = await world(t)
  const prober = await of.claim()
  const [id] = await of.asked('one', 1, 30_000)
  const [pool] = await query<{ id: string; version: number }>(
    of.db,
    'select id, config_version as version from pool',
  )
  const [taken] = await take(of, prober)
  assert.ok(taken && pool)
  const { leftMs, memberId: _, ...rest } = taken
  const shard = shardOf(pool.id)
  assert.deepEqual(rest, {
    id,
    poolId: pool.id,
    projectId: 'one',
    shard,
    epoch: prober.held.get(shard),
    configVersion: pool.version,
    counted: false,
  })
  assert.ok(leftMs > 20_000 && leftMs <= 30_000, String(leftMs))
})

test('only the owner of the shard takes and answers; its successor takes again what was not answered', async (t) => {
  const of = await world(t)
  const { db } = of
  const first = await of.claim()
  const [id = ''] = await of.asked('one', 1)
  const [taken] = await take(of, first)
  assert.equal(taken?.id, id)
  assert.deepEqual(await take(of, first, { inHand: [id] }), [], 'it is in hand')
  const second = await of.claim()
  assert.equal(second.held.size, 256, 'the lease of the first is over')
  await answerProbeRequests(db, first.owner, [{ request: taken, answer: ANSWER }])
  assert.deepEqual(await readProbeAnswers(db, [id]), [], 'too late')
  assert.deepEqual(await take(of, first), [])
  const [again] = await take(of, second)
  assert.deepEqual([again?.id, again?.epoch], [id, taken.epoch + 1])
  await answerProbeRequests(db, second.owner, [{ request: again!, answer: ANSWER }])
  assert.deepEqual(await readProbeAnswers(db, [id, randomUUID()]), [
    { id, proberId: second.owner, answer: ANSWER },
  ])
  assert.deepEqual(await take(of, await of.claim()), [], 'what is answered is not taken again')
})

test('a request whose taking was not heard of is taken again by the same prober, and an answered one is not', async (t) => {
  const of = await world(t)
  const prober = await of.claim()
  const [lost = ''] = await of.asked('one', 1)
  const [known = ''] = await of.asked('two', 1)
  assert.equal((await take(of, prober)).length, 2)
  const again = await take(of, prober, { inHand: [known] })
  assert.deepEqual(
    again.map(({ id, projectId }) => [id, projectId]),
    [[lost, 'one']],
  )
  await answerProbeRequests(of.db, prober.owner, [{ request: again[0]!, answer: ANSWER }])
  assert.deepEqual(await take(of, prober, { inHand: [known] }), [])
})

test('a member has one request at a time; one that is over makes room, and is not taken any more', async (t) => {
  const of = await world(t)
  const prober = await of.claim()
  await of.asked('one', 1)
  const [row] = await query<{ member_id: string }>(of.db, 'select member_id from probe_request')
  const next = { id: randomUUID(), memberId: row!.member_id, counted: true, withinMs: 60_000 }
  assert.equal(await insertProbeRequest(of.db, next), false)
  await query(of.db, `update probe_request set deadline = now() - interval '1 second'`)
  assert.deepEqual(await take(of, prober), [])
  assert.equal(await insertProbeRequest(of.db, next), true)
  assert.deepEqual(
    (await take(of, prober)).map(({ id, counted }) => [id, counted]),
    [[next.id, true]],
  )
})

test('what an API process left behind is removed, and nothing else', async (t) => {
  const of = await world(t)
  const [old, fresh] = [await of.asked('old', 1), await of.asked('fresh', 1)]
  await query(of.db, `update probe_request set deadline = now() - interval '2 minutes' where id = $1`, [
    old[0],
  ])
  await forgetProbeRequests(of.db, 60_000)
  assert.deepEqual(await query(of.db, 'select id from probe_request'), [{ id: fresh[0] }])
})

test('a look locks the shards that have requests, and none without', async (t) => {
  const of = await world(t)
  const prober = await of.claim()
  const lookedAt = async () => {
    const open = await openTransaction(of.db)
    const bounds = { inHand: [], perProject: 50, most: 500 }
    const [taken] = await takeProbeRequests(open.tx, { ...prober, ...bounds })
    const free = await query<{ id: number }>(of.db, 'select id::int from shard for update skip locked')
    await open.rollback()
    return { shard: taken?.shard, free: new Set(free.map(({ id }) => id)) }
  }
  assert.equal((await lookedAt()).free.size, 256)
  await of.asked('one', 1)
  const { shard, free } = await lookedAt()
  assert.deepEqual([free.size, shard !== undefined && free.has(shard)], [255, false])
})
