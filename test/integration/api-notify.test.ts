/** What the API writes reaches probers at once: the notification names the shard, comes after the commit and not without. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shardOf } from '../../src/domain/prober/shard.ts'
import { CONFIG_CHANNEL } from '../../src/store/probing/config-channel.ts'
import { query, transaction } from '../../src/store/connection/database.ts'
import { listen } from '../../src/store/connection/listen.ts'
import { touchLoadBalancer, touchPools } from '../../src/store/configuration/parents.ts'
import { type Api, type Json, startApi } from '../support/api.ts'
import { aLoadBalancer, aMonitor, aPool, created, SUBNET, wrapped } from '../support/api-objects.ts'
import { insertPool, eventually } from '../support/configuration.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'
import { configVersion } from '../support/pool-api.ts'

/** Listens as a prober does; `told()` gives what has been notified since it was asked last. */
async function listening(database: TestDatabase) {
  const { url, db } = database
  const payloads: string[] = []
  const connection = await listen(
    { url, applicationName: 'listener', channel: CONFIG_CHANNEL },
    (payload) => void payloads.push(payload),
    () => undefined,
  )
  database.beforeDrop(() => connection.end())
  let asked = 0
  /** Notifications are sent in their order, by one at a time: after one of ours, all before it are here. */
  const told = async (): Promise<readonly string[]> => {
    const mark = `mark ${++asked}`
    db.notices.tell([{ channel: CONFIG_CHANNEL, payload: mark }])
    await eventually('the mark arrives', () => payloads.includes(mark))
    return payloads.splice(0).filter((payload) => payload !== mark)
  }
  return told
}

type Request = readonly [method: string, path: string, body?: unknown]

test('every write that changes what is probed raises the version of its pool and notifies the shard, once', async (t) => {
  const database = await testDatabase(t)
  const api = await startApi(t, { db: database.db })
  const told = await listening(database)
  const { id: loadBalancer } = await aLoadBalancer(api)
  const { id: pool } = await aPool(api, loadBalancer)
  const shard = String(shardOf(pool))
  const send = async (...[method, path, body]: Request): Promise<Json> => {
    await told()
    const version = await configVersion(api.db, pool)
    const answer = await api.request(method, `/elb/v2.0/lbaas${path}`, body)
    assert.ok(answer.status < 300, `${method} ${path}: ${JSON.stringify(answer.body)}`)
    const name = `${method} ${path} ${JSON.stringify(body)}`
    assert.deepEqual(await told(), [shard], name)
    assert.ok((await configVersion(api.db, pool)) > version, name)
    return answer.body === undefined ? undefined : Object.values(answer.body as object)[0]
  }
  const target = { address: '127.0.0.1', protocol_port: 1, subnet_id: SUBNET }
  const { id: member } = await send('POST', `/pools/${pool}/members`, wrapped('members', target))
  const { id: monitor } = await send(
    'POST',
    '/healthmonitors',
    wrapped('healthmonitors', { pool_id: pool, type: 'TCP', delay: 5, timeout: 3, max_retries: 2 }),
  )
  await send('PUT', `/healthmonitors/${monitor}`, wrapped('healthmonitors', { delay: 6 }))
  for (const object of [`pools/${pool}`, `pools/${pool}/members/${member}`, `healthmonitors/${monitor}`]) {
    await send('PUT', `/${object}/maintenance`, { maintenance: {} })
    await send('DELETE', `/${object}/maintenance`)
    const [kind = ''] = object.split('/').slice(-2)
    for (const isUp of [false, true]) await send('PUT', `/${object}`, wrapped(kind, { admin_state_up: isUp }))
  }
  for (const isUp of [false, true]) {
    await send('PUT', `/loadbalancers/${loadBalancer}`, wrapped('loadbalancers', { admin_state_up: isUp }))
  }
  const another = { ...target, protocol_port: 2 }
  await send('PUT', `/pools/${pool}/members`, { action: 'add', members: [another] })
  await send('PUT', `/pools/${pool}/members`, { action: 'delete', members: [{ id: member }] })
  await send('PUT', `/pools/${pool}/members`, { members: [target] })
  await send('DELETE', `/healthmonitors/${monitor}`)
})

