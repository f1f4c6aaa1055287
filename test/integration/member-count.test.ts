/** `pool.member_count`, which the database keeps: it is the number of members, whatever happens to them and at once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as migration from '../../migrations/0011-member-count.ts'
import { type Db, query, transaction } from '../../src/store/connection/database.ts'
import { withRunner } from '../../src/store/connection/migrate.ts'
import { startApi } from '../support/api.ts'
import { SUBNET } from '../support/api-objects.ts'
import { insertMembers, insertPool } from '../support/configuration.ts'
import { testDatabase, undoMigrationsFrom } from '../support/database.ts'
import { aLoadBalancer, aPool, OCTAVIA } from '../support/octavia.ts'

const target = (port: number) => ({ address: '127.0.0.1', protocol_port: port })
const targets = (count: number) => Array.from({ length: count }, (_, n) => target(n + 1))
const addresses = targets(5).map(({ address, protocol_port: port }) => ({ address, port }))

/** What pools say that they have, and what they have; the ids of pools that disagree. */
async function counts(db: Db): Promise<{ readonly members: number; readonly wrong: readonly string[] }> {
  const rows = await query<{ id: string; counted: number; members: number }>(
    db,
    `select p.id, p.member_count as counted, count(m.id)::int as members
     from pool p left join member m on m.pool_id = p.id group by p.id`,
  )
  return {
    members: rows.reduce((sum, { members }) => sum + members, 0),
    wrong: rows.filter(({ counted, members }) => counted !== members).map(({ id }) => id),
  }
}

test('writes of every kind at once, also refused ones, leave the right count and never wait for each other in a ring', async (t) => {
  const api = await startApi(t, { probesPerSecondPerProject: 100 })
  const balancers = await Promise.all([aLoadBalancer(api), aLoadBalancer(api), aLoadBalancer(api)])
  const pools = await Promise.all(balancers.flatMap(({ id }) => [aPool(api, id), aPool(api, id)]))
  const monitor = { type: 'TCP', delay: 1, timeout: 1, max_retries: 2 }
  const send = async (method: string, path: string, body?: object): Promise<number> =>
    (await api.request(method, `${OCTAVIA}${path}`, body)).status
  const pool = { protocol: 'TCP', lb_algorithm: 'ROUND_ROBIN', members: targets(4), healthmonitor: monitor }
  const tree = {
    vip_subnet_id: SUBNET,
    pools: [
      { ...pool, name: 'a' },
      { ...pool, name: 'b' },
    ],
  }
  const statuses = await Promise.all(
    pools.flatMap(({ id }, n) => [
      send('POST', `/healthmonitors`, { healthmonitor: { pool_id: id, ...monitor } }),
      ...targets(3).map((member) => send('POST', `/pools/${id}/members`, { member })),
      send('PUT', `/pools/${id}/members`, { members: targets(5 + n) }),
      send('PUT', `/pools/${id}/members`, { members: targets(200) }),
      send('PUT', `/pools/${id}/members`, { members: targets(2) }),
      send('POST', `/loadbalancers`, { loadbalancer: tree }),
      ...(n === 0 ? [send('DELETE', `/loadbalancers/${balancers[0]?.id}?cascade=true`)] : []),
    ]),
  )
  const unexpected = statuses.filter((status) => ![201, 202, 204, 403, 404, 409].includes(status))
  assert.deepEqual(unexpected, [])
  const { members, wrong } = await counts(api.db)
  assert.deepEqual(wrong, [])
  assert.ok(members > 0)
  const deadlocks = 'select deadlocks from pg_stat_database where datname = current_database()'
  assert.deepEqual(await query(api.db, deadlocks), [{ deadlocks: 0 }])
  const all = (await api.request('GET', `${OCTAVIA}/loadbalancers`)).body.loadbalancers
  await Promise.all(all.map(({ id }: { id: string }) => send('DELETE', `/loadbalancers/${id}?cascade=true`)))
  assert.deepEqual(await counts(api.db), { members: 0, wrong: [] })
})

test('members of before the migration are counted, and those of a transaction that is undone are not', async (t) => {
  const { db, url } = await testDatabase(t)
  await undoMigrationsFrom(url, '0011-member-count')
  const [{ poolId }, empty] = [await insertPool(db), await insertPool(db)]
  await insertMembers(db, poolId, addresses)
  await withRunner(url, migration.up)
  assert.deepEqual(await counts(db), { members: 5, wrong: [] })
  const undone = transaction(db, async (tx) => {
    await query(tx, 'delete from member where pool_id = $1', [poolId])
    await insertMembers(tx, empty.poolId, addresses)
    throw new Error('undone')
  })
  await assert.rejects(undone, /undone/)
  assert.deepEqual(await counts(db), { members: 5, wrong: [] })
})
