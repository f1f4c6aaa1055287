/**
 * Statuses of pools and load balancers are kept (migration 0019, ADR 24). Whatever is written, in whatever order and at once,
 * what is kept is what a count of the members says.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { shardOf } from '../../src/domain/prober/shard.ts'
import { query, transaction } from '../../src/store/connection/database.ts'
import { checkRollUps } from '../../src/store/status/roll-up.ts'
import { claimShards } from '../../src/store/probing/shards.ts'
import { type Api, startApi } from '../support/api.ts'
import { insertMembers, insertPool } from '../support/configuration.ts'
import { testDatabase, undoMigrationsFrom } from '../support/database.ts'
import { aLoadBalancer, aMonitor, aPool, made, OCTAVIA } from '../support/octavia.ts'
import { seededRandom } from '../support/random.ts'
import { aVerdict, writeAllVerdicts } from '../support/verdicts.ts'
import { MIGRATIONS } from '../../migrations/index.ts'
import * as keptStatuses from '../../migrations/0019-kept-statuses.ts'
import { withRunner } from '../../src/store/connection/migrate.ts'

const NONE = '00000000-0000-0000-0000-000000000000'
const LOAD_BALANCERS = 2
const POOLS = 3
const ROUNDS = 25
const WRITERS = 8
const SOME_OPTIONS = [null, { preset: 'aws' }, { preset: 'envoy' }, { healthy_when: { percent: 50 } }]
const MONITOR = { type: 'TCP', delay: 1, timeout: 1, max_retries: 2 }

interface World {
  readonly api: Api
  readonly owner: string
  readonly loadBalancers: readonly string[]
  readonly pools: readonly string[]
  readonly listeners: readonly string[]
  /** A number below `below`. */
  readonly pick: (below: number) => number
}

test('any interleaving of writes, verdicts and generations leaves the counts of a recount, and no ring of locks', async (t) => {
  const world = await aWorld(t)
  const seen = new Set<string>()
  for (let round = 0; round < ROUNDS; round++) {
    const writes = Array.from({ length: WRITERS }, () => aWrite(world))
    await Promise.all(writes.map(({ run }) => run()))
    const { wrong } = await checkRollUps(world.api.db, NONE, 1_000_000)
    const kept = await query<{ status: string }>(
      world.api.db,
      'select operating_status as status from pool_roll_up',
    )
    for (const { status } of kept) seen.add(status)
    assert.deepEqual(wrong, [], `round ${round}: ${writes.map(({ name }) => name).join(', ')}`)
  }
  assert.ok(seen.size >= 3, `of four statuses there were ${[...seen].join(', ')}`)
  const deadlocks = 'select deadlocks from pg_stat_database where datname = current_database()'
  assert.deepEqual(await query(world.api.db, deadlocks), [{ deadlocks: 0 }])
  await deleteAll(world)
  const left =
    'select (select count(*) from pool_roll_up) + (select count(*) from load_balancer_roll_up) as n'
  assert.deepEqual(await query(world.api.db, left), [{ n: 0 }])
})

async function aWorld(t: TestContext): Promise<World> {
  const api = await startApi(t)
  const pick = seededRandom(t, 'kept-statuses')
  const owner = randomUUID()
  await claimShards(api.db, { owner, count: 256, foreignToo: false })
  const loadBalancers: string[] = []
  const pools: string[] = []
  const listeners: string[] = []
  for (let i = 0; i < LOAD_BALANCERS; i++) {
    const { id } = await aLoadBalancer(api)
    loadBalancers.push(id)
    for (let k = 0; k < POOLS; k++) {
      const pool = await aPool(api, id)
      pools.push(pool.id)
      const attributes = {
        loadbalancer_id: id,
        protocol: 'HTTP',
        protocol_port: 80 + k,
        default_pool_id: pool.id,
      }
      listeners.push((await made(api, 'listeners', attributes)).id)
      for (let port = 1; port <= 4; port++)
        await made(api, `pools/${pool.id}/members`, { address: '127.0.0.1', protocol_port: port })
      await aMonitor(api, pool.id, MONITOR)
    }
  }
  return { api, owner, loadBalancers, pools, listeners, pick }
}

interface Write {
  readonly name: string
  readonly run: () => Promise<unknown>
}

