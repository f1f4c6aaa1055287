/** Events that no verdict causes: requests, probers, and the clock. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'yaml'
import type { ServiceEvent } from '../../src/domain/event/event.ts'
import { EVENT_TYPES } from '../../src/domain/event/event-types.ts'
import { type Db, query } from '../../src/store/connection/database.ts'
import { observeClock, readEvents } from '../../src/store/event/events.ts'
import { beat, removeProber } from '../../src/store/probing/shards.ts'
import { startApi } from '../support/api.ts'
import { insertMembers, insertPool } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import { aLoadBalancer, aMonitor, aPool, made, OCTAVIA } from '../support/octavia.ts'
import { sequenceAllEvents } from '../support/sequence.ts'

/** Every event so far of these types, in their order. */
async function eventsOf(db: Db, ...types: (keyof typeof EVENT_TYPES)[]): Promise<readonly ServiceEvent[]> {
  await sequenceAllEvents(db)
  return await readEvents(db, { after: 0, upTo: 100_000, limit: 10_000, filter: { types: new Set(types) } })
}

test('what a request changes is an event: which object, which fields, and who sent it', async (t) => {
  const api = await startApi(t)
  const { id: loadBalancerId } = await aLoadBalancer(api)
  const pool = await aPool(api, loadBalancerId, { name: 'app' })
  const member = await made(api, `pools/${pool.id}/members`, { address: '127.0.0.1', protocol_port: 80 })
  await aMonitor(api, pool.id)
  const path = `${OCTAVIA}/pools/${pool.id}/members/${member.id}`
  await api.request('PUT', path, { member: { weight: 7, name: 'web' } })
  await api.request('PUT', path, { member: { weight: 7 } })
  await api.request('PUT', path, { member: { weight: 1000 } })
  const answer = await api.request('DELETE', path)
  const events = await eventsOf(api.db, 'config.changed')
  assert.deepEqual(
    events.map(({ data }) => [data['action'], data['object'], data['fields']]),
    [
      ['created', 'loadbalancer', undefined],
      ['created', 'pool', undefined],
      ['created', 'member', undefined],
      ['created', 'healthmonitor', undefined],
      ['changed', 'member', ['name', 'weight']],
      ['deleted', 'member', undefined],
    ],
  )
  const last = events.at(-1)
  assert.deepEqual([last?.data['object_id'], last?.data['object_name']], [member.id, 'web'])
  assert.deepEqual([last?.projectId, last?.pool], ['default-project', { id: pool.id, name: 'app' }])
  assert.deepEqual(last?.data['by'], {
    request_id: answer.headers['x-openstack-request-id'],
    project_id: 'default-project',
  })
})

test('a batch of many members is one event with their number', async (t) => {
  const api = await startApi(t)
  const { id: loadBalancerId } = await aLoadBalancer(api)
  const pool = await aPool(api, loadBalancerId)
  const members = (count: number, weight: number) =>
    Array.from({ length: count }, (_, n) => ({ address: '127.0.0.1', protocol_port: n + 1, weight }))
  for (const body of [members(101, 1), members(101, 2), members(1, 2)]) {
    assert.equal(
      (await api.request('PUT', `${OCTAVIA}/pools/${pool.id}/members`, { members: body })).status,
      202,
    )
  }
  const events = (await eventsOf(api.db, 'config.changed')).filter(({ data }) => data['object'] === 'member')
  assert.deepEqual(
    events.slice(0, 2).map(({ data, pool: of }) => [data['action'], data['count'], of?.id]),
    [
      ['created', 101, pool.id],
      ['changed', 101, pool.id],
    ],
  )
  assert.deepEqual(
    [events.length, events[2]?.data['action'], events[2]?.data['object_id'] !== undefined],
    [102, 'deleted', true],
  )
})

test('what is refused, or undone, is no event', async (t) => {
  const api = await startApi(t)
  const { id: loadBalancerId } = await aLoadBalancer(api)
  const before = (await eventsOf(api.db, 'config.changed')).length
  const twice = { loadbalancer_id: loadBalancerId, protocol: 'HTTP', protocol_port: 80 }
  await made(api, 'listeners', twice)
  assert.equal((await api.request('POST', `${OCTAVIA}/listeners`, { listener: twice })).status, 409)
  assert.equal((await eventsOf(api.db, 'config.changed')).length, before + 1)
})

