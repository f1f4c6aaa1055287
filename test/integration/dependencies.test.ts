import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { readParentStates } from '../../src/store/probing/dependencies.ts'
import { startApi } from '../support/api.ts'
import { eventually, insertMembers, insertPool, PROJECT, statuses } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import { SUBNET } from '../support/api-objects.ts'
import { testProber } from '../support/prober.ts'
import { startTargets, type Target } from '../support/targets.ts'

const DIALECTS = ['/elb/v2.0/lbaas', '/load-balancer/v2.0/lbaas']
const asProject = { 'x-project-id': PROJECT }

/** A parent and a child in pools of their own, one failure being enough for either. */
async function family(t: TestContext) {
  const database = await testDatabase(t)
  const { db } = database
  const api = await startApi(t, { db })
  const [parent, child] = (await startTargets(t, 2)) as [Target, Target]
  const pools = [
    await insertPool(db, { rise: 1, fall: 1 }),
    await insertPool(db, { rise: 1, fall: 1 }),
  ] as const
  const ids = [
    (await insertMembers(db, pools[0].poolId, [parent]))[0] ?? '',
    (await insertMembers(db, pools[1].poolId, [child]))[0] ?? '',
  ] as const
  const paths = pools.map(({ poolId }, i) => `/pools/${poolId}/members/${ids[i]}`)
  const state = async (i: 0 | 1) => (await statuses(db)).get(ids[i])?.state
  const put = (path: string, key: 'member' | 'pool', depends_on: unknown, dialect = DIALECTS[0]) =>
    api.request('PUT', `${dialect}${path}`, { [key]: { depends_on } }, asProject)
  const fallen = async () =>
    (
      await query<{ member_id: string }>(
        db,
        `select member_id from member_transition where to_state = 'OFFLINE' order by id`,
      )
    ).map((row) => row.member_id)
  return { database, db, api, parent, child, pools, ids, paths, state, put, fallen }
}

async function lastProbe({ api, paths }: Awaited<ReturnType<typeof family>>) {
  const answer = await api.request('GET', `${DIALECTS[0]}${paths[1]}/health`, undefined, asProject)
  return answer.body.health.last_probe as { result: string; reason: string; at: string }
}

/** Waits until the child has been probed so many times more: each probe could have said that it is OFFLINE. */
async function childIsProbed(farm: Awaited<ReturnType<typeof family>>, times: number): Promise<void> {
  const seen = new Set<string>()
  await eventually(
    `${times} probes of the child`,
    async () => {
      seen.add((await lastProbe(farm)).at)
      return seen.size > times
    },
    30_000,
  )
}

for (const kind of ['member', 'pool'] as const) {
  test(`a child of an OFFLINE ${kind} is inconclusive, whatever its probes give, and judged again when that is ONLINE`, async (t) => {
    const farm = await family(t)
    const { database, parent, child, ids, pools, paths, state, put, fallen } = farm
    const { status } =
      kind === 'member'
        ? await put(paths[1] ?? '', 'member', [ids[0]])
        : await put(`/pools/${pools[1].poolId}`, 'pool', [pools[0].poolId])
    assert.equal(status, 200)
    testProber(database)
    await eventually(
      'both are ONLINE',
      async () => (await state(0)) === 'ONLINE' && (await state(1)) === 'ONLINE',
    )
    await parent.stop()
    await eventually('the parent is OFFLINE', async () => (await state(0)) === 'OFFLINE')
    await eventually('the child is inconclusive', async () => {
      const { result, reason } = await lastProbe(farm)
      return result === 'inconclusive' && reason === 'DEPENDENCY_DOWN'
    })
    await child.stop()
    const probed = child.probedAt.length
    await childIsProbed(farm, 3)
    assert.equal(child.probedAt.length, probed, 'the child is gone')
    assert.equal(await state(1), 'ONLINE')
    assert.deepEqual(await fallen(), [ids[0]])
    await parent.restart()
    await eventually('the parent is ONLINE', async () => (await state(0)) === 'ONLINE')
    await eventually('the child is judged by itself', async () => (await state(1)) === 'OFFLINE')
    await child.restart()
    await eventually('the child is ONLINE', async () => (await state(1)) === 'ONLINE')
  })
}

