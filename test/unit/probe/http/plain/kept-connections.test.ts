import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IDLE_CONNECTION_MAX_MS, IDLE_SWEEP_MS } from '../../../../../src/domain/limits.ts'
import { NO_SLOT } from '../../../../../src/probe/batch/core.ts'
import { KeptConnections } from '../../../../../src/probe/http/plain/kept-connections.ts'
import { IdleRoom } from '../../../../../src/probe/wire/idle-room.ts'

const OFTEN = 1000

/** Connections of slots whose probes take no time. */
function harness(capacity: number) {
  const room = new IdleRoom()
  room.capacity = capacity
  let dice = 0
  const kept = new KeptConnections(room, () => (dice = (dice + 0.37) % 1))
  const probe = (slot: number, nowMs: number, freshEvery = OFTEN): boolean => {
    const isReused = kept.has(slot)
    if (isReused) kept.remove(slot)
    kept.noteUse(slot, !isReused)
    kept.keep(slot, nowMs, freshEvery)
    return isReused
  }
  const slots = (count: number, from = 0): readonly number[] => {
    const added = Array.from({ length: count }, (_, i) => from + i)
    for (const slot of added) kept.add(slot)
    return added
  }
  return { room, kept, probe, slots }
}

test('with twice as many checks as room, half of the probes still find their connection', () => {
  const { room, probe, slots } = harness(50)
  const all = slots(100)
  const rounds = 40
  let reused = 0
  for (let round = 0; round < rounds; round++)
    for (const slot of all) if (probe(slot, round * 5000 + slot * 50)) reused++
  assert.equal(room.held, 50)
  assert.ok(reused > rounds * 50 * 0.8, `${reused} of ${rounds * 100} probes found one`)
})

test('a check that is probed often drives out one that is probed seldom', () => {
  const { room, kept, probe, slots } = harness(10)
  const seldom = slots(10)
  const often = slots(10, 10)
  for (let ms = 0; ms <= 600_000; ms += 1000) {
    if (ms % 60_000 === 0) for (const slot of seldom) probe(slot, ms)
    if (ms % 2000 === 0) for (const slot of often) probe(slot, ms)
  }
  assert.equal(room.held, 10)
  const left = often.filter((slot) => kept.has(slot)).length
  assert.ok(left >= 8, `${left} of the frequent ones were kept`)
})

test('what others keep in the same room is left to them, and takes from it', () => {
  const { room, kept, probe, slots } = harness(3)
  room.held = 2
  for (const slot of slots(3)) probe(slot, slot)
  assert.equal(room.held, 3)
  room.held = 4
  const [other = NO_SLOT] = slots(1, 3)
  kept.noteUse(other, true)
  const unwanted = kept.keep(other, 10, OFTEN)
  assert.notEqual(unwanted, NO_SLOT)
  assert.equal(room.held, 4)
})

test('a connection serves as many probes as its target says', () => {
  const { probe, slots } = harness(10)
  const [slot = NO_SLOT] = slots(1)
  const reused = Array.from({ length: 7 }, (_, i) => probe(slot, i, 3))
  assert.deepEqual(reused, [false, true, true, false, true, true, false])
})

test('a connection that was not used for long is found, once in a while', () => {
  const { kept, probe, slots } = harness(10)
  for (const slot of slots(2)) probe(slot, slot * 1000)
  assert.deepEqual(kept.unused(IDLE_CONNECTION_MAX_MS), [])
  assert.deepEqual(kept.unused(IDLE_CONNECTION_MAX_MS + 500), [], 'it was looked for a moment ago')
  assert.deepEqual(kept.unused(IDLE_CONNECTION_MAX_MS + IDLE_SWEEP_MS), [0, 1])
})

test('that the target has closed a connection is said once, and not of the next target of the slot', () => {
  const { kept, slots } = harness(10)
  const [slot = NO_SLOT] = slots(1)
  kept.noteClosed(slot)
  assert.deepEqual([kept.wasClosed(slot), kept.wasClosed(slot)], [true, false])
  kept.noteClosed(slot)
  kept.add(slot)
  assert.equal(kept.wasClosed(slot), false)
})
