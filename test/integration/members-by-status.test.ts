/**
 * Lists of members by a status: whatever the order of their ids, pages hold what a look at every member finds, and the
 * members of another project cost nothing.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Database, type Db, openDatabase, query } from '../../src/store/connection/database.ts'
import type { ListQuery } from '../../src/store/configuration/lists.ts'
import { listMembers, versionedMembers } from '../../src/store/configuration/members.ts'
import { memberStatusOf } from '../../src/store/status/roll-up.ts'
import { insertPool, PROJECT } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import { seededRandom } from '../support/random.ts'

const OTHER = 'project-2'
const MEMBERS_OF_POOL = 150
const ROUNDS = 6
/** Words of both dialects, alone and together. */
const FILTERS: readonly (readonly [string, ...string[]])[] = [
  ['operating_status', 'ONLINE'],
  ['operating_status', 'OFFLINE'],
  ['operating_status', 'NO_MONITOR'],
  ['operating_status', 'OFFLINE', 'NO_MONITOR'],
  ['operating_status', 'ONLINE', 'OFFLINE', 'NO_MONITOR'],
  ['operating_status', 'NONSENSE'],
  ['rolled_up_status', 'ONLINE'],
  ['rolled_up_status', 'DRAINING'],
  ['rolled_up_status', 'ERROR'],
  ['rolled_up_status', 'OFFLINE'],
  ['rolled_up_status', 'NO_MONITOR'],
  ['rolled_up_status', 'ERROR', 'ONLINE'],
]

type Pick = (below: number) => number
/** Ids of members by their number: spread, next to each other, or two heaps with nothing between them. */
const ID_LAYOUTS: Readonly<Record<string, string>> = {
  spread: `(substr(md5(n::text || $1), 1, 12) || '4000a' || substr(md5($1 || n), 1, 15))::uuid`,
  dense: `('77777777777740008' || lpad(n::text, 3, '0') || substr(md5(n::text || $1), 1, 12))::uuid`,
  heaps: `((case when n % 2 = 0 then '0' else 'f' end) || substr(md5(n::text || $1), 1, 11) || '40008' || substr(md5($1 || n), 1, 15))::uuid`,
}

for (const [layout, ids] of Object.entries(ID_LAYOUTS)) {
  test(`with ids that are ${layout}, pages of a filter by status hold what a look at every member finds`, async (t) => {
    const { db } = await testDatabase(t)
    const pick = seededRandom(t, layout)
    const pools = await somePools(db, ids)
    const found = new Set<string>()
    for (let round = 0; round < ROUNDS; round++) {
      // The first round finds members by each filter, whatever the seed makes of the others.
      for (const pool of pools) await (round === 0 ? everyOtherOffline(db, pool) : changeSome(db, pool, pick))
      const poolId = pools[pick(pools.length)] ?? ''
      for (const filter of FILTERS) {
        const size = await comparePages(db, filter, { pick, round })
        if (size > 0) found.add(filter.join(' '))
        await comparePages(db, filter, { pick, round, poolId })
      }
    }
    const nothing = FILTERS.map((filter) => filter.join(' ')).filter((filter) => !found.has(filter))
    assert.deepEqual(nothing, ['operating_status NONSENSE'], 'filters that found nothing')
  })
}

/** Pools of one project that differ in all on which a state depends, and one of another project. */
async function somePools(db: Db, ids: string): Promise<readonly string[]> {
  const pools: string[] = []
  for (const profile of ['elb', 'octavia', 'elb', 'octavia', 'elb']) {
    pools.push((await insertPool(db, { profile })).poolId)
  }
  pools.push((await insertPool(db, {}, OTHER)).poolId)
  const [, , unmonitored = ''] = pools
  await query(db, 'delete from health_monitor where pool_id = $1', [unmonitored])
  await query(
    db,
    `update load_balancer set provider = 'noop_driver' where id = (select load_balancer_id from pool where id = $1)`,
    [pools[3]],
  )
  for (const pool of pools) {
    await query(
      db,
      `insert into member (id, project_id, pool_id, address, protocol_port, weight)
       select ${ids}, p.project_id, p.id, '127.0.0.1', n, n % 7
       from pool p, generate_series(1, ${MEMBERS_OF_POOL}) n where p.id::text = $1`,
      [pool],
    )
  }
  return pools
}