test('a prober joins, is lost once however many look, comes back, and leaves', async (t) => {
  const { db } = await testDatabase(t)
  const prober = { id: randomUUID(), host: 'node-1', pid: 7, leaseMs: 3000 }
  await beat(db, prober)
  await beat(db, prober)
  await observeClock(db)
  await query(db, `update prober set lease_until = now() - interval '1 second'`)
  await Promise.all([observeClock(db), observeClock(db), observeClock(db)])
  await beat(db, prober)
  await removeProber(db, prober.id)
  const events = await eventsOf(db, 'prober.joined', 'prober.lost', 'prober.left')
  assert.deepEqual(
    events.map(({ type }) => type),
    ['prober.joined', 'prober.lost', 'prober.joined', 'prober.left'],
  )
  for (const { projectId, data } of events) {
    assert.equal(projectId, null)
    assert.deepEqual(data['prober'], { id: prober.id, host: 'node-1', pid: 7, site: 'local' })
  }
})

test('a prober that holds failures back says so once, and that it no longer does', async (t) => {
  const { db } = await testDatabase(t)
  const prober = { id: randomUUID(), host: 'node-1', pid: 7, leaseMs: 3000 }
  for (const state of ['closed', 'suspicious', 'holding', 'holding', 'closed', 'closed'])
    await beat(db, { ...prober, facts: { breaker: { state } } })
  assert.deepEqual(
    (await eventsOf(db, 'breaker.held', 'breaker.released')).map(({ type, data }) => [type, data['reason']]),
    [
      ['breaker.held', 'NO_CANARY_ANSWERS'],
      ['breaker.released', undefined],
    ],
  )
})

test('a maintenance begins and ends by the clock, each told once, also when its object is deleted', async (t) => {
  const { db } = await testDatabase(t)
  const { poolId } = await insertPool(db)
  const [first = '', second = ''] = await insertMembers(db, poolId, [
    { address: '127.0.0.1', port: 1 },
    { address: '127.0.0.1', port: 2 },
  ])
  const at = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString()
  const set = (id: string, maintenance: object | null) =>
    query(db, 'update member set maintenance = $1 where id = $2', [
      maintenance && JSON.stringify(maintenance),
      id,
    ])
  await set(first, { start: at(-60), end: at(600), note: 'disk' })
  await set(second, { start: at(600), end: null, note: '' })
  await Promise.all([observeClock(db), observeClock(db)])
  await observeClock(db)
  await set(first, { start: at(-60), end: at(-1), note: 'disk' })
  await set(second, { start: at(-1), end: null, note: '' })
  await observeClock(db)
  await query(db, 'delete from member where id = $1', [second])
  await observeClock(db)
  const events = await eventsOf(db, 'maintenance.begun', 'maintenance.ended')
  const seen = events.map(({ type, member, data }) => [type, member?.id, data['note']])
  assert.deepEqual(seen[0], ['maintenance.begun', first, 'disk'])
  const inBetween = new Map(seen.slice(1, 3).map(([type, id, note]) => [id, [type, note]]))
  assert.deepEqual(inBetween.get(second), ['maintenance.begun', ''])
  assert.deepEqual(inBetween.get(first), ['maintenance.ended', 'disk'])
  assert.deepEqual([seen[3]?.slice(0, 2), seen.length], [['maintenance.ended', second], 4])
})

test('openapi.yaml names every type of event, and no other', () => {
  const document = parse(readFileSync('openapi.yaml', 'utf8'))
  const [filter] = document.paths['/v1/events'].get.parameters.filter(
    ({ name }: { name: string }) => name === 'type',
  )
  for (const { enum: types } of [filter.schema, document.components.schemas.Event.properties.type]) {
    assert.deepEqual(types, Object.keys(EVENT_TYPES))
  }
})
