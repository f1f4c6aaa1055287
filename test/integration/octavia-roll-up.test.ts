import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import pg from 'pg'
import { type MemberState, memberStatus, NOOP_PROVIDER } from '../../src/domain/status/member-status.ts'
import {
  isPassing,
  listenerStatus,
  loadBalancerStatus,
  memberWord,
  poolStatus,
  type RolledUpStatus,
} from '../../src/domain/status/roll-up.ts'
import {
  listenerStatusOf,
  loadBalancerStatusOf,
  memberStatusOf,
  poolStatusOf,
} from '../../src/store/status/roll-up.ts'
import { testDatabase } from '../support/database.ts'

/** `old`: ONLINE, before another type or options made the check start anew; `ended`: before the monitor was made. */
type Verdict = 'none' | 'ONLINE' | 'OFFLINE' | 'old' | 'ended'
/** `new`: made after the members; `starts online`: before them, and so chosen by its options. */
type Monitor = 'none' | 'down' | 'up' | 'new' | 'starts online'

interface MemberCase {
  readonly id: string
  readonly poolId: string
  readonly up: boolean
  readonly weight: number
  readonly verdict: Verdict
}

interface PoolCase {
  readonly id: string
  readonly loadBalancerId: string
  readonly up: boolean
  readonly monitor: Monitor
  /** undefined = no listener sends its traffic here. */
  readonly listenerUp: boolean | undefined
  readonly members: readonly MemberCase[]
}

interface LoadBalancerCase {
  readonly id: string
  readonly up: boolean
  readonly provider: string
  readonly pools: readonly PoolCase[]
}

const BOTH = [true, false]
const MONITORS: readonly Monitor[] = ['none', 'down', 'up', 'new', 'starts online']
const isUp = (monitor: Monitor): boolean => monitor !== 'none' && monitor !== 'down'
const LISTENED = [undefined, true, false]

/** Kinds of member that differ for a pool; a pool has every subset of at most two of them. */
const KINDS: readonly Omit<MemberCase, 'id' | 'poolId'>[] = [
  { up: true, weight: 1, verdict: 'ONLINE' },
  { up: true, weight: 1, verdict: 'OFFLINE' },
  { up: true, weight: 1, verdict: 'none' },
  { up: true, weight: 1, verdict: 'old' },
  { up: true, weight: 1, verdict: 'ended' },
  { up: true, weight: 0, verdict: 'ONLINE' },
  { up: true, weight: 0, verdict: 'OFFLINE' },
  { up: true, weight: 0, verdict: 'none' },
  { up: false, weight: 1, verdict: 'ONLINE' },
]

const LOAD_BALANCERS_AT_ONCE = 300

/** `isDecided`: the load balancer alone decides, whatever the members are. */
function memberSets(isDecided: boolean): (typeof KINDS)[] {
  if (isDecided) return [[], ...KINDS.map((kind) => [kind])]
  const pairs = KINDS.flatMap((first, i) => KINDS.slice(i + 1).map((second) => [first, second]))
  return [[], ...KINDS.map((kind) => [kind]), ...pairs]
}

function everyLoadBalancer(): LoadBalancerCase[] {
  const cases: LoadBalancerCase[] = []
  for (const up of BOTH)
    for (const provider of ['octavia', NOOP_PROVIDER])
      for (const monitor of MONITORS)
        for (const poolUp of BOTH)
          for (const listenerUp of LISTENED)
            for (const kinds of memberSets(!up || provider === NOOP_PROVIDER)) {
              const id = randomUUID()
              const pool = poolCase(id, { up: poolUp, monitor, listenerUp, kinds })
              // Every other load balancer has a second pool, so that the worse one is looked for.
              const second =
                cases.length % 2 === 0
                  ? []
                  : [
                      poolCase(id, {
                        up: true,
                        monitor: 'up',
                        listenerUp: true,
                        kinds: [neighbour(cases.length)],
                      }),
                    ]
              cases.push({ id, up, provider, pools: [pool, ...second] })
            }
  return cases
}

function neighbour(index: number): (typeof KINDS)[number] {
  const kind = KINDS[index % KINDS.length]
  assert.ok(kind)
  return kind
}

function poolCase(
  loadBalancerId: string,
  facts: Omit<PoolCase, 'id' | 'loadBalancerId' | 'members'> & { readonly kinds: typeof KINDS },
): PoolCase {
  const { kinds, ...own } = facts
  const id = randomUUID()
  return {
    ...own,
    id,
    loadBalancerId,
    members: kinds.map((kind) => ({ ...kind, id: randomUUID(), poolId: id })),
  }
}