/** A verdict for each member of a pool: half of them are OFFLINE. */
async function everyOtherOffline(db: Db, poolId: string): Promise<void> {
  await query(
    db,
    `insert into member_state (member_id, pool_id, generation, status, since, reason, ok_run, bad_run, shard, epoch, sequence)
     select d.id, d.pool_id, d.check_generation, case when d.protocol_port % 2 = 0 then 'OFFLINE' else 'ONLINE' end, now(), 'PASSED', 1, 0,
       0, 1, 1
     from member_detail d where d.pool_id = $1`,
    [poolId],
  )
}

/** Verdicts of this and of older generations, of members in the order of their ids too; and what is switched off and on. */
async function changeSome(db: Db, poolId: string, pick: Pick): Promise<void> {
  const [first, last] = [pick(MEMBERS_OF_POOL), pick(MEMBERS_OF_POOL)].sort((a, b) => a - b)
  const generation = pick(3) === 0 ? 'd.published_from - 1' : 'd.check_generation'
  await query(
    db,
    `insert into member_state as old (member_id, pool_id, generation, status, since, reason, ok_run, bad_run, shard, epoch, sequence)
     select d.id, d.pool_id, ${generation}, case when number % $4 = 0 then 'OFFLINE' else 'ONLINE' end, now(), 'PASSED', 1, 0,
       0, 1, 1
     from (select d.*, row_number() over (order by d.id) as number from member_detail d where d.pool_id = $1) d
     where number between $2 and $3
     on conflict (member_id) do update set status = excluded.status, generation = excluded.generation`,
    [poolId, first, last, 1 + pick(4)],
  )
  if (pick(3) === 0) {
    const up = pick(2) === 0
    await query(db, 'update member set admin_state_up = $2 where pool_id = $1 and protocol_port % $3 = 0', [
      poolId,
      up,
      2 + pick(20),
    ])
  }
  if (pick(6) === 0)
    await query(db, 'update pool set admin_state_up = not admin_state_up where id = $1', [poolId])
  if (pick(6) === 0) {
    await query(db, 'update health_monitor set admin_state_up = not admin_state_up where pool_id = $1', [
      poolId,
    ])
  }
}

interface Compared {
  readonly pick: Pick
  readonly round: number
  readonly poolId?: string
}

/** Walks a list by pages, forward or backward; gives its length. */
async function comparePages(
  db: Db,
  [attribute, ...values]: readonly [string, ...string[]],
  { pick, round, poolId }: Compared,
): Promise<number> {
  const expected = await lookAtAll(db, attribute, values, poolId)
  const direction = pick(2) === 0 ? 'asc' : 'desc'
  const list: ListQuery = {
    projectId: PROJECT,
    filters: [
      { attribute, values },
      ...(poolId === undefined ? [] : [{ attribute: 'pool_id', values: [poolId] }]),
    ],
    sort: [{ attribute: pick(4) === 0 ? 'created_at' : 'id', direction }],
    limit: [20, 90, 2000][pick(3)] ?? 1,
    reverse: pick(2) === 0,
  }
  const walked: string[] = []
  for (let marker: string | undefined; ; ) {
    const page = await idsOf(db, marker === undefined ? list : { ...list, marker }, pick)
    walked.push(...(list.reverse ? page.toReversed() : page))
    if (page.length < list.limit) break
    marker = list.reverse ? page[0] : page.at(-1)
  }
  // All members of a pool are made at once: then their order is that of their ids.
  const what = `round ${round}, ${attribute} ${values.join()}, ${JSON.stringify(list)}`
  assert.deepEqual(walked.toSorted(), expected, what)
  if (list.sort[0]?.attribute === 'id') {
    const isAscending = (direction === 'asc') !== list.reverse
    assert.deepEqual(walked, isAscending ? expected : expected.toReversed(), what)
  }
  return expected.length
}

