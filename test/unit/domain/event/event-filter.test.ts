import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServiceEvent } from '../../../../src/domain/event/event.ts'
import { type EventFilter, matchesFilter } from '../../../../src/domain/event/event-filter.ts'

const EVENT = {
  position: 1,
  type: 'member.status',
  at: new Date(0),
  projectId: 'p',
  loadBalancer: { id: 'lb' },
  pool: { id: 'pool' },
  member: { id: 'm' },
  from: 'ONLINE',
  to: 'OFFLINE',
  data: {},
} as unknown as ServiceEvent
/** Of the service itself. */
const BARE: ServiceEvent = {
  position: 2,
  type: 'prober.lost',
  at: new Date(0),
  projectId: null,
  from: null,
  to: null,
  data: {},
}

test('an event is wanted when it matches all that the filter says, and any is when it says nothing', () => {
  assert.deepEqual([matchesFilter(EVENT, {}), matchesFilter(BARE, {})], [true, true])
  const all: readonly (readonly [EventFilter, EventFilter])[] = [
    [{ projectId: 'p' }, { projectId: 'q' }],
    [{ types: new Set(['x', 'member.status']) }, { types: new Set(['x']) }],
    [{ loadBalancerId: 'lb' }, { loadBalancerId: 'm' }],
    [{ poolId: 'pool' }, { poolId: 'lb' }],
    [{ memberId: 'm' }, { memberId: 'pool' }],
    [{ to: new Set(['OFFLINE']) }, { to: new Set(['ONLINE']) }],
  ]
  let every: EventFilter = {}
  for (const [matching, other] of all) {
    assert.equal(matchesFilter(EVENT, matching), true)
    assert.equal(matchesFilter(EVENT, other), false)
    assert.equal(matchesFilter(BARE, matching), false, 'what it does not have matches nothing')
    every = { ...every, ...matching }
  }
  assert.equal(matchesFilter(EVENT, every), true)
  for (const [, other] of all) assert.equal(matchesFilter(EVENT, { ...every, ...other }), false)
})
