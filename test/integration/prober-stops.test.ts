/** What is deleted or switched off through the API is probed no more, and what is switched on again is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { loadPools } from '../../src/store/probing/checks.ts'
import { type Api, startApi } from '../support/api.ts'
import { aLoadBalancer, aMonitor, aPool, created, SUBNET, wrapped } from '../support/api-objects.ts'
import { eventually, insertMembers, insertPool } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import { testProber } from '../support/prober.ts'
import { writeVerdict } from '../support/pool-api.ts'
import { startTargets, type Target } from '../support/targets.ts'

interface Farm {
  readonly loadBalancer: string
  readonly pool: string
  readonly member: string
  readonly monitor: string
  readonly target: Target
}

/** A load balancer of its own for each way to stop, so that one write stops one check. */
async function farm(api: Api, target: Target): Promise<Farm> {
  const { id: loadBalancer } = await aLoadBalancer(api)
  const { id: pool } = await aPool(api, loadBalancer)
  const address = { address: target.address, protocol_port: target.port, subnet_id: SUBNET }
  const { id: member } = await created(api, `pools/${pool}/members`, address)
  const { id: monitor } = await aMonitor(api, pool, { delay: 1, timeout: 1 })
  return { loadBalancer, pool, member, monitor, target }
}

type Write = (of: Farm) => readonly [method: string, path: string, body?: unknown]

const off = (collection: string) => wrapped(collection, { admin_state_up: false })
const on = (collection: string) => wrapped(collection, { admin_state_up: true })

const SWITCHES: Readonly<Record<string, { readonly path: (of: Farm) => string; readonly kind: string }>> = {
  'load balancer': {
    path: ({ loadBalancer }) => `/elb/v2.0/lbaas/loadbalancers/${loadBalancer}`,
    kind: 'loadbalancers',
  },
  pool: { path: ({ pool }) => `/elb/v2.0/lbaas/pools/${pool}`, kind: 'pools' },
  member: { path: ({ pool, member }) => `/elb/v2.0/lbaas/pools/${pool}/members/${member}`, kind: 'members' },
  monitor: { path: ({ monitor }) => `/elb/v2.0/lbaas/healthmonitors/${monitor}`, kind: 'healthmonitors' },
}

const STOPS: Readonly<Record<string, Write>> = {
  ...Object.fromEntries(
    Object.entries(SWITCHES).map(([name, { path, kind }]): [string, Write] => [
      `${name} off`,
      (of) => ['PUT', path(of), off(kind)],
    ]),
  ),
  'pool deleted': ({ pool }) => ['DELETE', `/load-balancer/v2.0/lbaas/pools/${pool}`],
  'load balancer deleted': ({ loadBalancer }) => [
    'DELETE',
    `/load-balancer/v2.0/lbaas/loadbalancers/${loadBalancer}?cascade=true`,
  ],
  'member deleted': ({ pool, member }) => ['DELETE', `/elb/v2.0/lbaas/pools/${pool}/members/${member}`],
  'monitor deleted': ({ monitor }) => ['DELETE', `/elb/v2.0/lbaas/healthmonitors/${monitor}`],
  'batch without the member': ({ pool }) => ['PUT', `/elb/v2.0/lbaas/pools/${pool}/members`, { members: [] }],
}

/** Waits until this target is probed `count` times more. */
async function probed(target: Target, count: number): Promise<void> {
  const before = target.probedAt.length
  await eventually(`${count} more probes`, () => target.probedAt.length >= before + count, 30_000)
}

