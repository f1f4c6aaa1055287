/** Pools that a door keeps: written by their difference, shown where every pool is shown, and unknown to LBaaS. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { keepDoorPools, lockDoorScope } from '../../src/api/write/door-pools.ts'
import type { ApiDependencies } from '../../src/api/http/context.ts'
import type { DoorPool } from '../../src/domain/door/door-pool.ts'
import { type Database, query, transaction } from '../../src/store/connection/database.ts'
import { deleteScope } from '../../src/store/door/scopes.ts'
import { type Api, startApi, UNLIMITED } from '../support/api.ts'
import { doorMember, doorMonitor, doorPool } from '../support/door-pools.ts'
import { sequenceAllEvents } from '../support/sequence.ts'

const PROJECT = 'default-project'
const SCOPE = { projectId: PROJECT, door: 'somewhere', key: 'zone-1' }
const DEPENDENCIES = {
  settings: { quotas: UNLIMITED },
  targetPolicy: () => undefined,
} as unknown as ApiDependencies

/** What a door would do with a request. */
async function keep(
  db: Database,
  wanted: readonly DoorPool[],
  { keys, deps = DEPENDENCIES }: { readonly keys?: readonly string[]; readonly deps?: ApiDependencies } = {},
) {
  return await transaction(
    db,
    async (tx) => {
      const scope = await lockDoorScope(tx, SCOPE)
      return await keepDoorPools(tx, deps, { scope, wanted, ...(keys === undefined ? {} : { keys }) })
    },
    { settings: { 'healthmonitor.request': '{"request_id":"req-1"}', 'healthmonitor.tells': 'on' } },
  )
}

interface StoredRow {
  readonly kind: string
  readonly key: string
  readonly id: string
  readonly xmin: string
  readonly version: number | null
  readonly generation: number
}

/** Every row of the door, with what PostgreSQL says of its last write. */
async function rows(db: Database): Promise<readonly StoredRow[]> {
  return await query<StoredRow>(
    db,
    `select 'pool' as kind, door_key as key, id, xmin::text, config_version as version, generation from pool
     union all select 'monitor', p.door_key, m.id, m.xmin::text, null, m.generation
       from health_monitor m join pool p on p.id = m.pool_id
     union all select 'member', p.door_key || ' ' || m.protocol_port, m.id, m.xmin::text, null, m.generation
       from member m join pool p on p.id = m.pool_id
     order by 1, 2`,
  )
}

const named = (found: readonly StoredRow[], kind: string, key: string): StoredRow =>
  found.find((row) => row.kind === kind && row.key === key) ?? assert.fail(`${kind} ${key}`)

const PATHS = { elb: '/elb/v2.0/lbaas', octavia: '/load-balancer/v2.0/lbaas' }

async function withPools(t: TestContext): Promise<Api> {
  const api = await startApi(t)
  await keep(api.db, [doorPool('a'), doorPool('b')])
  return api
}

test('a write that changes nothing writes nothing', async (t) => {
  const { db } = await withPools(t)
  const before = await rows(db)
  assert.equal(before.length, 8)
  const changes = await keep(db, [doorPool('a'), doorPool('b')])
  assert.deepEqual(changes, { added: [], changed: [], gone: [] })
  assert.deepEqual(await rows(db), before)
})

test('a change of one pool leaves the rows and versions of the others alone', async (t) => {
  const { db } = await withPools(t)
  const before = await rows(db)
  await keep(db, [doorPool('a'), doorPool('b', { members: [doorMember(1001), doorMember(1003)] })])
  const after = await rows(db)
  const untouched = (found: readonly StoredRow[]) =>
    found.filter(({ key }) => key.startsWith('a') || key === 'b 1001')
  assert.deepEqual(untouched(after), untouched(before))
  assert.ok((named(after, 'pool', 'b').version ?? 0) > (named(before, 'pool', 'b').version ?? 0))
  assert.equal(named(after, 'pool', 'b').id, named(before, 'pool', 'b').id)
  assert.equal(named(after, 'member', 'b 1003').kind, 'member')
  assert.ok(!after.some(({ key }) => key === 'b 1002'))
})

