/** The status of parents, as it is read for a prober: OFFLINE and failing are handed down, and reading ends whatever is stored. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { readParentStates } from '../../src/store/probing/dependencies.ts'
import { insertMembers, insertPool, PROJECT } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import { writeVerdict } from '../support/pool-api.ts'

/** Members in pools of their own, without a verdict. */
async function members(t: TestContext, count: number) {
  const { db } = await testDatabase(t)
  const pools: string[] = []
  const ids: string[] = []
  for (let i = 0; i < count; i++) {
    const { poolId } = await insertPool(db)
    const [id = ''] = await insertMembers(db, poolId, [{ address: '127.0.0.1', port: 1000 + i }])
    pools.push(poolId)
    ids.push(id)
  }
  const judge = async (id: string, verdict: Parameters<typeof writeVerdict>[2]) => {
    await writeVerdict(db, id, verdict)
    await query(db, 'update member_state s set pool_id = m.pool_id from member m where m.id = s.member_id')
  }
  const dependsOn = (table: 'member' | 'pool', id: string | undefined, parents: readonly string[]) =>
    query(db, `update ${table} set echo = jsonb_build_object('depends_on', $1::jsonb) where id = $2`, [
      JSON.stringify(parents),
      id,
    ])
  const read = async (...asked: readonly (string | undefined)[]) =>
    Object.fromEntries(
      await readParentStates(db, {
        projectId: PROJECT,
        ids: asked.filter((id) => id !== undefined),
        withinMs: 5000,
      }),
    )
  return { pools, ids, dependsOn, judge, read }
}

test('a parent that is ONLINE itself counts as what it depends on, by itself or by its pool', async (t) => {
  const { pools, ids, dependsOn, judge, read } = await members(t, 4)
  const [grandparent = '', byItself = '', byPool = '', other = ''] = ids
  for (const id of [byItself, byPool, other]) await judge(id, { status: 'ONLINE' })
  await dependsOn('member', byItself, [grandparent])
  await dependsOn('pool', pools[2], [byItself])
  await judge(grandparent, { status: 'ONLINE', badRun: 1 })
  assert.deepEqual(await read(byItself, byPool, other), { [byItself]: 'failing', [byPool]: 'failing' })
  await judge(grandparent, { status: 'OFFLINE' })
  assert.deepEqual(await read(byItself, byPool, other), { [byItself]: 'OFFLINE', [byPool]: 'OFFLINE' })
  assert.deepEqual(await read(pools[0], pools[1]), { [pools[0] ?? '']: 'OFFLINE' }, 'of pools their own')
  await judge(grandparent, { status: 'ONLINE' })
  assert.deepEqual(await read(byItself, byPool, other), {})
})

test('dependencies that go round in a circle are read to an end', async (t) => {
  const { ids, dependsOn, judge, read } = await members(t, 3)
  for (const [i, id] of ids.entries()) {
    await judge(id, { status: i === 0 ? 'OFFLINE' : 'ONLINE' })
    await dependsOn('member', id, [ids[(i + 1) % ids.length] ?? ''])
  }
  assert.deepEqual(await read(...ids), Object.fromEntries(ids.map((id) => [id, 'OFFLINE'])))
})
