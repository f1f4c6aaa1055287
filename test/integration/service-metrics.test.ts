/** Nobody probes: the API alone says so, in metrics, in lists and in the view. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { test } from 'node:test'
import { type Db, query } from '../../src/store/connection/database.ts'
import { readServiceFacts } from '../../src/store/status/service-facts.ts'
import { startApi } from '../support/api.ts'
import { insertMembers, insertPool, PROJECT } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import { PROGRAM, until } from '../support/service.ts'

const target = (n: number) => ({ address: `10.0.0.${n}`, port: 80 })

/** A prober with this lease that owns everything. */
async function owns(db: Db, lease: string, unwritten = 0): Promise<void> {
  const id = randomUUID()
  await query(
    db,
    `insert into prober (id, host, pid, lease_until, facts) values ($1, 'h', 1, now() + $2::interval, jsonb_build_object('unwritten', $3::int))`,
    [id, lease, unwritten],
  )
  await query(db, 'update shard set owner = $1', [id])
}

/** What the checkpoint says of these members' checks. */
async function checkpoint(
  db: Db,
  shard: number,
  checks: readonly { readonly id: string; readonly stale: boolean; readonly generation: number }[],
): Promise<void> {
  const each = (value: unknown) => checks.map(() => value)
  await query(
    db,
    `insert into shard_checkpoint (shard, epoch, as_of, member_ids, generations, probed_at, next_at, outcomes, reasons, total_us,
       echo_us, connect_us, tls_us, first_byte_us, ok_runs, bad_runs, stale, flags)
     values ($1, 1, now(), $2::uuid[], $3::bigint[], $4::timestamptz[], $4::timestamptz[], $5::text[], $6::text[], $7::int[],
       $7::int[], $7::int[], $7::int[], $7::int[], $8::smallint[], $9::smallint[], $10::boolean[], $9::smallint[])
     on conflict (shard) do update set member_ids = excluded.member_ids, generations = excluded.generations, stale = excluded.stale`,
    [
      shard,
      checks.map(({ id }) => id),
      checks.map(({ generation }) => generation),
      each(new Date()),
      each('passed'),
      each('PASSED'),
      each(1),
      each(1),
      each(0),
      checks.map(({ stale }) => stale),
    ],
  )
}

test('members are stale while no prober owns their shard, or while the checkpoint says so of their generation', async (t) => {
  const { db } = await testDatabase(t)
  const { poolId, shard, monitorId } = await insertPool(db)
  const [one = '', two = '', off = ''] = await insertMembers(db, poolId, [target(1), target(2), target(3)])
  await query(db, 'update member set admin_state_up = false where id = $1', [off])
  const stale = async () =>
    (await query<{ member_id: string }>(db, 'select member_id from member_status where stale')).map(
      (row) => row.member_id,
    )
  const facts = async () => {
    const { stale: count, probers, shardsUnowned, unwritten } = await readServiceFacts(db)
    return { count, probers, shardsUnowned, unwritten }
  }
  assert.deepEqual(
    new Set(await stale()),
    new Set([one, two]),
    'what is switched off is not probed, and so not stale',
  )
  assert.deepEqual(await facts(), { count: 2, probers: 0, shardsUnowned: 256, unwritten: 0 })
  await owns(db, '1 hour', 7)
  assert.deepEqual(await stale(), [])
  assert.deepEqual(await facts(), { count: 0, probers: 1, shardsUnowned: 0, unwritten: 7 })
  const [row] = await query<{ generation: number }>(
    db,
    'select check_generation as generation from member_detail where id = $1',
    [one],
  )
  const generation = row?.generation ?? 0
  const seen = (of: number) =>
    checkpoint(db, shard, [
      { id: one, stale: true, generation: of },
      { id: two, stale: false, generation },
      { id: off, stale: true, generation },
    ])
  await seen(generation)
  assert.deepEqual(await stale(), [one])
  await seen(generation - 1)
  assert.deepEqual(await stale(), [], 'an older generation says nothing')
  await seen(generation)
  await query(db, `update prober set lease_until = now() - interval '1 second'`)
  assert.deepEqual(new Set(await stale()), new Set([one, two]))
  assert.deepEqual(await facts(), { count: 2, probers: 0, shardsUnowned: 256, unwritten: 0 })
  await query(db, 'delete from health_monitor where id = $1', [monitorId])
  assert.deepEqual(await stale(), [])
})

