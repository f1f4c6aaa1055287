/** What a pool makes of its members (ADR 36): shown by the API, and in events. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import type { ServiceEvent } from '../../src/domain/event/event.ts'
import { shardOf } from '../../src/domain/prober/shard.ts'
import { query } from '../../src/store/connection/database.ts'
import { readEvents } from '../../src/store/event/events.ts'
import { claimShards } from '../../src/store/probing/shards.ts'
import { type Api, type Json, startApi } from '../support/api.ts'
import { aLoadBalancer, aMonitor, aPool, assertFault, made, OCTAVIA } from '../support/octavia.ts'
import { sequenceAllEvents } from '../support/sequence.ts'
import { aVerdict, writeAllVerdicts } from '../support/verdicts.ts'

const ELB = '/elb/v2.0/lbaas'

interface Farm {
  readonly api: Api
  readonly pool: Json
  readonly members: readonly string[]
  /** Writes a verdict for each of these members. */
  readonly judge: (statuses: readonly ('ONLINE' | 'OFFLINE' | undefined)[]) => Promise<void>
  readonly setOptions: (options: object | null) => Promise<void>
  readonly effective: (query?: string) => Promise<Json>
  readonly status: () => Promise<string>
  readonly events: () => Promise<readonly ServiceEvent[]>
}

/** A pool with a listener, a monitor and so many members, of which the last ones are backups. */
async function aFarm(
  t: TestContext,
  { first, backups = 0 }: { first: number; backups?: number },
): Promise<Farm> {
  const api = await startApi(t)
  const owner = randomUUID()
  await claimShards(api.db, { owner, count: 256, foreignToo: false })
  const { id: loadBalancerId } = await aLoadBalancer(api)
  const pool = await aPool(api, loadBalancerId)
  await made(api, 'listeners', {
    loadbalancer_id: loadBalancerId,
    protocol: 'HTTP',
    protocol_port: 80,
    default_pool_id: pool.id,
  })
  // Before the members: one without a verdict is UNKNOWN.
  await aMonitor(api, pool.id, { type: 'TCP' })
  const members: string[] = []
  for (let port = 1; port <= first + backups; port++) {
    const attributes = { address: '127.0.0.1', protocol_port: port, backup: port > first }
    members.push((await made(api, `pools/${pool.id}/members`, attributes)).id)
  }
  let sequence = 0
  const path = `${OCTAVIA}/pools/${pool.id}`
  return {
    api,
    pool,
    members,
    judge: async (statuses) => {
      const generations = await query<{ id: string; generation: number }>(
        api.db,
        'select id, check_generation as generation from member_detail',
      )
      const verdicts = statuses.flatMap((status, i) => {
        const id = members[i] ?? ''
        const generation = generations.find((row) => row.id === id)?.generation ?? 0
        if (status === undefined) return []
        return [aVerdict(id, shardOf(pool.id), ++sequence, { status, generation, transitions: [] })]
      })
      await writeAllVerdicts(api.db, owner, verdicts)
    },
    setOptions: async (options) => {
      const answer = await api.request('PUT', path, { pool: { options } })
      assert.equal(answer.status, 200, JSON.stringify(answer.body))
    },
    effective: async (parameters = '') => {
      const answer = await api.request('GET', `${path}/effective-members${parameters}`)
      assert.equal(answer.status, 200, JSON.stringify(answer.body))
      return answer.body.effective_members
    },
    status: async () => (await api.request('GET', path)).body.pool.operating_status,
    events: async () => {
      await sequenceAllEvents(api.db)
      const filter = { types: new Set(['pool.effective_members']) }
      return await readEvents(api.db, { after: 0, upTo: 100_000, limit: 1000, filter })
    },
  }
}

const reasons = ({ members }: Json): Record<string, string> =>
  Object.fromEntries(
    members.map((member: Json) => [
      member.protocol_port,
      `${member.receives ? 'yes' : 'no'}, ${member.reason}`,
    ]),
  )

test('a pool with a minimum is ONLINE with enough members, DEGRADED below, and ERROR as before', async (t) => {
  const { judge, setOptions, status } = await aFarm(t, { first: 4 })
  await judge(['ONLINE', 'ONLINE', 'ONLINE', 'OFFLINE'])
  assert.equal(await status(), 'DEGRADED', 'as Octavia has it')
  await setOptions({ healthy_when: { percent: 50 } })
  assert.equal(await status(), 'ONLINE')
  await judge(['OFFLINE', 'OFFLINE'])
  assert.equal(await status(), 'DEGRADED')
  await judge([undefined, undefined, 'OFFLINE'])
  assert.equal(await status(), 'ERROR')
  await setOptions({ healthy_when: 'any' })
  await judge(['ONLINE'])
  assert.equal(await status(), 'ONLINE')
  await setOptions(null)
  assert.equal(await status(), 'DEGRADED')
})