test('only the named keys are looked at: the rest of the scope stays', async (t) => {
  const { db } = await withPools(t)
  await keep(db, [], { keys: ['b'] })
  assert.deepEqual(
    (await rows(db)).filter(({ kind }) => kind === 'pool').map(({ key }) => key),
    ['a'],
  )
})

test('monitors change in place; another type is a new generation, another interval is not', async (t) => {
  const { db } = await withPools(t)
  const first = named(await rows(db), 'monitor', 'a')
  await keep(db, [doorPool('a', { monitor: doorMonitor({ delaySeconds: 7 }) })], { keys: ['a'] })
  const second = named(await rows(db), 'monitor', 'a')
  assert.deepEqual([second.id, second.generation], [first.id, first.generation])
  assert.notEqual(second.xmin, first.xmin)
  await keep(db, [doorPool('a', { monitor: doorMonitor({ type: 'HTTP', options: { preset: 'envoy' } }) })], {
    keys: ['a'],
  })
  const third = named(await rows(db), 'monitor', 'a')
  assert.equal(third.id, first.id)
  assert.ok(third.generation > first.generation)
  await keep(db, [doorPool('a', { monitor: null })], { keys: ['a'] })
  assert.ok(!(await rows(db)).some(({ kind, key }) => kind === 'monitor' && key === 'a'))
})

test('no LBaaS dialect shows, counts or changes what a door keeps', async (t) => {
  const api = await withPools(t)
  const found = await rows(api.db)
  const pool = named(found, 'pool', 'a').id
  const monitor = named(found, 'monitor', 'a').id
  const member = named(found, 'member', 'a 1001').id
  const [parent] = await query<{ id: string }>(api.db, 'select id from load_balancer')
  assert.ok(parent)
  const before = await rows(api.db)
  for (const base of Object.values(PATHS)) {
    for (const [list, name] of [
      ['loadbalancers', 'loadbalancers'],
      ['pools', 'pools'],
      ['healthmonitors', 'healthmonitors'],
      ['transitions', 'transitions'],
    ] as const) {
      assert.deepEqual((await api.request('GET', `${base}/${list}`)).body[name], [], `${base}/${list}`)
    }
    const members = `pools/${pool}/members`
    const asked: readonly (readonly [string, string, unknown?])[] = [
      ['GET', `loadbalancers/${parent.id}`],
      ['GET', `loadbalancers/${parent.id}/statuses`],
      ['PUT', `loadbalancers/${parent.id}`, { loadbalancer: { name: 'mine' } }],
      ['DELETE', `loadbalancers/${parent.id}`],
      ['GET', `pools/${pool}`],
      ['PUT', `pools/${pool}`, { pool: { name: 'mine' } }],
      ['DELETE', `pools/${pool}`],
      ['GET', `pools/${pool}/health`],
      ['GET', `pools/${pool}/effective-members`],
      ['GET', `pools/${pool}/transitions`],
      ['POST', `pools/${pool}/traffic`],
      ['GET', `pools/${pool}/maintenance`],
      ['PUT', `pools/${pool}/maintenance`, { maintenance: {} }],
      ['GET', members],
      ['PUT', members, { members: [] }],
      ['GET', `${members}/${member}`],
      ['PUT', `${members}/${member}`, { member: { name: 'mine' } }],
      ['DELETE', `${members}/${member}`],
      ['GET', `${members}/${member}/health`],
      ['GET', `${members}/${member}/transitions`],
      ['POST', `${members}/${member}/probe`],
      ['GET', `${members}/${member}/maintenance`],
      ['PUT', `${members}/${member}/maintenance`, { maintenance: {} }],
      ['GET', `healthmonitors/${monitor}`],
      ['PUT', `healthmonitors/${monitor}`, { healthmonitor: { delay: 9 } }],
      ['DELETE', `healthmonitors/${monitor}`],
      ['GET', `healthmonitors/${monitor}/plan`],
      ['PUT', `healthmonitors/${monitor}/maintenance`, { maintenance: {} }],
    ]
    for (const [method, path, body] of asked) {
      const { status } = await api.request(method, `${base}/${path}`, body)
      assert.equal(status, 404, `${method} ${base}/${path}`)
    }
  }
  assert.deepEqual((await api.request('GET', `${PATHS.elb}/members`)).body.members, [])
  const tags = `/elb/v2.0/${PROJECT}/loadbalancers/${parent.id}/tags`
  assert.equal((await api.request('GET', tags)).status, 404)
  assert.deepEqual(await rows(api.db), before)
})

