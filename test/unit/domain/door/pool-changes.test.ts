import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { DoorPool } from '../../../../src/domain/door/door-pool.ts'
import { poolChanges } from '../../../../src/domain/door/pool-changes.ts'
import { isSameValue } from '../../../../src/domain/door/same-value.ts'
import { doorMember, doorMonitor, doorPool, keptPool } from '../../../support/door-pools.ts'

/** The one change of a pool. */
function changeOf(before: DoorPool, after: DoorPool) {
  const { added, changed, gone } = poolChanges([keptPool(before)], [after])
  assert.deepEqual([added.length, gone.length], [0, 0])
  assert.equal(changed.length, 1)
  const [change] = changed
  assert.ok(change)
  return change
}

test('pools that are as they were are in no change', () => {
  const pools = [doorPool('a'), doorPool('b', { monitor: null }), doorPool('c', { members: [] })]
  assert.deepEqual(poolChanges(pools.map(keptPool), structuredClone(pools)), {
    added: [],
    changed: [],
    gone: [],
  })
})

test('pools come and go by their keys', () => {
  const changes = poolChanges(
    [keptPool(doorPool('a')), keptPool(doorPool('b'))],
    [doorPool('b'), doorPool('c')],
  )
  assert.deepEqual(
    changes.added.map(({ key }) => key),
    ['c'],
  )
  assert.deepEqual(
    changes.gone.map(({ id }) => id),
    ['pool a'],
  )
  assert.deepEqual(changes.changed, [])
})

test('a member is the same as long as its address and port are: what else differs is a change of it', () => {
  const change = changeOf(
    doorPool('a', { members: [doorMember(1), doorMember(2), doorMember(3)] }),
    doorPool('a', { members: [doorMember(4), doorMember(3, { name: 'three' }), doorMember(2)] }),
  )
  assert.equal(change.pool, null)
  assert.equal(change.monitor.kind, 'none')
  assert.deepEqual(change.addedMembers, [doorMember(4)])
  assert.deepEqual(change.goneMembers, [{ ...doorMember(1), id: 'member 1' }])
  assert.deepEqual(change.changedMembers, [
    { id: 'member 3', values: doorMember(3, { name: 'three' }), renewed: false },
  ])
})

test('results of a member stop counting when it is probed elsewhere or switched on again, and only then', () => {
  const renewals = (before: DoorPool, after: DoorPool) =>
    changeOf(before, after).changedMembers.map(({ renewed }) => renewed)
  const one = (given: Parameters<typeof doorMember>[1], monitorPort: number | null = null): DoorPool =>
    doorPool('a', { members: [doorMember(80, given)], monitor: doorMonitor({ monitorPort }) })
  assert.deepEqual(renewals(one({}), one({ monitorPort: 81 })), [true])
  assert.deepEqual(renewals(one({}), one({ monitorPort: 80 })), [false], 'the port that it has anyway')
  assert.deepEqual(renewals(one({}), one({ monitorAddress: '127.0.0.2' })), [true])
  assert.deepEqual(renewals(one({ adminStateUp: false }), one({})), [true])
  assert.deepEqual(renewals(one({}), one({ adminStateUp: false })), [false])
  assert.deepEqual(renewals(one({}), one({}, 90)), [true], 'by the port of the monitor')
  assert.deepEqual(renewals(one({ monitorPort: 7 }), one({ monitorPort: 7 }, 90)), [], 'its own port wins')
})

test('results below a monitor stop counting with another type or question, not with another interval', () => {
  const renewal = (given: Parameters<typeof doorMonitor>[0]) => {
    const { monitor } = changeOf(doorPool('a'), doorPool('a', { monitor: doorMonitor(given) }))
    assert.equal(monitor.kind, 'changed')
    return monitor.kind === 'changed' && monitor.renewed
  }
  assert.equal(renewal({ type: 'HTTP' }), true)
  assert.equal(renewal({ options: { invert: true } }), true)
  assert.equal(renewal({ delaySeconds: 9 }), false)
  assert.equal(renewal({ options: { interval_ms: 500 } }), false)
})

test('a monitor that comes or goes is another change than one that is changed', () => {
  const without = doorPool('a', { monitor: null })
  assert.equal(changeOf(without, doorPool('a')).monitor.kind, 'added')
  assert.equal(changeOf(doorPool('a'), without).monitor.kind, 'gone')
})

test('values of JSON are the same whatever the order of their keys, and never otherwise', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const reversed = (given: unknown): unknown =>
        Array.isArray(given)
          ? given.map(reversed)
          : typeof given === 'object' && given !== null
            ? Object.fromEntries(
                Object.entries(given)
                  .toReversed()
                  .map(([key, each]) => [key, reversed(each)]),
              )
            : given
      assert.ok(isSameValue(value, reversed(value)))
      assert.ok(!isSameValue([value], [value, value]))
      assert.ok(!isSameValue({ a: value }, { b: value }))
    }),
  )
  assert.ok(!isSameValue({}, []))
  assert.ok(!isSameValue(null, {}))
  assert.ok(!isSameValue({ a: undefined }, { b: 1 }))
})