function aWrite(world: World): Write {
  const { api, pick } = world
  const send = (method: string, path: string, body?: object) => api.request(method, `${OCTAVIA}${path}`, body)
  const pool = oneOf(world.pools, pick)
  const up = pick(4) > 0
  const kinds: readonly Write[] = [
    { name: 'verdicts', run: () => someVerdicts(world) },
    { name: 'verdicts', run: () => someVerdicts(world) },
    {
      name: 'load balancer up or down',
      run: () =>
        send('PUT', `/loadbalancers/${oneOf(world.loadBalancers, pick)}`, {
          loadbalancer: { admin_state_up: up },
        }),
    },
    { name: 'pool up or down', run: () => send('PUT', `/pools/${pool}`, { pool: { admin_state_up: up } }) },
    {
      name: 'listener up or down',
      run: () =>
        send('PUT', `/listeners/${oneOf(world.listeners, pick)}`, { listener: { admin_state_up: up } }),
    },
    {
      name: 'listener of another pool, or of none',
      run: () =>
        send('PUT', `/listeners/${oneOf(world.listeners, pick)}`, {
          listener: { default_pool_id: pick(3) > 0 ? pool : null },
        }),
    },
    { name: 'member changed', run: () => changeMember(world, pool, { admin_state_up: up, weight: pick(2) }) },
    {
      name: 'member a backup, or not',
      run: () => changeMember(world, pool, { backup: pick(2) === 0 }),
    },
    {
      name: 'options of the pool',
      run: () => send('PUT', `/pools/${pool}`, { pool: { options: oneOf(SOME_OPTIONS, pick) } }),
    },
    { name: 'member renamed', run: () => changeMember(world, pool, { name: `n${pick(9)}` }) },
    { name: 'member deleted', run: () => changeMember(world, pool, undefined) },
    {
      name: 'member made',
      run: () =>
        send('POST', `/pools/${pool}/members`, {
          member: { address: '127.0.0.1', protocol_port: 1 + pick(9) },
        }),
    },
    {
      name: 'members replaced',
      run: () =>
        send('PUT', `/pools/${pool}/members`, {
          members: ports(1 + pick(6)).map((port) => ({
            address: '127.0.0.1',
            protocol_port: port,
            weight: pick(2),
          })),
        }),
    },
    {
      name: 'monitor made',
      run: () => send('POST', '/healthmonitors', { healthmonitor: { ...MONITOR, pool_id: pool } }),
    },
    { name: 'monitor deleted', run: () => changeMonitor(world, pool, undefined) },
    { name: 'monitor changed', run: () => changeMonitor(world, pool, { admin_state_up: up }) },
    { name: 'monitor of another type', run: () => replaceMonitorType(world, pool) },
  ]
  return oneOf(kinds, pick)
}

const ports = (count: number) => Array.from({ length: count }, (_, i) => i + 1)

function oneOf<Item>(items: readonly Item[], pick: World['pick']): Item {
  const item = items[pick(items.length)]
  if (item === undefined) throw new Error('there is nothing to pick from')
  return item
}

/** Verdicts of some members of all pools, at their generations or at older ones, as two probers would write them. */
async function someVerdicts({ api, owner, pick }: World): Promise<void> {
  const rows = await query<{ id: string; pool_id: string; generation: number }>(
    api.db,
    'select id, pool_id, check_generation as generation from member_detail order by id',
  )
  const chosen = rows.filter(() => pick(2) === 0)
  const verdicts = chosen.map(({ id, pool_id, generation }) =>
    aVerdict(id, shardOf(pool_id), ++sequence, {
      status: pick(3) === 0 ? 'OFFLINE' : 'ONLINE',
      generation: pick(5) === 0 ? generation - 1 : generation,
      transitions: [],
    }),
  )
  await writeAllVerdicts(api.db, owner, verdicts)
}
let sequence = 0

async function changeMember({ api, pick }: World, pool: string, change: object | undefined): Promise<void> {
  const { body } = await api.request('GET', `${OCTAVIA}/pools/${pool}/members`)
  if (body.members.length === 0) return
  const path = `${OCTAVIA}/pools/${pool}/members/${oneOf<{ id: string }>(body.members, pick).id}`
  await (change === undefined ? api.request('DELETE', path) : api.request('PUT', path, { member: change }))
}

