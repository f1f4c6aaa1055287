import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changedProbes } from '../../../../src/domain/door/changed-probes.ts'
import type { DoorPool, KeptDoorPool } from '../../../../src/domain/door/door-pool.ts'
import { poolChanges } from '../../../../src/domain/door/pool-changes.ts'
import { doorMember, doorMonitor, doorPool, keptPool } from '../../../support/door-pools.ts'

const changes = (before: readonly KeptDoorPool[], after: readonly DoorPool[]) =>
  changedProbes(poolChanges(before, after)).map(({ pool, change, type, members }) => [
    pool,
    change,
    type,
    members,
  ])

test('a pool that comes is probed, one that goes no longer is, and one without a monitor never was', () => {
  const quiet = { monitor: null }
  assert.deepEqual(
    changes(
      [keptPool(doorPool('gone')), keptPool(doorPool('quiet', quiet))],
      [doorPool('new', { members: [doorMember(1)] }), doorPool('new and quiet', quiet)],
    ),
    [
      ['new', 'added', 'TCP', [place(1)]],
      ['gone', 'gone', 'TCP', doorPool('gone').members.map(({ protocolPort }) => place(protocolPort))],
    ],
  )
})

test('a monitor that comes or goes is a pool that is probed, or no longer', () => {
  const on = doorPool('a', { members: [doorMember(1)] })
  const off = { ...on, monitor: null }
  assert.deepEqual(changes([keptPool(off)], [on]), [['a', 'added', 'TCP', [place(1)]]])
  assert.deepEqual(changes([keptPool(on)], [off]), [['a', 'gone', 'TCP', [place(1)]]])
})

test('what is only shown changes no probe: names and tags of a pool and of its members', () => {
  const pool = doorPool('a', { members: [doorMember(1)] })
  const renamed = doorPool('a', { name: 'other', members: [doorMember(1, { name: 'one', weight: 3 })] })
  assert.deepEqual(changes([keptPool(pool)], [renamed]), [])
  assert.deepEqual(
    changes([keptPool(pool)], [{ ...pool, name: 'other', tags: [{ key: 'a', value: '' }] }]),
    [],
  )
})

test('another monitor, another member and another place of the probe change what is probed', () => {
  const pool = doorPool('a', { members: [doorMember(1)] })
  const changed = [['a', 'changed', 'TCP', [place(1)]]]
  const monitor = doorMonitor({ options: { interval_ms: 7000 } })
  assert.deepEqual(changes([keptPool(pool)], [{ ...pool, monitor }]), changed)
  assert.deepEqual(
    changes([keptPool(pool)], [{ ...pool, members: [doorMember(1, { monitorPort: 9 })] }]),
    changed,
  )
  assert.deepEqual(changes([keptPool(pool)], [{ ...pool, members: [doorMember(1), doorMember(2)] }]), [
    ['a', 'changed', 'TCP', [place(1), place(2)]],
  ])
})

test('one member in the place of another, and one of several that is probed elsewhere, are changes', () => {
  const pool = doorPool('a', { members: [doorMember(1), doorMember(2)] })
  const replaced = { ...pool, members: [doorMember(1), doorMember(3)] }
  assert.deepEqual(changes([keptPool(pool)], [replaced]), [['a', 'changed', 'TCP', [place(1), place(3)]]])
  const moved = { ...pool, members: [doorMember(1, { name: 'one' }), doorMember(2, { monitorPort: 9 })] }
  assert.deepEqual(changes([keptPool(pool)], [moved]), [['a', 'changed', 'TCP', [place(1), place(2)]]])
})

test('an IPv6 address is in brackets, so that its port is clear', () => {
  const pool = doorPool('a', { members: [doorMember(1, { address: 'fd00::1' })] })
  assert.deepEqual(changes([], [pool]), [['a', 'added', 'TCP', ['[fd00::1]:1']]])
})

function place(port: number): string {
  return `${doorMember(port).address}:${port}`
}
