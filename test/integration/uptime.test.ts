/** GET /v1/uptime: what the database notes of switching, generations and maintenance, and what becomes of it. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { shardOf } from '../../src/domain/prober/shard.ts'
import { query } from '../../src/store/connection/database.ts'
import { claimShards } from '../../src/store/probing/shards.ts'
import { writeVerdicts } from '../../src/store/probing/verdicts.ts'
import { type Api, type Json, startApi } from '../support/api.ts'
import { aLoadBalancer, aMonitor, aPool, made, OCTAVIA } from '../support/octavia.ts'
import { aVerdict } from '../support/verdicts.ts'
import { startTwoProjects } from '../support/two-projects.ts'

const HOUR = 3600

/** A member that was created some hours ago, with its transitions: hours ago, and the new status. */
async function aMember(
  api: Api,
  hoursAgo: number,
  transitions: readonly (readonly [hoursAgo: number, to: 'ONLINE' | 'OFFLINE'])[],
): Promise<{ readonly id: string; readonly poolId: string; readonly path: string }> {
  const pool = await aPool(api, (await aLoadBalancer(api)).id)
  await aMonitor(api, pool.id)
  const member = await made(api, `pools/${pool.id}/members`, { address: '10.0.0.1', protocol_port: 80 })
  await query(api.db, `update member set created_at = now() - $2 * interval '1 hour' where id = $1`, [
    member.id,
    hoursAgo,
  ])
  for (const [i, [ago, to]] of transitions.entries()) {
    await query(
      api.db,
      `insert into member_transition (member_id, pool_id, project_id, at, from_state, to_state, reason, detail, generation, epoch, sequence)
       select m.id, m.pool_id, m.project_id, now() - $2 * interval '1 hour', $3, $4, 'PASSED', '',
         greatest(m.generation, p.generation, hm.generation), 1, $5
       from member m join pool p on p.id = m.pool_id join health_monitor hm on hm.pool_id = p.id where m.id = $1`,
      [member.id, ago, i === 0 ? 'UNKNOWN' : to === 'ONLINE' ? 'OFFLINE' : 'ONLINE', to, i],
    )
  }
  return { id: member.id, poolId: pool.id, path: `${OCTAVIA}/pools/${pool.id}/members/${member.id}` }
}

/** Seconds of the first window, to the nearest tenth of an hour; the test itself takes seconds. */
async function day(api: Api, memberId: string): Promise<Json> {
  const { status, body } = await api.request('GET', `/v1/uptime?member_id=${memberId}`)
  assert.equal(status, 200, JSON.stringify(body))
  const [window] = body.windows
  const hours = (name: string) => Math.round((window[`${name}_seconds`] / HOUR) * 10) / 10
  return {
    share: window.up_share === null ? null : Math.round(window.up_share * 100) / 100,
    ...Object.fromEntries(
      ['online', 'offline', 'pending', 'disabled', 'maintenance', 'no_data']
        .map((name) => [name, hours(name)])
        .filter(([, value]) => value !== 0),
    ),
  }
}

test('a day of a member that was OFFLINE for six hours, and was created eighteen hours ago', async (t) => {
  const api = await startApi(t)
  const { id } = await aMember(api, 18, [
    [17, 'ONLINE'],
    [8, 'OFFLINE'],
    [2, 'ONLINE'],
  ])
  assert.deepEqual(await day(api, id), { share: 0.65, online: 11, offline: 6, pending: 1, no_data: 6 })
})

test('a switched-off pool, and the wait for the verdict after it, stand apart', async (t) => {
  const api = await startApi(t)
  const { id, poolId } = await aMember(api, 48, [[40, 'ONLINE']])
  const put = (up: boolean) =>
    api.request('PUT', `${OCTAVIA}/pools/${poolId}`, { pool: { admin_state_up: up } })
  assert.equal((await put(false)).status, 200)
  // As if it had been ten hours ago.
  const backdate = (kind: string, hours: number) =>
    query(api.db, `update set_aside set begin_at = now() - $2 * interval '1 hour' where kind = $1`, [
      kind,
      hours,
    ])
  await backdate('off', 10)
  assert.deepEqual(await day(api, id), { share: 1, online: 14, disabled: 10 })
  assert.equal((await put(true)).status, 200)
  await query(api.db, `update set_aside set end_at = now() - interval '4 hours' where kind = 'off'`)
  await backdate('generation', 4)
  assert.deepEqual(await day(api, id), { share: 1, online: 14, disabled: 6, pending: 4 })
})

