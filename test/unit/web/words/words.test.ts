import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServiceEvent } from '../../../../src/web/net/types.ts'
import { concerns, merged, eventLine } from '../../../../src/web/words/event.ts'
import { nameOf, targetOf } from '../../../../src/web/words/name.ts'
import { capitalised, furtherMarks, memberMark, rolledUpMark } from '../../../../src/web/words/status.ts'
import { agoOf, durationOf, millisecondsOf } from '../../../../src/web/words/time.ts'

test('a duration has its two largest units, and never a negative one', () => {
  const said = [-5, 0, 0.9, 59, 60, 200, 3600, 3660, 86_399, 86_400, 187_200].map(durationOf)
  assert.deepEqual(said, [
    '0 s',
    '0 s',
    '0 s',
    '59 s',
    '1 min',
    '3 min 20 s',
    '1 h',
    '1 h 1 min',
    '23 h 59 min',
    '1 d',
    '2 d 4 h',
  ])
})

test('how long ago is said in the largest unit, also when the clock of this computer is behind', () => {
  const at = '2026-11-30T12:00:00Z'
  const after = (seconds: number): string => agoOf(at, Date.parse(at) + 1000 * seconds)
  assert.deepEqual([-3, 0, 59, 3599, 90_000].map(after), ['0 s', '0 s', '59 s', '59 min', '1 d'])
})

test('milliseconds have three digits, whatever they are rounded to', () => {
  const said = [0, 0.234, 9.994, 9.996, 12.34, 99.94, 99.96, 123.4, 999.4, 999.6, 1234, 12_345].map(
    millisecondsOf,
  )
  assert.deepEqual(said, [
    '0.00 ms',
    '0.23 ms',
    '9.99 ms',
    '10.0 ms',
    '12.3 ms',
    '99.9 ms',
    '100 ms',
    '123 ms',
    '999 ms',
    '1.00 s',
    '1.23 s',
    '12.3 s',
  ])
})

test('every state of a member and every status of a pool has a mark of its own; one that is new is shown as it is', () => {
  const marks = ['ONLINE', 'OFFLINE', 'UNKNOWN', 'DISABLED', 'NO_MONITOR'].map(memberMark)
  assert.equal(new Set(marks.map(({ shape }) => shape)).size, 5)
  const rolledUp = ['ONLINE', 'DEGRADED', 'ERROR', 'OFFLINE'].map(rolledUpMark)
  assert.equal(new Set(rolledUp.map(({ shape }) => shape)).size, 4)
  for (const mark of [memberMark('NEW'), rolledUpMark('NEW')]) {
    assert.deepEqual(mark, { shape: 'unknown', word: 'NEW' })
  }
  // What no object inherits: a name of JavaScript is not a state.
  assert.deepEqual(memberMark('constructor'), { shape: 'unknown', word: 'constructor' })
})

test('a maintenance is marked only while it lasts', () => {
  const words = (...active: boolean[]) =>
    furtherMarks({ pending: true, stale: true, maintenance: active.map((each) => ({ active: each })) }).map(
      ({ word }) => word,
    )
  assert.deepEqual(words(false), ['pending', 'stale'])
  assert.deepEqual(words(false, true), ['pending', 'stale', 'maintenance'])
  assert.deepEqual(furtherMarks({ pending: false, stale: false }), [])
})

test('a sentence begins with a capital; nothing stays nothing', () => {
  assert.deepEqual([capitalised('got 200'), capitalised('')], ['Got 200', ''])
})

test('an object is called by its name, else its address, else the beginning of its id', () => {
  const id = '0123456789abcdef'
  assert.equal(nameOf({ id, name: 'web', address: '10.0.0.1', protocol_port: 80 }), 'web')
  assert.equal(nameOf({ id, name: '', address: '10.0.0.1', protocol_port: 80 }), '10.0.0.1:80')
  assert.equal(nameOf({ id, name: null, address: '2001:db8::1', protocol_port: 80 }), '[2001:db8::1]:80')
  assert.equal(nameOf({ id, name: null, address: null }), '01234567')
  assert.equal(targetOf('2001:db8::1', undefined), '2001:db8::1')
})

const BASE = { id: '1', time: '2026-11-30T12:00:00Z', project_id: 'p' }
const POOL = { id: 'pool-id', name: 'app' }

test('events are shown with the object that is nearest, with what they changed', () => {
  const member = { id: 'member-id', name: 'web' }
  const said = (event: Omit<ServiceEvent, 'id' | 'time' | 'project_id'>) => {
    const { mark, object, link, text } = eventLine({ ...BASE, ...event } as ServiceEvent)
    return [mark.word, object, link, text]
  }
  assert.deepEqual(
    [
      said({ type: 'member.status', pool: POOL, member, from: 'ONLINE', to: 'OFFLINE' }),
      said({ type: 'member.status', pool: POOL, member, from: 'UNKNOWN', to: 'ONLINE' }),
      said({ type: 'pool.status', pool: POOL, from: 'ONLINE', to: 'DEGRADED' }),
      said({ type: 'config.changed', pool: POOL, object: 'member', action: 'deleted', count: 200 }),
      said({
        type: 'config.changed',
        pool: POOL,
        object: 'pool',
        action: 'changed',
        fields: ['name', 'tags'],
      }),
      said({ type: 'maintenance.begun', member, pool: POOL }),
      said({ type: 'prober.lost', prober: { id: 'x', host: 'node-1' } }),
      said({ type: 'breaker.held' }),
    ],
    [
      ['OFFLINE', 'web', '#/members/member-id', ', was ONLINE'],
      ['ONLINE', 'web', '#/members/member-id', ''],
      ['DEGRADED', 'app', '#/pools/pool-id', ', was ONLINE'],
      ['config', 'app', '#/pools/pool-id', ': member deleted (200)'],
      ['config', 'app', '#/pools/pool-id', ': pool changed: name, tags'],
      ['maintenance', 'web', '#/members/member-id', ': maintenance begun'],
      ['prober', 'node-1', undefined, ': lost: others take its work over'],
      ['breaker', 'the service', undefined, ': holds failures back'],
    ],
  )
})

test('an event that this page does not know is reported by its type', () => {
  const { object, text } = eventLine({ ...BASE, type: 'site.moved', pool: POOL })
  assert.deepEqual([object, text], ['app', ': site.moved'])
})

test('an event concerns its object and what is above it', () => {
  const event = { ...BASE, type: 'x', pool: POOL, loadbalancer: { id: 'lb', name: null } }
  assert.deepEqual(
    ['pool-id', 'lb', 'member-id'].map((id) => concerns(id)(event)),
    [true, true, false],
  )
})

test('events that were heard and events that were read are one list: each once, the newest first, and no more than asked for', () => {
  const event = (id: number, from: string): ServiceEvent => ({
    id: String(id),
    type: from,
    time: '',
    project_id: null,
  })
  const heard = [event(12, 'heard'), event(10, 'heard')]
  const read = [event(10, 'read'), event(9, 'read'), event(8, 'read')]
  const ids = (most: number) => merged(heard, read, most).map(({ id, type }) => `${id} ${type}`)
  assert.deepEqual(ids(9), ['12 heard', '10 read', '9 read', '8 read'])
  assert.deepEqual(ids(2), ['12 heard', '10 read'])
})