test('who should get traffic is said of every member, with the reason: fail open, fail closed, report', async (t) => {
  const { judge, setOptions, effective } = await aFarm(t, { first: 3 })
  await judge(['ONLINE', 'OFFLINE'])
  await setOptions({ healthy_when: { at_least: 2 } })
  const reported = await effective()
  assert.equal(reported.traffic, 'too_few')
  assert.deepEqual(reasons(reported), { 1: 'yes, healthy', 2: 'no, failing', 3: 'no, not_judged_yet' })
  await setOptions({ when_too_few: 'fail_open' })
  const open = await effective()
  assert.equal(open.traffic, 'fail_open')
  assert.deepEqual(reasons(open), { 1: 'yes, healthy', 2: 'yes, fail_open', 3: 'yes, fail_open' })
  assert.deepEqual(open.rule, {
    at_least: 2,
    percent: null,
    when_too_few: 'fail_open',
    overprovisioning_percent: null,
  })
  await setOptions({ when_too_few: 'fail_closed' })
  assert.deepEqual(reasons(await effective()), {
    1: 'no, fail_closed',
    2: 'no, failing',
    3: 'no, not_judged_yet',
  })
  await judge([undefined, 'ONLINE'])
  assert.deepEqual(reasons(await effective()), {
    1: 'yes, healthy',
    2: 'yes, healthy',
    3: 'no, not_judged_yet',
  })
})

test('backups, members without weight, and what is switched off follow what the database counts', async (t) => {
  const { api, pool, members, judge, effective } = await aFarm(t, { first: 3, backups: 1 })
  const change = async (index: number, member: object) => {
    const path = `${OCTAVIA}/pools/${pool.id}/members/${members[index]}`
    assert.equal((await api.request('PUT', path, { member })).status, 200)
  }
  await judge(['ONLINE', 'ONLINE', 'ONLINE', 'ONLINE'])
  await change(1, { weight: 0 })
  await change(2, { admin_state_up: false })
  const some = await effective()
  assert.equal(some.rule, null)
  assert.deepEqual(reasons(some), {
    1: 'yes, healthy',
    2: 'no, draining',
    3: 'no, switched_off',
    4: 'no, standby',
  })
  await judge(['OFFLINE'])
  const standIn = await effective()
  assert.equal(standIn.traffic, 'backup')
  assert.equal(reasons(standIn)[4], 'yes, backup')
  await change(3, { backup: false })
  const promoted = await effective()
  assert.deepEqual([promoted.traffic, promoted.counts.able_backup], ['healthy', 0])
  assert.equal(
    (await api.request('PUT', `${OCTAVIA}/pools/${pool.id}`, { pool: { admin_state_up: false } })).status,
    200,
  )
  const off = await effective()
  assert.equal(off.traffic, 'switched_off')
  assert.deepEqual([...new Set(Object.values(reasons(off)))], ['no, switched_off'])
})

test('a page has so many members, in every API the same, and receives leaves out the others', async (t) => {
  const { api, pool, judge, effective } = await aFarm(t, { first: 5 })
  await judge(['ONLINE', 'OFFLINE', 'ONLINE', 'OFFLINE', 'ONLINE'])
  const whole = await effective()
  for (const path of [`${ELB}/pools/${pool.id}`, `/v1/pools/${pool.id}`]) {
    const { body } = await api.request('GET', `${path}/effective-members`)
    assert.deepEqual(body.effective_members, whole)
  }
  for (const receives of [true, false]) {
    const { members } = await effective(`?receives=${receives}`)
    assert.deepEqual(
      members,
      whole.members.filter((member: Json) => member.receives === receives),
    )
    assert.equal(members.length, receives ? 3 : 2)
  }
  const walked: unknown[] = []
  let marker: string | null = ''
  for (let pages = 0; marker !== null && pages < 9; pages++) {
    const page: Json = await effective(`?limit=2${marker === '' ? '' : `&marker=${marker}`}`)
    walked.push(...page.members)
    marker = page.next
  }
  assert.deepEqual(walked, whole.members)
  for (const wrong of ['receives=yes', 'limit=0', 'limit=1001', 'marker=x', 'unknown=1', 'limit=1&limit=2']) {
    const path = `/v1/pools/${pool.id}/effective-members?${wrong}`
    assert.equal((await api.request('GET', path)).status, 400, wrong)
  }
})

