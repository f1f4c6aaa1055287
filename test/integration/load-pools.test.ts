import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { SHARD_COUNT } from '../../src/domain/limits.ts'
import { loadPoolPart, loadPools, readPoolDigests, readPoolSizes } from '../../src/store/probing/checks.ts'
import { query } from '../../src/store/connection/database.ts'
import { insertMembers, insertPool, PROJECT } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'

const targets = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ address: `127.0.${n >> 8}.${n & 255}`, port: 80 }))

test('a pool by parts is the pool as a whole: every member that is probed once, in the order of their ids', async (t) => {
  const { db } = await testDatabase(t)
  const { poolId, shard } = await insertPool(db)
  const members = await insertMembers(db, poolId, targets(25))
  await query(db, 'update member set admin_state_up = false where id = any($1::uuid[])', [
    members.slice(0, 3),
  ])
  await insertMembers(db, (await insertPool(db)).poolId, targets(5))
  const [whole] = await loadPools(db, [poolId])
  for (const limit of [1, 7, 11, 22, 100]) {
    const found: string[] = []
    let after: string | undefined
    for (;;) {
      const part = await loadPoolPart(db, poolId, { after, limit })
      assert.ok(part !== undefined && part.pool.checks.length <= limit)
      assert.deepEqual([part.pool.shard, part.pool.configVersion], [shard, whole?.configVersion])
      found.push(...part.pool.checks.map(({ config }) => config.memberId).toSorted())
      after = part.lastMember
      if (after === undefined) break
    }
    assert.deepEqual(found, whole?.checks.map(({ config }) => config.memberId).toSorted(), `by ${limit}`)
  }
})

test('a pool of which nothing is probed has one part without checks, and one that is gone has none', async (t) => {
  const { db } = await testDatabase(t)
  const { poolId, monitorId } = await insertPool(db)
  await insertMembers(db, poolId, targets(3))
  await query(db, 'delete from health_monitor where id = $1', [monitorId])
  const part = await loadPoolPart(db, poolId, { after: undefined, limit: 2 })
  assert.deepEqual([part?.pool.checks, part?.lastMember], [[], undefined])
  assert.equal(await loadPoolPart(db, randomUUID(), { after: undefined, limit: 2 }), undefined)
})

test('the size of a pool counts all its members, and says whose it is', async (t) => {
  const { db } = await testDatabase(t)
  const { poolId } = await insertPool(db)
  await insertMembers(db, poolId, targets(3))
  assert.deepEqual(await readPoolSizes(db, [poolId, randomUUID()]), [
    { poolId, projectId: PROJECT, members: 3 },
  ])
})

test('the digest of a shard is another one after each change of a pool there, and the same where there was none', async (t) => {
  const { db } = await testDatabase(t)
  const { poolId, shard } = await insertPool(db)
  const empty = (shard + 1) % SHARD_COUNT
  const digests: (string | undefined)[] = []
  const note = async () => {
    const found = await readPoolDigests(db, [shard, empty])
    assert.equal(found.has(empty), false)
    digests.push(found.get(shard))
  }
  await note()
  await note()
  assert.equal(digests[0], digests[1])
  await query(db, 'update pool set config_version = config_version + 1 where id = $1', [poolId])
  await note()
  // As if it came to this shard: its id alone is another one.
  await query(
    db,
    `insert into pool (id, project_id, load_balancer_id, protocol, lb_algorithm, shard, config_version)
     select $2, project_id, load_balancer_id, protocol, lb_algorithm, shard, config_version from pool where id = $1`,
    [poolId, randomUUID()],
  )
  await note()
  await query(db, 'delete from health_monitor where pool_id = $1', [poolId])
  await query(db, 'delete from pool where id = $1', [poolId])
  await note()
  await query(db, 'delete from pool where shard = $1', [shard])
  await note()
  assert.equal(new Set(digests).size, digests.length - 1)
  assert.equal(digests.at(-1), undefined)
})
