/** GET /v1/overview and below: sums of what is kept, lists with the worst first, search, and whose they are. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { claimShards } from '../../src/store/probing/shards.ts'
import { type Api, type Json, startApi } from '../support/api.ts'
import { insertMembers, insertPool } from '../support/configuration.ts'
import { aLoadBalancer, aMonitor, aPool, made, OCTAVIA } from '../support/octavia.ts'
import { FOREIGN, startTwoProjects } from '../support/two-projects.ts'

/** Of pool after pool, of each member: what a verdict said; undefined = there is none. */
type Farm = readonly (readonly ('ONLINE' | 'OFFLINE' | undefined)[])[]

async function aFarm(api: Api, farm: Farm): Promise<readonly { pool: Json; members: readonly Json[] }[]> {
  const loadBalancer = await aLoadBalancer(api)
  const pools = []
  for (const [i, states] of farm.entries()) {
    const pool = await aPool(api, loadBalancer.id, { name: `pool-${i}` })
    await made(api, 'listeners', {
      loadbalancer_id: loadBalancer.id,
      protocol: 'HTTP',
      protocol_port: 80 + i,
      default_pool_id: pool.id,
    })
    await aMonitor(api, pool.id)
    const members = []
    for (const [k, state] of states.entries()) {
      const member = await made(api, `pools/${pool.id}/members`, {
        address: `10.1.${i}.${k + 1}`,
        protocol_port: 80,
        name: `m-${i}-${k}`,
      })
      members.push(member)
      if (state !== undefined) await aState(api, member.id, state)
    }
    pools.push({ pool, members })
  }
  return pools
}

async function aState(api: Api, memberId: string, status: 'ONLINE' | 'OFFLINE'): Promise<void> {
  await query(
    api.db,
    `insert into member_state
       (member_id, pool_id, generation, status, since, reason, detail, ok_run, bad_run, shard, epoch, sequence)
     select m.id, m.pool_id, greatest(lb.generation, p.generation, m.generation, hm.generation), $2, now(),
       case $2 when 'ONLINE' then 'PASSED' else 'CONNECT_REFUSED' end, '', 1, 1, p.shard, 1, 1
     from member m join pool p on p.id = m.pool_id join load_balancer lb on lb.id = p.load_balancer_id
     join health_monitor hm on hm.pool_id = p.id where m.id = $1`,
    [memberId, status],
  )
}

const get = async (api: Api, path: string): Promise<Json> => {
  const answer = await api.request('GET', `/v1/overview${path}`)
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  return answer.body
}
const names = (rows: readonly Json[]): readonly string[] => rows.map(({ name }) => name)

test('the overview counts members by state, those that wait for a verdict, and the statuses of pools', async (t) => {
  const api = await startApi(t)
  await aFarm(api, [['ONLINE', 'OFFLINE', undefined], ['ONLINE'], ['OFFLINE', 'OFFLINE']])
  const overview = await get(api, '')
  assert.deepEqual(overview.members, {
    total: 6,
    online: 2,
    offline: 3,
    unknown: 1,
    disabled: 0,
    no_monitor: 0,
    pending: 1,
    stale: 6,
    maintenance: 0,
    certificate_expiring: 0,
  })
  assert.deepEqual(overview.pools, { DEGRADED: 1, ERROR: 1, ONLINE: 1 })
  assert.deepEqual(overview.loadbalancers, { ERROR: 1 })
})

test('a member is stale only while no living prober owns its shard, or its checkpoint says so', async (t) => {
  const api = await startApi(t)
  await aFarm(api, [['ONLINE', 'OFFLINE']])
  assert.equal((await get(api, '')).members.stale, 2)
  const owner = randomUUID()
  await query(
    api.db,
    `insert into prober (id, host, pid, lease_until) values ($1, 'h', 1, now() + interval '1 minute')`,
    [owner],
  )
  await claimShards(api.db, { owner, count: 256, foreignToo: false })
  assert.equal((await get(api, '')).members.stale, 0)
})

test('members in maintenance count once, whether it is of the member, its pool or its monitor', async (t) => {
  const api = await startApi(t)
  const [first, second] = await aFarm(api, [['ONLINE', 'ONLINE'], ['ONLINE']])
  const put = (path: string, body: object) =>
    api.request('PUT', `${OCTAVIA}/${path}/maintenance`, { maintenance: body })
  const [one] = first?.members ?? []
  assert.equal((await put(`pools/${first?.pool.id}/members/${one.id}`, {})).status, 200)
  assert.equal((await get(api, '')).members.maintenance, 1)
  assert.equal((await put(`pools/${first?.pool.id}`, { note: 'upgrade' })).status, 200)
  assert.equal((await get(api, '')).members.maintenance, 2)
  const later = new Date(Date.now() + 3_600_000).toISOString()
  assert.equal((await put(`pools/${second?.pool.id}`, { start: later })).status, 200)
  assert.equal((await get(api, '')).members.maintenance, 2)
  const { pools } = await get(api, '/pools')
  assert.deepEqual(
    pools.map(({ name, maintenance }: Json) => [name, maintenance]),
    [
      ['pool-0', true],
      ['pool-1', false],
    ],
  )
})