test('quotas hold: pools, members and monitors count, what holds them together does not', async (t) => {
  const api = await withPools(t)
  const deps = (quotas: object) =>
    ({ ...DEPENDENCIES, settings: { quotas: { ...UNLIMITED, ...quotas } } }) as unknown as ApiDependencies
  const wanted = [doorPool('a'), doorPool('b'), doorPool('c')]
  for (const quota of [{ pool: 2 }, { member: 5 }, { healthmonitor: 2 }])
    await assert.rejects(keep(api.db, wanted, { deps: deps(quota) }), { code: 'QUOTA_EXCEEDED' })
  await keep(api.db, wanted, { deps: deps({ loadbalancer: 0, pool: 3, member: 6, healthmonitor: 3 }) })
  // What goes makes room in the same write.
  await keep(api.db, [doorPool('a'), doorPool('b'), doorPool('d')], {
    deps: deps({ pool: 3, member: 6, healthmonitor: 3 }),
  })
})

test('a forbidden target is refused, and nothing is written', async (t) => {
  const { db } = await withPools(t)
  const before = await rows(db)
  const deps = {
    ...DEPENDENCIES,
    targetPolicy: (address: string, port: number) =>
      address === '127.0.0.1' && port === 4444 ? 'it is not allowed' : undefined,
  } as unknown as ApiDependencies
  for (const members of [[doorMember(4444)], [doorMember(1, { monitorPort: 4444 })]])
    await assert.rejects(keep(db, [doorPool('a', { members })], { keys: ['a'], deps }), {
      code: 'TARGET_DENIED',
    })
  const monitor = doorMonitor({ monitorPort: 4444 })
  await assert.rejects(keep(db, [doorPool('a', { monitor })], { keys: ['a'], deps }), {
    code: 'TARGET_DENIED',
  })
  assert.deepEqual(await rows(db), before)
})

test('members that were allowed when they came leave one by one after the policy was tightened', async (t) => {
  const { db } = await withPools(t)
  const keepA = (ports: readonly number[], targetPolicy: ApiDependencies['targetPolicy']) =>
    keep(db, [doorPool('a', { members: ports.map((port) => doorMember(port)) })], {
      keys: ['a'],
      deps: { ...DEPENDENCIES, targetPolicy },
    })
  await keepA([1001, 1002, 1003], () => undefined)
  const closed = () => 'it is not allowed'
  await keepA([1001, 1003], closed)
  await assert.rejects(keepA([1001, 1003, 1004], closed), { code: 'TARGET_DENIED' })
  await keepA([1003], closed)
  const left = await query(
    db,
    `select m.protocol_port as port from member m join pool p on p.id = m.pool_id where p.door_key = 'a'`,
  )
  assert.deepEqual(left, [{ port: 1003 }])
})

test('the overview shows a pool with its door, and needs no listener for it to be in service', async (t) => {
  const api = await withPools(t)
  const { body } = await api.request('GET', '/v1/overview/pools')
  assert.deepEqual(
    body.pools.map(({ name, loadbalancer, door, in_service }: Record<string, unknown>) => ({
      name,
      loadbalancer,
      door,
      in_service,
    })),
    ['a', 'b'].map((key) => ({
      name: key,
      loadbalancer: null,
      door: { name: 'somewhere', scope: 'zone-1', key },
      in_service: true,
    })),
  )
  const overview = (await api.request('GET', '/v1/overview')).body
  assert.deepEqual(overview.loadbalancers, {})
  assert.equal(overview.members.total, 4)
  assert.deepEqual((await api.request('GET', '/v1/overview/loadbalancers')).body.loadbalancers, [])
  const [parent] = await query<{ id: string }>(api.db, 'select id from load_balancer')
  assert.equal((await api.request('GET', `/v1/overview/loadbalancers/${parent?.id}`)).status, 404)
  assert.deepEqual(
    (await api.request('GET', `/v1/overview/pools?loadbalancer_id=${parent?.id}`)).body.pools,
    [],
  )
})