test('a parent and its child that go at the same moment, in different shards of two probers: only the parent falls', async (t) => {
  const farm = await family(t)
  const { database, db, parent, child, ids, paths, state, put, fallen } = farm
  await put(paths[1] ?? '', 'member', [ids[0]])
  testProber(database)
  testProber(database)
  await eventually(
    'both are ONLINE',
    async () => (await state(0)) === 'ONLINE' && (await state(1)) === 'ONLINE',
  )
  await eventually('two probers share the shards', async () => {
    const [row] = await query<{ owners: number }>(db, 'select count(distinct owner) as owners from shard')
    return row?.owners === 2
  })
  await Promise.all([parent.stop(), child.stop()])
  await eventually('the parent is OFFLINE', async () => (await state(0)) === 'OFFLINE')
  await childIsProbed(farm, 3)
  assert.deepEqual(await fallen(), [ids[0]])
})

test('depends_on is shown where it is set, in both dialects, and taken away by an empty list', async (t) => {
  const { api, ids, pools, paths, put } = await family(t)
  for (const [i, dialect] of DIALECTS.entries()) {
    const read = async (path: string) => {
      const { body } = await api.request('GET', `${dialect}${path}`, undefined, asProject)
      return (body.member ?? body.pool) as Record<string, unknown>
    }
    assert.equal('depends_on' in (await read(paths[1] ?? '')), false)
    const { body } = await put(paths[1] ?? '', 'member', [ids[0], pools[0].poolId, ids[0]], dialect)
    assert.deepEqual(body.member.depends_on, [ids[0], pools[0].poolId])
    assert.deepEqual((await read(paths[1] ?? ''))['depends_on'], [ids[0], pools[0].poolId])
    const poolPath = `/pools/${pools[1].poolId}`
    await put(poolPath, 'pool', [pools[0].poolId], dialect)
    assert.deepEqual((await read(poolPath))['depends_on'], [pools[0].poolId])
    await api.request('PUT', `${dialect}${poolPath}`, { pool: { name: 'other' } }, asProject)
    assert.deepEqual((await read(poolPath))['depends_on'], [pools[0].poolId])
    await put(poolPath, 'pool', [], dialect)
    await put(paths[1] ?? '', 'member', i === 0 ? [] : null, dialect)
    for (const path of [poolPath, paths[1] ?? '']) assert.equal('depends_on' in (await read(path)), false)
    const subnet_id = randomUUID()
    const member = { address: '127.0.0.7', protocol_port: 7 + i, subnet_id, depends_on: [ids[0]] }
    const made = await api.request('POST', `${dialect}${poolPath}/members`, { member }, asProject)
    assert.deepEqual(made.body.member.depends_on, [ids[0]])
  }
})