test('checkpoints are parsed once for all requested members, and only for the column stale', async (t) => {
  const { db } = await testDatabase(t)
  const plan = async (columns: string, where = 'true') => {
    const asked = `explain select ${columns} from member_status where ${where}`
    const rows = await query<{ 'QUERY PLAN': string }>(db, asked)
    return rows.map((row) => row['QUERY PLAN']).join('\n')
  }
  assert.match(await plan('member_id', 'stale'), /hashed SubPlan[^]*shard_checkpoint/)
  assert.doesNotMatch(await plan('member_id, state, since, reason, pending'), /shard_checkpoint|prober/)
})

test('members are counted by status as the view has them', async (t) => {
  const { db } = await testDatabase(t)
  const { poolId, shard } = await insertPool(db)
  const ids = await insertMembers(db, poolId, [target(1), target(2), target(3), target(4)])
  const verdicts = ['ONLINE', 'OFFLINE', 'ONLINE']
  await query(
    db,
    `insert into member_state (member_id, pool_id, generation, status, since, reason, ok_run, bad_run, shard, epoch, sequence)
     select d.id, d.pool_id, d.check_generation, v.status, now(), 'PASSED', 0, 0, $1, 1, v.position
     from unnest($2::uuid[], $3::text[]) with ordinality v (id, status, position) join member_detail d on d.id = v.id`,
    [shard, ids.slice(0, 3), verdicts],
  )
  // Attached after its members: nothing but NO_MONITOR is published of them until the first verdict.
  const later = await insertPool(db)
  await query(db, 'delete from health_monitor where id = $1', [later.monitorId])
  await insertMembers(db, later.poolId, [target(5), target(6)])
  const { online, offline, unknown } = await readServiceFacts(db)
  assert.deepEqual({ online, offline, unknown }, { online: 2, offline: 1, unknown: 1 })
  await query(
    db,
    `insert into health_monitor (id, project_id, pool_id, type, profile, delay_seconds, timeout_seconds, rise, fall)
     values ($1, $2, $3, 'TCP', 'elb', 1, 1, 2, 2)`,
    [later.monitorId, PROJECT, later.poolId],
  )
  const shown = await query(db, 'select distinct state from member_status where pool_id = $1', [later.poolId])
  assert.deepEqual(shown, [{ state: 'NO_MONITOR' }])
  assert.equal((await readServiceFacts(db)).unknown, 3)
})

test('lists of members of both dialects filter by stale', async (t) => {
  const api = await startApi(t)
  const { poolId } = await insertPool(api.db)
  const [up = '', off = ''] = await insertMembers(api.db, poolId, [target(1), target(2)])
  await query(api.db, 'update member set admin_state_up = false where id = $1', [off])
  const asked = async (path: string) => {
    const answer = await api.request('GET', path, undefined, { 'x-project-id': PROJECT })
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    return (answer.body.members as { id: string }[]).map(({ id }) => id)
  }
  for (const list of [
    `/elb/v2.0/lbaas/pools/${poolId}/members`,
    '/elb/v2.0/lbaas/members',
    `/load-balancer/v2.0/lbaas/pools/${poolId}/members`,
  ]) {
    assert.deepEqual(await asked(`${list}?stale=true`), [up], list)
    assert.deepEqual(await asked(`${list}?stale=false`), [off], list)
  }
  await owns(api.db, '1 hour')
  for (const dialect of ['elb', 'load-balancer']) {
    assert.deepEqual(await asked(`/${dialect}/v2.0/lbaas/pools/${poolId}/members?stale=true`), [])
  }
})

test('api alone shows in its metrics that there is no prober', async (t) => {
  const database = await testDatabase(t)
  const { poolId } = await insertPool(database.db)
  await insertMembers(database.db, poolId, [target(1), target(2)])
  const child = spawn(process.execPath, [PROGRAM, 'api'], {
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: database.url,
      HM_LISTEN: '127.0.0.1:0',
      HM_METRICS_LISTEN: '127.0.0.1:0',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const gone = once(child, 'exit')
  database.beforeDrop(async () => {
    child.kill('SIGKILL')
    await gone
  })
  let log = ''
  child.stderr.on('data', (data: Buffer) => (log += data.toString()))
  await until(() => log.includes('"msg":"ready"'), 'the API')
  const port = /"metrics_url":"([^"]+)"/.exec(log)?.[1] ?? assert.fail(log)
  const metrics = await (await fetch(port)).text()
  for (const line of [
    'hm_service_members{status="ONLINE"} 0',
    'hm_service_checks_stale 2',
    'hm_service_shards_unowned 256',
    'hm_service_probers 0',
    'hm_service_results_unwritten 0',
    'hm_database_up 1',
  ]) {
    assert.ok(metrics.includes(`\n${line}\n`), `${line} in\n${metrics}`)
  }
})