test('health and plan of what a door keeps are on the neutral paths', async (t) => {
  const api = await withPools(t)
  const found = await rows(api.db)
  const pool = named(found, 'pool', 'a').id
  const member = named(found, 'member', 'a 1001').id
  const shown = await api.request('GET', `/v1/overview/pools/${pool}/members`)
  assert.deepEqual(
    shown.body.members.map(({ status, pending }: Record<string, unknown>) => [status, pending]),
    [
      ['UNKNOWN', true],
      ['UNKNOWN', true],
    ],
  )
  assert.equal((await api.request('GET', `/v1/overview/members/${member}`)).body.member.pool.id, pool)
  for (const path of [`/v1/overview/pools/${pool}`, `/v1/overview/members/${member}`]) {
    const { body } = await api.request('GET', `${path}?wait_for=ONLINE&timeout=1`)
    assert.deepEqual([body.wait.for, body.wait.reached], ['ONLINE', false])
    assert.equal((await api.request('GET', `${path}?wait_for=GREEN`)).status, 400)
  }
  const plan = await api.request('GET', `/v1/healthmonitors/${named(found, 'monitor', 'a').id}/plan`)
  assert.equal(plan.status, 200)
  assert.equal(plan.body.plan.members, 2)
  const { body } = await api.request('GET', `/v1/pools/${pool}/effective-members`)
  const { traffic, rule, members } = body.effective_members
  assert.deepEqual([traffic, rule], ['too_few', null])
  assert.deepEqual(
    members.map(({ receives, reason }: Record<string, unknown>) => [receives, reason]),
    [
      [false, 'not_judged_yet'],
      [false, 'not_judged_yet'],
    ],
  )
})

test('the history of what a door keeps is on the neutral path, page by page, also after it is gone', async (t) => {
  const api = await withPools(t)
  const found = await rows(api.db)
  const member = named(found, 'member', 'a 1001').id
  const pool = named(found, 'pool', 'a').id
  await query(
    api.db,
    `insert into member_transition (member_id, pool_id, project_id, generation, epoch, sequence, at, from_state, to_state, reason)
     select $1, $2, $3, 1, 1, n, now(), case when n = 1 then 'UNKNOWN' when n % 2 = 0 then 'ONLINE' else 'OFFLINE' end,
       case when n % 2 = 0 then 'OFFLINE' else 'ONLINE' end, 'PASSED' from generate_series(1, 5) n`,
    [member, pool, PROJECT],
  )
  const path = `/v1/overview/members/${member}/transitions`
  const seen: string[] = []
  let marker: string | null = ''
  while (marker !== null) {
    const { status, body } = await api.request('GET', `${path}?limit=2${marker && `&marker=${marker}`}`)
    assert.equal(status, 200, JSON.stringify(body))
    seen.push(...body.transitions.map(({ to }: { to: string }) => to))
    marker = body.next
  }
  assert.deepEqual(seen, ['ONLINE', 'OFFLINE', 'ONLINE', 'OFFLINE', 'ONLINE'])
  for (const wrong of ['limit=0', 'limit=101', 'marker=x', 'marker=999999', 'sort=at'])
    assert.equal((await api.request('GET', `${path}?${wrong}`)).status, 400, wrong)
  assert.equal((await api.request('GET', path, undefined, { 'x-project-id': 'another' })).status, 404)
  await keep(api.db, [])
  assert.equal((await api.request('GET', path)).body.transitions.length, 5)
  const unknown = '/v1/overview/members/0d8ea4c5-6a1b-4d63-8d62-0dd1e26e5b1f/transitions'
  assert.equal((await api.request('GET', unknown)).status, 404)
})