test('pools come with the worst first, and pages go on where the last one ended', async (t) => {
  const api = await startApi(t)
  await aFarm(api, [['ONLINE'], ['ONLINE', 'OFFLINE'], ['OFFLINE'], ['OFFLINE', 'OFFLINE'], ['ONLINE']])
  const worst = ['pool-3', 'pool-2', 'pool-1', 'pool-0', 'pool-4']
  assert.deepEqual(names((await get(api, '/pools')).pools), worst)
  const seen: string[] = []
  for (let marker = ''; ; ) {
    const { pools, next } = await get(api, `/pools?limit=2${marker}`)
    assert.ok(pools.length <= 2)
    seen.push(...names(pools))
    if (next === null) break
    marker = `&marker=${next}`
  }
  assert.deepEqual(seen, worst)
  const gone = await api.request('GET', `/v1/overview/pools?marker=${randomUUID()}`)
  assert.deepEqual([gone.status, gone.body.code], [400, 'INVALID_QUERY'])
})

test('members of a pool come with the worst first, with the reason as a sentence', async (t) => {
  const api = await startApi(t)
  const [farm] = await aFarm(api, [['ONLINE', undefined, 'OFFLINE', 'ONLINE']])
  const path = `/pools/${farm?.pool.id}/members`
  const { members } = await get(api, path)
  assert.equal(members[0].name, 'm-0-2')
  assert.equal(members[0].why, 'the target refused the connection')
  assert.equal(members.length, 4)
  const pages: string[] = []
  for (let marker = ''; ; ) {
    const page = await get(api, `${path}?limit=1${marker}`)
    pages.push(...names(page.members))
    if (page.next === null) break
    marker = `&marker=${page.next}`
  }
  assert.deepEqual(pages, names(members))
})

test('a search finds by a part of a name, and by the beginning of an id or an address; its signs are letters', async (t) => {
  const api = await startApi(t)
  const farms = await aFarm(api, [['ONLINE'], ['OFFLINE', 'ONLINE']])
  const [first, second] = farms
  const found = async (search: string) =>
    names((await get(api, `/pools?search=${encodeURIComponent(search)}`)).pools)
  assert.deepEqual(await found('POOL-1'), ['pool-1'])
  assert.deepEqual(await found(first?.pool.id.slice(0, 13)), ['pool-0'])
  assert.deepEqual(await found('10.1.1.'), ['pool-1'])
  assert.deepEqual(await found('%'), [])
  assert.deepEqual(await found('pool_1'), [])
  const members = async (search: string) => names((await get(api, `/members?search=${search}`)).members)
  assert.deepEqual(await members('10.1.1.'), ['m-1-0', 'm-1-1'])
  assert.deepEqual(await members('m-1-1'), ['m-1-1'])
  assert.deepEqual(await members(second?.members[1].id.toUpperCase()), ['m-1-1'])
  assert.equal((await api.request('GET', '/v1/overview/members')).status, 400)
})

test('one member is shown with its health in neutral words, its pool and its monitor', async (t) => {
  const api = await startApi(t)
  const [farm] = await aFarm(api, [['OFFLINE']])
  const { member } = await get(api, `/members/${farm?.members[0].id}`)
  assert.deepEqual(
    [member.status, member.reason, member.pool.name, member.healthmonitor.type, member.healthmonitor.fall],
    ['OFFLINE', 'CONNECT_REFUSED', 'pool-0', 'HTTP', 3],
  )
  const { pool } = await get(api, `/pools/${farm?.pool.id}`)
  assert.deepEqual([pool.members.offline, pool.members.stale, pool.healthmonitor.type], [1, 1, 'HTTP'])
  const { loadbalancer } = await get(api, `/loadbalancers/${pool.loadbalancer.id}`)
  assert.deepEqual(
    [loadbalancer.operating_status, loadbalancer.pools, loadbalancer.members.offline],
    ['ERROR', 1, 1],
  )
})

test('without identity, the objects of another project are unknown and not counted', async (t) => {
  const api = await startApi(t)
  const other = await insertPool(api.db, {}, 'another')
  const [member] = await insertMembers(api.db, other.poolId, [{ address: '10.9.9.9', port: 80 }])
  assert.equal((await get(api, '')).members.total, 0)
  assert.deepEqual((await get(api, '/pools?search=10.9')).pools, [])
  assert.deepEqual((await get(api, '/members?search=10.9')).members, [])
  for (const path of [`pools/${other.poolId}`, `pools/${other.poolId}/members`, `members/${member}`]) {
    assert.equal((await api.request('GET', `/v1/overview/${path}`)).status, 404, path)
  }
  assert.equal((await api.request('GET', '/v1/overview?project_id=another')).status, 403)
})

test('with identity, tenants see their own project, and administrators all projects or one', async (t) => {
  const { owned, foreign, ask } = await startTwoProjects(t)
  const total = async (who: 'reader' | 'admin', query_ = '') =>
    (await ask(who, 'GET', `/v1/overview${query_}`)).body.members.total
  const own = await total('reader')
  assert.ok(own > 0)
  assert.ok((await total('admin')) > own)
  const all = (await ask('admin', 'GET', '/v1/overview')).body
  assert.equal(all.project_id, null)
  assert.equal(all.projects.length, 2)
  const [project] = all.projects
  assert.ok((await total('admin', `?project_id=${project.project_id}`)) < (await total('admin')))
  for (const path of [`pools/${owned.pool}`, `members/${owned.member}/transitions`])
    assert.equal((await ask('reader', 'GET', `/v1/overview/${path}`)).status, 200)
  for (const path of [
    `/pools/${foreign.pool}`,
    `/pools/${foreign.pool}/members`,
    `/members/${foreign.member}`,
    `/members/${foreign.member}/transitions`,
    `/loadbalancers/${foreign.loadBalancer}`,
    `?project_id=${FOREIGN}`,
  ]) {
    assert.equal((await ask('reader', 'GET', `/v1/overview${path}`)).status, 403, path)
  }
  assert.equal((await ask(undefined, 'GET', '/v1/overview')).status, 401)
})