test('another project does not find the pool, and its members do not count', async (t) => {
  const { api, pool } = await aFarm(t, { first: 1 })
  const other = { 'x-project-id': 'other-project' }
  for (const path of [OCTAVIA, ELB, '/v1']) {
    const answer = await api.request('GET', `${path}/pools/${pool.id}/effective-members`, undefined, other)
    assert.equal(answer.status, 404, path)
  }
  assert.equal((await api.request('GET', `/v1/pools/${randomUUID()}/effective-members`)).status, 404)
})

test('an event says when failing open begins and ends, once, and none comes of a pool without options', async (t) => {
  const { judge, setOptions, events, pool } = await aFarm(t, { first: 4 })
  await judge(['ONLINE', 'OFFLINE', 'OFFLINE', 'OFFLINE'])
  await judge(['OFFLINE'])
  await judge(['ONLINE'])
  assert.deepEqual(await events(), [])
  await setOptions({ healthy_when: { percent: 50 }, when_too_few: 'fail_open' })
  await judge([undefined, 'ONLINE'])
  await judge([undefined, undefined, 'ONLINE'])
  await judge(['OFFLINE', 'OFFLINE'])
  await judge([undefined, undefined, 'OFFLINE'])
  await setOptions(null)
  const told = await events()
  assert.deepEqual(
    told.map(({ from, to }) => `${from} → ${to}`),
    ['healthy → fail_open', 'fail_open → healthy', 'healthy → fail_open', 'fail_open → too_few'],
  )
  assert.equal(told[0]?.pool?.id, pool.id)
  assert.deepEqual(told[1]?.data, { members: 4, able: 4, passing: 2, first: 'passing', backups: 'none' })
})

test('options are refused by name: unknown ones, wrong values, and those that do not fit each other', async (t) => {
  const { api, pool } = await aFarm(t, { first: 1 })
  const wrong: readonly (readonly [unknown, RegExp])[] = [
    [{ healthy_wen: 'any' }, /healthy_wen/],
    [{ preset: 'nginx' }, /options\.preset/],
    [{ healthy_when: 'all' }, /options\.healthy_when/],
    [{ healthy_when: {} }, /options\.healthy_when/],
    [{ healthy_when: { percent: 0 } }, /options\.healthy_when\.percent/],
    [{ healthy_when: { at_least: 1.5 } }, /options\.healthy_when\.at_least/],
    [{ healthy_when: { at_least: null } }, /options\.healthy_when\.at_least/],
    [{ healthy_when: { most: 1 } }, /most/],
    [{ when_too_few: 'panic' }, /options\.when_too_few/],
    [{ overprovisioning_percent: 140 }, /percent/],
    [[], /options/],
  ]
  for (const [options, why] of wrong) {
    const octavia = await api.request('PUT', `${OCTAVIA}/pools/${pool.id}`, { pool: { options } })
    assertFault(octavia, 400, why)
    const elb = await api.request('PUT', `${ELB}/pools/${pool.id}`, { pool: { options } })
    assert.equal(elb.status, 400)
    assert.match(JSON.stringify(elb.body), why)
  }
})

test('both dialects show and change the same options, sending them again is no change, and other settings stay', async (t) => {
  const { api, pool } = await aFarm(t, { first: 1 })
  const { id: loadBalancerId } = await aLoadBalancer(api)
  const options = { preset: 'aws', healthy_when: { percent: 40 } }
  const created = await aPool(api, loadBalancerId, { options, tls_enabled: true })
  assert.deepEqual(created.options, options)
  const path = `${ELB}/pools/${created.id}`
  assert.deepEqual((await api.request('GET', path)).body.pool.options, options)
  const version = async () =>
    (await query<{ v: string }>(api.db, 'select xmin::text as v from pool where id = $1', [created.id]))[0]?.v
  const before = await version()
  await api.request('PUT', path, { pool: { options } })
  assert.equal(await version(), before)
  await api.request('PUT', path, { pool: { options: { preset: null, when_too_few: 'fail_closed' } } })
  const { body } = await api.request('GET', `${OCTAVIA}/pools/${created.id}`)
  assert.deepEqual(body.pool.options, { healthy_when: { percent: 40 }, when_too_few: 'fail_closed' })
  assert.equal(body.pool.tls_enabled, true)
  const without = await api.request('GET', `${OCTAVIA}/pools/${pool.id}`)
  assert.equal('options' in without.body.pool, false)
})