test('what would depend on itself, what is unknown or of another project, and too much is refused in both dialects', async (t) => {
  const { db, ids, pools, paths, put } = await family(t)
  const foreign = await insertPool(db)
  await query(db, `update pool set project_id = 'another' where id = $1`, [foreign.poolId])
  await put(paths[1] ?? '', 'member', [ids[0]])
  const pool = (i: 0 | 1) => `/pools/${pools[i].poolId}`
  const refused: readonly (readonly [string, 'member' | 'pool', unknown, RegExp])[] = [
    [paths[0] ?? '', 'member', [ids[0]], /depend on itself/],
    [paths[0] ?? '', 'member', [ids[1]], /depend on itself/],
    [paths[0] ?? '', 'member', [pools[0].poolId], /depend on itself/],
    [paths[0] ?? '', 'member', [pools[1].poolId], /depend on itself/],
    [pool(0), 'pool', [pools[0].poolId], /depend on itself/],
    [pool(0), 'pool', [ids[0]], /depend on itself/],
    [pool(0), 'pool', [pools[1].poolId], /depend on itself/],
    [paths[0] ?? '', 'member', [randomUUID()], /no member and no pool/],
    [paths[0] ?? '', 'member', [foreign.poolId], /no member and no pool/],
    [paths[0] ?? '', 'member', ['x'], /UUID|depends_on/],
    [paths[0] ?? '', 'member', Array.from({ length: 9 }, () => ids[1]), /at most 8/],
  ]
  for (const dialect of DIALECTS) {
    for (const [path, key, depends_on, problem] of refused) {
      const answer = await put(path, key, depends_on, dialect)
      assert.equal(answer.status, 400, `${path} ${JSON.stringify(depends_on)}`)
      assert.match(JSON.stringify(answer.body), problem)
    }
  }
})