test('no deleted and no switched-off pool, load balancer, member or monitor is probed, others are, and on again is again', async (t) => {
  const database = await testDatabase(t)
  const api = await startApi(t, { db: database.db })
  const [stays, ...targets] = await startTargets(t, Object.keys(STOPS).length + 1)
  assert.ok(stays)
  const untouched = await farm(api, stays)
  const farms = new Map<string, Farm>()
  for (const [i, name] of Object.keys(STOPS).entries()) {
    farms.set(name, await farm(api, targets[i] ?? assert.fail()))
  }
  testProber(database)
  await Promise.all([...farms.values(), untouched].map(({ target }) => probed(target, 2)))
  for (const [name, of] of farms) {
    const write = STOPS[name] ?? assert.fail()
    const answer = await api.request(...write(of))
    assert.ok(answer.status < 300, `${name}: ${JSON.stringify(answer.body)}`)
  }
  // A change arrives within the poll of a second; what goes on is probed once a second meanwhile.
  await probed(stays, 4)
  const counts = () => [...farms].map(([name, { target }]) => `${name}: ${target.probedAt.length}`)
  const before = counts()
  await probed(stays, 4)
  assert.deepEqual(counts(), before)
  for (const [name, { path, kind }] of Object.entries(SWITCHES)) {
    const of = farms.get(`${name} off`) ?? assert.fail()
    assert.equal((await api.request('PUT', path(of), on(kind))).status, 200, name)
    await probed(of.target, 1)
  }
})

test('what is read to be probed has nothing of what is switched off, and no pool that is gone', async (t) => {
  const { db } = await testDatabase(t)
  const { poolId, loadBalancerId, monitorId } = await insertPool(db)
  const [first = '', second = ''] = await insertMembers(db, poolId, [
    { address: '127.0.0.1', port: 1 },
    { address: '127.0.0.1', port: 2 },
  ])
  const loaded = async () => {
    const [pool, ...others] = await loadPools(db, [poolId])
    assert.equal(others.length, 0)
    return pool?.checks.map(({ config }) => config.memberId).toSorted()
  }
  const both = [first, second].toSorted()
  assert.deepEqual(await loaded(), both)
  const switches: readonly (readonly [table: string, id: string, left: readonly string[]])[] = [
    ['load_balancer', loadBalancerId, []],
    ['pool', poolId, []],
    ['health_monitor', monitorId, []],
    ['member', first, [second]],
  ]
  for (const [table, id, left] of switches) {
    await query(db, `update ${table} set admin_state_up = false where id = $1`, [id])
    assert.deepEqual(await loaded(), left, `${table} off`)
    await query(db, `update ${table} set admin_state_up = true where id = $1`, [id])
    assert.deepEqual(await loaded(), both, `${table} on`)
  }
  await query(db, 'delete from health_monitor where id = $1', [monitorId])
  assert.deepEqual(await loaded(), [], 'without a monitor')
  await query(db, 'delete from member where pool_id = $1', [poolId])
  await query(db, 'delete from pool where id = $1', [poolId])
  assert.equal(await loaded(), undefined, 'a pool that is gone is not in the answer')
})

test('a verdict of an older generation is loaded as what is published until something is switched on, whichever object it is', async (t) => {
  const { db } = await testDatabase(t)
  const { poolId, loadBalancerId, monitorId } = await insertPool(db)
  const [member = ''] = await insertMembers(db, poolId, [{ address: '127.0.0.1', port: 1 }])
  const loaded = async () => (await loadPools(db, [poolId]))[0]?.checks[0]
  const objects = [
    ['load_balancer', loadBalancerId],
    ['pool', poolId],
    ['health_monitor', monitorId],
    ['member', member],
  ] as const
  for (const [table, id] of objects) {
    await writeVerdict(db, member, { status: 'OFFLINE' })
    const before = await loaded()
    assert.equal(before?.verdict?.status, 'OFFLINE', 'the present generation is believed')
    await query(db, `update ${table} set generation = nextval('check_generation') where id = $1`, [id])
    const after = await loaded()
    assert.ok(after && after.config.generation > before.config.generation, table)
    assert.equal(
      after.verdict?.generation,
      before.config.generation,
      `${table}: it is not of the present check`,
    )
    assert.ok(after.config.publishedFrom <= before.config.generation, table)
    await query(db, `update ${table} set admin_state_up = false where id = $1`, [id])
    await query(
      db,
      `update ${table} set admin_state_up = true, generation = nextval('check_generation') where id = $1`,
      [id],
    )
    const again = await loaded()
    assert.equal(again?.config.publishedFrom, again?.config.generation, table)
    assert.equal(again?.verdict, undefined, `${table}: switched on again`)
  }
})