test('maintenance and a probe of what a door keeps are on the neutral paths too', async (t) => {
  const api = await withPools(t)
  const found = await rows(api.db)
  const pool = named(found, 'pool', 'a').id
  const member = named(found, 'member', 'a 1001').id
  const monitor = named(found, 'monitor', 'a').id
  for (const path of [`pools/${pool}`, `pools/${pool}/members/${member}`, `healthmonitors/${monitor}`]) {
    const at = `/v1/${path}/maintenance`
    assert.equal((await api.request('GET', at)).status, 404)
    const { status, body } = await api.request('PUT', at, { maintenance: { note: 'new kernel' } })
    assert.deepEqual([status, body.maintenance.note, body.maintenance.active], [200, 'new kernel', true])
    assert.deepEqual((await api.request('GET', at)).body, body)
    assert.equal((await api.request('DELETE', at)).status, 204)
    const foreign = await api.request('PUT', at, { maintenance: {} }, { 'x-project-id': 'another' })
    assert.equal(foreign.status, 404)
  }
  // There is no prober: it is asked, and gives no answer in time.
  const probe = await api.request('POST', `/v1/pools/${pool}/members/${member}/probe`)
  assert.equal(probe.body.code, 'PROBE_UNANSWERED')
  const unknown = await api.request('POST', `/v1/pools/${pool}/members/${monitor}/probe`)
  assert.equal(unknown.status, 404)
})

test('events say what a door keeps, by its name and without a load balancer', async (t) => {
  const api = await withPools(t)
  const { db } = api
  await keep(db, [doorPool('a', { name: 'renamed' })])
  await transaction(db, (tx) => deleteScope(tx, { ...SCOPE, key: 'zone-1' })).then(
    () => assert.fail('it has a pool'),
    () => undefined,
  )
  await keep(db, [])
  await transaction(db, (tx) => deleteScope(tx, SCOPE))
  await sequenceAllEvents(db)
  const { events } = (await api.request('GET', '/v1/events')).body as {
    events: Record<string, unknown>[]
  }
  assert.ok(events.length > 0)
  assert.deepEqual(
    events.filter((event) => 'loadbalancer' in event || event['object'] === 'loadbalancer'),
    [],
  )
  const of = (action: string, object: string) =>
    events.filter((event) => event['action'] === action && event['object'] === object).length
  assert.deepEqual([of('created', 'pool'), of('changed', 'pool'), of('deleted', 'pool')], [2, 1, 2])
  assert.deepEqual([of('created', 'member'), of('created', 'healthmonitor')], [4, 2])
  assert.equal((await query(db, 'select from load_balancer')).length, 0)
})

test('an event of a pool that is there names its door, and links to the neutral path', async (t) => {
  const api = await withPools(t)
  const { db } = api
  await sequenceAllEvents(db)
  const { events } = (await api.request('GET', '/v1/events')).body
  const created = events.filter((event: { object: string }) => event.object === 'pool')
  assert.equal(created.length, 2)
  for (const { pool, links } of created) {
    assert.equal(pool.door, 'somewhere')
    assert.equal(links.health, `/v1/overview/pools/${pool.id}`)
    assert.equal((await api.request('GET', links.health)).status, 200)
  }
})

test('writers of one scope wait for each other, and those of two do not', async (t) => {
  const { db } = await startApi(t)
  const order: string[] = []
  const slow = transaction(db, async (tx) => {
    await lockDoorScope(tx, SCOPE)
    order.push('first has the lock')
    await transaction(db, (other) => lockDoorScope(other, { ...SCOPE, key: 'zone-2' }))
    order.push('another scope was free')
  })
  await slow
  await Promise.all(['a', 'b', 'c', 'd'].map((key) => keep(db, [doorPool(key)], { keys: [key] })))
  assert.deepEqual(order, ['first has the lock', 'another scope was free'])
  assert.equal((await rows(db)).filter(({ kind }) => kind === 'pool').length, 4)
})