test('a maintenance stands apart while it lasts and after it was ended early', async (t) => {
  const api = await startApi(t)
  const { id, path } = await aMember(api, 48, [[40, 'OFFLINE']])
  const start = new Date(Date.now() - 5 * HOUR * 1000).toISOString()
  const body = { maintenance: { start, note: 'new disk' } }
  assert.equal((await api.request('PUT', `${path}/maintenance`, body)).status, 200)
  assert.deepEqual(await day(api, id), { share: 0, offline: 19, maintenance: 5 })
  assert.equal((await api.request('DELETE', `${path}/maintenance`)).status, 204)
  assert.deepEqual(await day(api, id), { share: 0, offline: 19, maintenance: 5 })
})

test('another type makes a member pending until its first verdict, also where that is no transition', async (t) => {
  const api = await startApi(t)
  const { id, poolId } = await aMember(api, 48, [[40, 'ONLINE']])
  const owner = randomUUID()
  await claimShards(api.db, { owner, count: 256, foreignToo: false })
  const [state] = await query<{ generation: number }>(
    api.db,
    'select check_generation as generation from member_detail where id = $1',
    [id],
  )
  const shard = shardOf(poolId)
  const confirm = (generation: number, sequence: number) =>
    writeVerdicts(api.db, owner, [aVerdict(id, shard, sequence, { generation, transitions: [] })])
  await confirm(state?.generation ?? 0, 1)
  await query(api.db, `update health_monitor set generation = nextval('check_generation')`)
  await query(api.db, `update set_aside set begin_at = now() - interval '6 hours' where kind = 'generation'`)
  assert.deepEqual(await day(api, id), { share: 1, online: 18, pending: 6 })
  const [after] = await query<{ generation: number }>(
    api.db,
    'select check_generation as generation from member_detail where id = $1',
    [id],
  )
  await confirm(after?.generation ?? 0, 2)
  await query(api.db, `update set_aside set begin_at = now() - interval '5 hours' where kind = 'verdict'`)
  assert.deepEqual(await day(api, id), { share: 1, online: 23, pending: 1 })
})

test('while its pool has no monitor, nothing is known of a member', async (t) => {
  const api = await startApi(t)
  const { id, poolId } = await aMember(api, 48, [[40, 'ONLINE']])
  const { body } = await api.request('GET', `${OCTAVIA}/pools/${poolId}`)
  assert.equal(
    (await api.request('DELETE', `${OCTAVIA}/healthmonitors/${body.pool.healthmonitor_id}`)).status,
    204,
  )
  await query(
    api.db,
    `update set_aside set begin_at = now() - interval '8 hours' where kind = 'no_monitor' and end_at is null`,
  )
  assert.deepEqual(await day(api, id), { share: 1, online: 16, no_data: 8 })
})

test('what was noted goes with its object', async (t) => {
  const api = await startApi(t)
  const { path } = await aMember(api, 1, [])
  await api.request('PUT', path, { member: { admin_state_up: false } })
  const notes = `select count(*)::int as n from set_aside where kind = 'off'`
  assert.deepEqual(await query(api.db, notes), [{ n: 1 }])
  assert.equal((await api.request('DELETE', path)).status, 204)
  assert.deepEqual(await query(api.db, notes), [{ n: 0 }])
})

test('the uptime of another project is forbidden, that of nobody unknown, and it is asked for by one UUID', async (t) => {
  const { owned, foreign, ask } = await startTwoProjects(t)
  const of = async (who: 'reader', question: string) =>
    (await ask(who, 'GET', `/v1/uptime?${question}`)).status
  assert.equal(await of('reader', `member_id=${owned.member}`), 200)
  assert.equal(await of('reader', `member_id=${foreign.member}`), 403)
  assert.equal(await of('reader', `member_id=${owned.pool}`), 404)
  for (const wrong of ['', 'member_id=1', `member_id=${owned.member}&days=3`]) {
    assert.equal(await of('reader', wrong), 400, wrong)
  }
})