async function changeMonitor({ api }: World, pool: string, change: object | undefined): Promise<void> {
  const { body } = await api.request('GET', `${OCTAVIA}/pools/${pool}`)
  if (body.pool.healthmonitor_id === null) return
  const path = `${OCTAVIA}/healthmonitors/${body.pool.healthmonitor_id}`
  await (change === undefined
    ? api.request('DELETE', path)
    : api.request('PUT', path, { healthmonitor: change }))
}

/** Old verdicts stay published until there are newer ones. */
async function replaceMonitorType({ api }: World, pool: string): Promise<void> {
  const { body } = await api.request('GET', `/elb/v2.0/lbaas/pools/${pool}`)
  if (body.pool.healthmonitor_id === null) return
  const path = `/elb/v2.0/lbaas/healthmonitors/${body.pool.healthmonitor_id}`
  await api.request('PUT', path, { healthmonitor: { type: 'HTTP', url_path: `/${sequence}` } })
}

async function deleteAll({ api, loadBalancers }: World): Promise<void> {
  for (const id of loadBalancers) {
    const answer = await api.request('DELETE', `${OCTAVIA}/loadbalancers/${id}?cascade=true`)
    assert.equal(answer.status, 204)
  }
}

test('what is wrong all the same is found, counted again and named', async (t) => {
  const { db } = await testDatabase(t)
  const [good, pool, balancer] = [await insertPool(db), await insertPool(db), await insertPool(db)]
  await query(db, 'update pool_roll_up set online = online + 1 where pool_id = $1', [pool.poolId])
  const worse = `update load_balancer_roll_up set operating_status = 'ERROR' where load_balancer_id = $1`
  await query(db, worse, [balancer.loadBalancerId])
  const ids = [good, pool, balancer].map(({ loadBalancerId }) => loadBalancerId).toSorted()
  const expected = [pool.loadBalancerId, balancer.loadBalancerId].toSorted()
  const first = await checkRollUps(db, NONE, 1_000_000)
  assert.deepEqual([first.wrong, first.last], [expected, ids.at(-1)])
  assert.deepEqual(await checkRollUps(db, NONE, 1_000_000), { wrong: [], last: ids.at(-1) })
  assert.deepEqual(await checkRollUps(db, ids.at(-1) ?? '', 1_000_000), { wrong: [], last: undefined })
})

test('a step of the check reads about as many members as it may, and at least one load balancer', async (t) => {
  const { db } = await testDatabase(t)
  const pools = [await insertPool(db), await insertPool(db), await insertPool(db)]
  for (const { poolId } of pools) {
    await insertMembers(
      db,
      poolId,
      ports(5).map((port) => ({ address: '127.0.0.1', port })),
    )
  }
  const ids = pools.map(({ loadBalancerId }) => loadBalancerId).toSorted()
  assert.equal((await checkRollUps(db, NONE, 1)).last, ids[0])
  assert.equal((await checkRollUps(db, ids[0] ?? '', 8)).last, ids[2])
})

test('a transaction that is undone leaves what was kept', async (t) => {
  const { db } = await testDatabase(t)
  const { poolId } = await insertPool(db)
  const kept = () => query(db, 'select * from pool_roll_up')
  const before = await kept()
  const undone = transaction(db, async (tx) => {
    await insertMembers(tx, poolId, [{ address: '127.0.0.1', port: 1 }])
    throw new Error('undone')
  })
  await assert.rejects(undone, /undone/)
  assert.deepEqual(await kept(), before)
})

test('what was there before the migration is counted by it', async (t) => {
  const { db, url } = await testDatabase(t)
  await undoMigrationsFrom(url, '0019-kept-statuses')
  const { poolId } = await insertPool(db)
  await insertMembers(
    db,
    poolId,
    ports(3).map((port) => ({ address: '127.0.0.1', port })),
  )
  await withRunner(url, keptStatuses.up)
  const kept = await query(db, 'select pool_id, members, no_monitor, unknown, pending from pool_roll_up')
  assert.deepEqual(kept, [{ pool_id: poolId, members: 3, no_monitor: 0, unknown: 3, pending: 3 }])
  const later = MIGRATIONS.slice(MIGRATIONS.findIndex(({ name }) => name === '0019-kept-statuses') + 1)
  for (const { up } of later) await withRunner(url, async (runner) => await up(runner))
  assert.deepEqual((await checkRollUps(db, NONE, 1_000_000)).wrong, [])
})