test('a pool that is deleted, and one that comes in one body with its load balancer, are notified', async (t) => {
  const database = await testDatabase(t)
  const api = await startApi(t, { db: database.db })
  const told = await listening(database)
  const octavia = (method: string, path: string, body?: unknown) =>
    api.request(method, `/load-balancer/v2.0/lbaas${path}`, body)
  const pool = await withChecks(api)
  await told()
  assert.equal((await octavia('DELETE', `/pools/${pool}`)).status, 204)
  assert.ok((await told()).includes(String(shardOf(pool))))
  const tree = {
    loadbalancer: {
      vip_subnet_id: SUBNET,
      pools: [
        {
          name: 'p',
          protocol: 'HTTP',
          lb_algorithm: 'ROUND_ROBIN',
          members: [{ address: '127.0.0.1', protocol_port: 1 }],
          healthmonitor: { type: 'TCP', delay: 5, timeout: 3, max_retries: 2 },
        },
      ],
    },
  }
  const made = await octavia('POST', '/loadbalancers', tree)
  assert.equal(made.status, 201, JSON.stringify(made.body))
  const [{ id }] = made.body.loadbalancer.pools
  assert.deepEqual(await told(), [String(shardOf(id))])
})

async function withChecks(api: Api): Promise<string> {
  const { id: loadBalancer } = await aLoadBalancer(api)
  const { id: pool } = await aPool(api, loadBalancer)
  await created(api, `pools/${pool}/members`, { address: '127.0.0.1', protocol_port: 1, subnet_id: SUBNET })
  await aMonitor(api, pool)
  return pool
}

test('what changes no check disturbs no prober: names, descriptions and listeners', async (t) => {
  const database = await testDatabase(t)
  const api = await startApi(t, { db: database.db })
  const told = await listening(database)
  const pool = await withChecks(api)
  const [member] = (await api.request('GET', `/v2.0/lbaas/pools/${pool}/members`)).body.members
  const version = await configVersion(api.db, pool)
  await told()
  for (const [path, kind] of [
    [`pools/${pool}`, 'pools'],
    [`pools/${pool}/members/${member.id}`, 'members'],
  ] as const) {
    const answer = await api.request('PUT', `/v2.0/lbaas/${path}`, wrapped(kind, { name: 'another' }))
    assert.equal(answer.status, 200)
  }
  assert.deepEqual(await told(), [])
  assert.equal(await configVersion(api.db, pool), version)
})

test('a notification comes after the commit, never before and never without', async (t) => {
  const database = await testDatabase(t)
  const { db } = database
  const told = await listening(database)
  const { poolId, loadBalancerId, shard } = await insertPool(db)
  for (const touch of [
    (tx: Parameters<typeof touchPools>[0]) => touchPools(tx, [poolId]),
    (tx: Parameters<typeof touchPools>[0]) => touchLoadBalancer(tx, loadBalancerId),
  ]) {
    await told()
    await transaction(db, async (tx) => {
      await touch(tx)
      assert.deepEqual(await told(), [], 'not before the commit')
    })
    assert.deepEqual(await told(), [String(shard)])
    const undone = transaction(db, async (tx) => {
      await touch(tx)
      throw new Error('undone')
    })
    await assert.rejects(undone, /undone/)
    assert.deepEqual(await told(), [])
  }
})

test('many pools of one shard give one notification, and pools of other load balancers none', async (t) => {
  const database = await testDatabase(t)
  const { db } = database
  const told = await listening(database)
  const [first, second] = [await insertPool(db), await insertPool(db)]
  await query(db, 'update pool set load_balancer_id = $1, shard = $2 where id = $3', [
    first.loadBalancerId,
    first.shard,
    second.poolId,
  ])
  const other = await insertPool(db)
  const untouched = await configVersion(db, other.poolId)
  await told()
  await transaction(db, (tx) => touchLoadBalancer(tx, first.loadBalancerId))
  assert.deepEqual(await told(), [String(first.shard)])
  await transaction(db, (tx) => touchPools(tx, [first.poolId, second.poolId]))
  assert.deepEqual(await told(), [String(first.shard)])
  await transaction(db, (tx) => touchPools(tx, []))
  assert.deepEqual(await told(), [])
  assert.equal(await configVersion(db, other.poolId), untouched)
})