/** The same page by versions or as rows. */
async function idsOf(db: Db, list: ListQuery, pick: Pick): Promise<readonly string[]> {
  const rows = pick(2) === 0 ? await versionedMembers(db).versions(list) : await listMembers(db, list)
  return rows.map(({ id }) => id)
}

/** Ids in their order, without a filter of a list. */
async function lookAtAll(
  db: Db,
  attribute: string,
  values: readonly string[],
  poolId: string | undefined,
): Promise<readonly string[]> {
  const status = attribute === 'operating_status' ? 'm.operating_status' : memberStatusOf('m')
  const rows = await query<{ id: string; status: string }>(
    db,
    `select m.id, ${status} as status from member_detail m
     where m.project_id = $1 and ($2::uuid is null or m.pool_id = $2) order by m.id`,
    [PROJECT, poolId ?? null],
  )
  return rows.filter((row) => values.includes(row.status)).map(({ id }) => id)
}

test('a page of a filter by status reads as little beside 24 000 members of another project as beside 4 000', async (t) => {
  const database = await testDatabase(t)
  const one = openDatabase({ url: database.url, applicationName: 'healthmonitor test', maxConnections: 1 })
  database.beforeDrop(() => one.destroy())
  const own = await manyMembers(one, PROJECT, 300)
  // With fewer, whole tables are read sooner than an index.
  await manyMembers(one, OTHER, 4000)
  const before = await blocksOfPages(t, one)
  await manyMembers(one, OTHER, 20_000)
  const after = await blocksOfPages(t, one)
  assert.equal(own, 300)
  assert.ok(after <= 1.5 * before, `blocks read: ${before} beside 4 000, ${after} beside 24 000`)
})

/** Half of them OFFLINE: those with the greatest ids. */
async function manyMembers(db: Db, project: string, count: number): Promise<number> {
  const { poolId } = await insertPool(db, {}, project)
  await query(
    db,
    `insert into member (id, project_id, pool_id, address, protocol_port)
     select gen_random_uuid(), $1, $2, '127.0.' || n / 250 || '.' || n % 250, 80 from generate_series(1, $3::int) n`,
    [project, poolId, count],
    60_000,
  )
  const rows = await query(
    db,
    `insert into member_state (member_id, pool_id, generation, status, since, reason, ok_run, bad_run, shard, epoch, sequence)
     select d.id, d.pool_id, d.check_generation, case when percent_rank() over (order by d.id) > 0.5 then 'OFFLINE' else 'ONLINE' end,
       now(), 'PASSED', 1, 0, 0, 1, 1
     from member_detail d where d.pool_id = $1 returning member_id`,
    [poolId],
    60_000,
  )
  await query(db, 'analyze')
  return rows.length
}

/** Blocks that the pages of the first project touch. `db` has one connection. */
async function blocksOfPages(t: TestContext, db: Database): Promise<number> {
  const before = await blocks(db)
  for (const status of ['ONLINE', 'OFFLINE']) {
    const page = await versionedMembers(db).versions({
      projectId: PROJECT,
      filters: [{ attribute: 'operating_status', values: [status] }],
      sort: [],
      limit: 20,
      reverse: false,
    })
    assert.equal(page.length, 20)
  }
  const read = (await blocks(db)) - before
  t.diagnostic(`${read} blocks`)
  return read
}

/** Of tables and indexes of members, read by this session and written by nobody else. */
async function blocks(db: Db): Promise<number> {
  await query(db, 'select pg_stat_force_next_flush()')
  const [row] = await query<{ read: number }>(
    db,
    `select sum(heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read)::int as read
     from pg_statio_user_tables where relname in ('member', 'member_state')`,
  )
  return row?.read ?? 0
}