/** A listener has the id of its pool. */
const CONFIGURE = `
with lb as (insert into load_balancer (id, project_id, provider, admin_state_up)
  select id, 'p', provider, up from jsonb_to_recordset($1::jsonb) as c (id uuid, provider text, up boolean)),
pools as (select * from jsonb_to_recordset($2::jsonb) as c
  (id uuid, "loadBalancerId" uuid, up boolean, monitor text, "listenerUp" boolean)),
p as (insert into pool (id, project_id, load_balancer_id, protocol, lb_algorithm, shard, admin_state_up)
  select id, 'p', "loadBalancerId", 'TCP', 'ROUND_ROBIN', 0, up from pools),
l as (insert into listener (id, project_id, load_balancer_id, default_pool_id, protocol, protocol_port, admin_state_up)
  select id, 'p', "loadBalancerId", id, 'TCP', row_number() over (partition by "loadBalancerId"), "listenerUp"
  from pools where "listenerUp" is not null),
hm as (insert into health_monitor (id, project_id, pool_id, type, profile, delay_seconds, timeout_seconds, rise, fall,
    admin_state_up, starts_as)
  select id, 'p', id, 'TCP', 'octavia', 5, 3, 2, 3, monitor <> 'down', case monitor when 'starts online' then 'ONLINE' end
  from pools where monitor <> 'none')
insert into member (id, project_id, pool_id, address, protocol_port, weight, admin_state_up)
  select id, 'p', "poolId", '127.0.0.1', row_number() over (partition by "poolId"), weight, up
  from jsonb_to_recordset($3::jsonb) as c (id uuid, "poolId" uuid, weight integer, up boolean)`

/** By hand: a new monitor was made at 200, everything else at 100. */
const GENERATIONS = [
  'update load_balancer set generation = 100, published_from = 100',
  'update pool set generation = 100, published_from = 100',
  'update member set generation = 100, published_from = 100',
  `update health_monitor hm set generation = made.at, published_from = made.at
   from jsonb_to_recordset($1::jsonb) as c (id uuid, monitor text)
   cross join lateral (select case c.monitor when 'new' then 200 else 100 end as at) made
   where hm.pool_id = c.id`,
]

const JUDGE = `
insert into member_state (member_id, pool_id, generation, status, since, reason, ok_run, bad_run, shard, epoch, sequence)
select m.id, m.pool_id, greatest(m.generation, hm.generation) - (case v.verdict when 'ended' then 1 else 0 end),
  case v.verdict when 'OFFLINE' then 'OFFLINE' else 'ONLINE' end, now(), 'PASSED', 0, 0, 0, 1, 1
from jsonb_to_recordset($1::jsonb) as v (id uuid, verdict text)
join member m on m.id = v.id left join health_monitor hm on hm.pool_id = m.pool_id
where v.verdict <> 'none'`

const ASK_OTHERWISE = `update member set generation = 300 where id in (
  select id from jsonb_to_recordset($1::jsonb) as v (id uuid, verdict text) where verdict = 'old')`

function stateOf(member: MemberCase, pool: PoolCase, loadBalancer: LoadBalancerCase): MemberState {
  const facts = {
    hasMonitor: pool.monitor !== 'none',
    monitorUp: isUp(pool.monitor),
    loadBalancerUp: loadBalancer.up,
    poolUp: pool.up,
    memberUp: member.up,
    provider: loadBalancer.provider,
    monitorIsNewest: pool.monitor === 'new',
    startsAs: pool.monitor === 'starts online' ? ('ONLINE' as const) : null,
  }
  if (member.verdict === 'none' || member.verdict === 'ended') return memberStatus(facts).state
  const status = member.verdict === 'OFFLINE' ? 'OFFLINE' : 'ONLINE'
  return memberStatus({ ...facts, verdict: { status, reason: 'PASSED', isOld: member.verdict === 'old' } })
    .state
}

function statusOf(pool: PoolCase, loadBalancer: LoadBalancerCase): RolledUpStatus {
  const states = pool.members
    .filter((member) => member.up)
    .map((member) => ({ ...member, state: stateOf(member, pool, loadBalancer) }))
  return poolStatus({
    provider: loadBalancer.provider,
    loadBalancerUp: loadBalancer.up,
    poolUp: pool.up,
    listened: pool.listenerUp === true,
    monitored: isUp(pool.monitor),
    hasMembers: pool.members.length > 0,
    hasWeight: states.some((member) => member.weight > 0),
    hasPassing: states.some(isPassing),
    hasFailing: states.some((member) => member.state === 'OFFLINE'),
  })
}