test('a new pool depends on nothing unknown and on nothing of another project', async (t) => {
  const { db, api, ids } = await family(t)
  const foreign = await insertPool(db)
  await query(db, `update pool set project_id = 'another' where id = $1`, [foreign.poolId])
  const [row] = await query<{ id: string }>(
    db,
    'select p.load_balancer_id::text as id from pool p join member m on m.pool_id = p.id where m.id = $1',
    [ids[0]],
  )
  for (const dialect of DIALECTS) {
    const create = async (depends_on: readonly string[]) => {
      const named = { protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN', loadbalancer_id: row?.id }
      return await api.request('POST', `${dialect}/pools`, { pool: { ...named, depends_on } }, asProject)
    }
    for (const id of [foreign.poolId, randomUUID()]) {
      const refused = await create([id])
      assert.equal(refused.status, 400, JSON.stringify(refused.body))
      assert.match(JSON.stringify(refused.body), /no member and no pool/)
    }
    const made = await create([ids[0]])
    assert.deepEqual([made.status, made.body.pool?.depends_on], [201, [ids[0]]], JSON.stringify(made.body))
  }
})

test('the status of a pool of another project is not read, whatever parent is in the database', async (t) => {
  const { db, ids } = await family(t)
  await query(
    db,
    `insert into member_state (member_id, pool_id, shard, generation, epoch, sequence, status, since, reason, ok_run, bad_run)
     select m.id, p.id, p.shard, greatest(lb.generation, p.generation, m.generation, hm.generation), 1, 1, 'OFFLINE', now(),
       'CONNECT_REFUSED', 0, 0
     from member m join pool p on p.id = m.pool_id join load_balancer lb on lb.id = p.load_balancer_id
     join health_monitor hm on hm.pool_id = p.id where m.id = $1`,
    [ids[0]],
  )
  const read = async (projectId: string) => [
    ...(await readParentStates(db, { projectId, ids: [ids[0]], withinMs: 5000 })).values(),
  ]
  assert.deepEqual(await read(PROJECT), ['OFFLINE'])
  assert.deepEqual(await read('another'), [])
})

test('a member that was just aimed elsewhere, and was OFFLINE where it was, is no reason for anything', async (t) => {
  const { db, ids } = await family(t)
  const judge = () =>
    query(
      db,
      `insert into member_state (member_id, pool_id, shard, generation, epoch, sequence, status, since, reason, ok_run, bad_run)
       select m.id, p.id, p.shard, greatest(lb.generation, p.generation, m.generation, hm.generation), 1, 1, 'OFFLINE', now(),
         'CONNECT_REFUSED', 0, 0
       from member m join pool p on p.id = m.pool_id join load_balancer lb on lb.id = p.load_balancer_id
       join health_monitor hm on hm.pool_id = p.id where m.id = $1
       on conflict (member_id) do update set generation = excluded.generation`,
      [ids[0]],
    )
  const read = async () => [
    ...(await readParentStates(db, { projectId: PROJECT, ids: [ids[0]], withinMs: 5000 })).values(),
  ]
  await judge()
  assert.deepEqual(await read(), ['OFFLINE'])
  // Published as it was until it is decided anew, but not a verdict on what it is now.
  await query(db, 'update member set generation = generation + 1 where id = $1', [ids[0]])
  assert.deepEqual(await read(), [])
  await judge()
  assert.deepEqual(await read(), ['OFFLINE'])
})

test('three pools of 5 000 members, each member depending on the next pool and on a member of it: read at once', async (t) => {
  const { db } = await testDatabase(t)
  const count = 5000
  const pools = [await insertPool(db), await insertPool(db), await insertPool(db)] as const
  const targets = Array.from({ length: count }, (_, n) => ({
    address: `127.0.${n >> 8}.${n & 255}`,
    port: 80,
  }))
  const members = []
  for (const { poolId } of pools) members.push(await insertMembers(db, poolId, targets))
  for (const i of [0, 1]) {
    await query(
      db,
      `update member m set echo = jsonb_build_object('depends_on', jsonb_build_array($1::text, named.parent))
       from unnest($2::uuid[], $3::text[]) named (child, parent) where m.id = named.child`,
      [pools[i + 1]?.poolId, members[i], members[i + 1]],
    )
  }
  const judge = (ids: readonly string[], status: string, badRun: number) =>
    query(
      db,
      `insert into member_state (member_id, pool_id, shard, generation, epoch, sequence, status, since, reason, ok_run, bad_run)
       select m.id, p.id, p.shard, greatest(lb.generation, p.generation, m.generation, hm.generation), 1, 1, $1, now(),
         'CONNECT_REFUSED', 0, $2
       from member m join pool p on p.id = m.pool_id join load_balancer lb on lb.id = p.load_balancer_id
       join health_monitor hm on hm.pool_id = p.id where m.id = any($3::uuid[])
       on conflict (member_id) do update set status = excluded.status, bad_run = excluded.bad_run`,
      [status, badRun, ids],
    )
  for (const each of members) await judge(each, 'ONLINE', 0)
  await query(db, 'analyze')
  const asked = [pools[1].poolId, pools[2].poolId, ...(members[1] ?? []), ...(members[2] ?? [])]
  const read = async () => {
    const startedMs = performance.now()
    const states = await readParentStates(db, { projectId: PROJECT, ids: asked, withinMs: 8000 })
    t.diagnostic(
      `${states.size} of ${asked.length} parents, ${(performance.now() - startedMs).toFixed(0)} ms`,
    )
    return states
  }
  assert.deepEqual([...(await read())], [])
  await judge(members[2] ?? [], 'OFFLINE', 0)
  const fallen = await read()
  assert.equal(fallen.size, 2 * count + 1, 'the last pool, its members, and who depends on them')
  assert.ok([...fallen.values()].every((state) => state === 'OFFLINE'))
  await judge(members[2] ?? [], 'ONLINE', 1)
  await judge((members[2] ?? []).slice(1), 'ONLINE', 0)
  const [only = ''] = members[2] ?? []
  const [child = ''] = members[1] ?? []
  assert.deepEqual(
    await read(),
    new Map([
      [only, 'failing'],
      [child, 'failing'],
    ]),
  )
})

test('a batch of members may name what they depend on, new ones and ones that stay, by the same rules', async (t) => {
  const { db, api, ids, pools } = await family(t)
  const { poolId } = await insertPool(db)
  const foreign = await insertPool(db)
  await query(db, `update pool set project_id = 'another' where id = $1`, [foreign.poolId])
  for (const dialect of DIALECTS) {
    const path = `${dialect}/pools/${poolId}/members`
    const target = (port: number, depends_on?: readonly string[]) => ({
      address: '127.0.0.7',
      protocol_port: port,
      ...(dialect === DIALECTS[0] ? { subnet_id: SUBNET } : {}),
      ...(depends_on === undefined ? {} : { depends_on }),
    })
    const replace = (...members: object[]) => api.request('PUT', path, { members }, asProject)
    const read = async () => {
      const { body } = await api.request('GET', path, undefined, asProject)
      const members = body.members as { id: string; protocol_port: number; depends_on?: string[] }[]
      return members.sort((a, b) => a.protocol_port - b.protocol_port)
    }
    const version = async () =>
      (await query<{ v: number }>(db, 'select config_version as v from pool where id = $1', [poolId]))[0]
        ?.v ?? 0
    assert.equal((await replace()).status, 202)
    assert.equal((await replace(target(1), target(2, [ids[0]]))).status, 202)
    const [first, second] = await read()
    assert.deepEqual([first?.depends_on, second?.depends_on], [undefined, [ids[0]]])
    const before = await version()
    assert.equal((await replace(target(1, [pools[0].poolId]), target(2))).status, 202)
    assert.ok((await version()) > before, 'probers read the pool again')
    const kept = await read()
    assert.deepEqual(
      kept.map(({ id, depends_on }) => [id, depends_on]),
      [
        [first?.id, [pools[0].poolId]],
        [second?.id, [ids[0]]],
      ],
    )
    const refused: readonly (readonly [readonly object[], RegExp])[] = [
      [[target(1, [foreign.poolId]), target(2)], /no member and no pool/],
      [[target(1), target(2), target(3, [randomUUID()])], /no member and no pool/],
      [[target(1), target(2), target(3, [poolId])], /depend on itself/],
      [[target(1, [second?.id ?? '']), target(2, [first?.id ?? ''])], /depend on itself/],
    ]
    for (const [members, problem] of refused) {
      const answer = await replace(...members)
      assert.equal(answer.status, 400, `${dialect} ${problem} ${JSON.stringify(answer.body)}`)
      assert.match(JSON.stringify(answer.body), problem)
    }
    assert.deepEqual(await read(), kept)
    assert.equal((await replace(target(1, []), target(2, [first?.id ?? '']))).status, 202)
    assert.deepEqual(
      (await read()).map(({ depends_on }) => depends_on),
      [undefined, [first?.id]],
    )
  }
})

test('a chain of dependencies has a bounded depth', async (t) => {
  const { db, put } = await family(t)
  const { poolId } = await insertPool(db)
  const chain = await insertMembers(
    db,
    poolId,
    Array.from({ length: 12 }, (_, i) => ({ address: '127.0.0.1', port: 100 + i })),
  )
  const statusesOf: number[] = []
  for (let i = 1; i < chain.length; i++) {
    statusesOf.push((await put(`/pools/${poolId}/members/${chain[i]}`, 'member', [chain[i - 1]])).status)
  }
  assert.deepEqual(statusesOf, [...Array.from({ length: 8 }, () => 200), 400, 200, 200])
})

test('a grandparent that is OFFLINE keeps its grandchildren too', async (t) => {
  const farm = await family(t)
  const { database, db, parent, child, ids, paths, state, put, fallen } = farm
  const [between] = (await startTargets(t, 1)) as [Target]
  const { poolId } = await insertPool(db, { rise: 1, fall: 1 })
  const [middle = ''] = await insertMembers(db, poolId, [between])
  await put(`/pools/${poolId}`, 'pool', [ids[0]])
  await put(paths[1] ?? '', 'member', [middle])
  testProber(database)
  const all = async () => [...(await statuses(db)).values()].map((row) => row.state)
  await eventually('all are ONLINE', async () => (await all()).every((each) => each === 'ONLINE'))
  await Promise.all([parent.stop(), between.stop(), child.stop()])
  await eventually('the grandparent is OFFLINE', async () => (await state(0)) === 'OFFLINE')
  await childIsProbed(farm, 3)
  assert.deepEqual(await fallen(), [ids[0]])
})