/**
 * A connection without the limits of the service: these statements are far larger than its own, and what a busy host
 * needs for them says nothing of it.
 */
async function unlimited(t: TestContext) {
  const database = await testDatabase(t)
  const client = new pg.Client({ connectionString: database.url, options: '-c jit=off' })
  await client.connect()
  database.beforeDrop(() => client.end())
  return async <Row extends pg.QueryResultRow>(sql: string, bindings: unknown[] = []): Promise<Row[]> =>
    (await client.query<Row>(sql, bindings)).rows
}

test('the views of the roll-up and the rules of the domain agree on every combination of facts', async (t) => {
  const query = await unlimited(t)
  const loadBalancers = everyLoadBalancer()
  const pools = loadBalancers.flatMap((loadBalancer) => loadBalancer.pools)
  const members = pools.flatMap((pool) => pool.members)
  // A part at a time: the database counts members by a statement that knows no statistics yet.
  for (let from = 0; from < loadBalancers.length; from += LOAD_BALANCERS_AT_ONCE) {
    const some = loadBalancers.slice(from, from + LOAD_BALANCERS_AT_ONCE)
    const below = some.flatMap((loadBalancer) => loadBalancer.pools)
    const rows = [some, below, below.flatMap((pool) => pool.members)]
    await query(
      CONFIGURE,
      rows.map((each) => JSON.stringify(each)),
    )
  }
  await query('analyze')
  for (const statement of GENERATIONS) {
    await query(statement, statement.includes('$1') ? [JSON.stringify(pools)] : [])
  }
  await query(JUDGE, [JSON.stringify(members)])
  await query(ASK_OTHERWISE, [JSON.stringify(members)])
  await query('analyze')
  const statuses = async (sql: string): Promise<ReadonlyMap<string, string>> => {
    const rows = await query<{ id: string; status: string }>(sql)
    return new Map(rows.map((row) => [row.id, row.status]))
  }
  const seen = {
    loadBalancers: await statuses(
      `select lb.id, ${loadBalancerStatusOf('lb')} as status from load_balancer lb`,
    ),
    listeners: await statuses(
      `select l.id, ${listenerStatusOf('l', 'lb')} as status
       from listener l join load_balancer lb on lb.id = l.load_balancer_id`,
    ),
    listenerView: await statuses('select listener_id as id, operating_status as status from listener_status'),
    pools: await statuses(`select p.id, ${poolStatusOf('p')} as status from pool p`),
    members: await statuses(`select m.id, ${memberStatusOf('m')} as status from member_detail m`),
  }
  const met = new Set<string>()
  for (const loadBalancer of loadBalancers) {
    const { provider, up: loadBalancerUp } = loadBalancer
    const expected = loadBalancer.pools.map((pool) => statusOf(pool, loadBalancer))
    const shown = JSON.stringify(loadBalancer)
    assert.equal(
      seen.loadBalancers.get(loadBalancer.id),
      loadBalancerStatus({ provider, loadBalancerUp, pools: expected }),
      shown,
    )
    for (const [i, pool] of loadBalancer.pools.entries()) {
      assert.equal(seen.pools.get(pool.id), expected[i], shown)
      met.add(`pool ${expected[i]}`)
      if (pool.listenerUp !== undefined) {
        const { listenerUp } = pool
        const word = listenerStatus({ provider, loadBalancerUp, listenerUp })
        assert.equal(seen.listeners.get(pool.id), word, shown)
        assert.equal(seen.listenerView.get(pool.id), word, shown)
      }
      for (const member of pool.members) {
        const state = stateOf(member, pool, loadBalancer)
        const word = memberWord({ state, memberUp: member.up, weight: member.weight, provider })
        assert.equal(seen.members.get(member.id), word, shown)
        met.add(`member ${word}`)
      }
    }
  }
  assert.deepEqual([...met].sort(), [
    'member DRAINING',
    'member ERROR',
    'member NO_MONITOR',
    'member OFFLINE',
    'member ONLINE',
    'pool DEGRADED',
    'pool ERROR',
    'pool OFFLINE',
    'pool ONLINE',
  ])
})
