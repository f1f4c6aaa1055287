import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  DESCRIPTOR_RESERVE,
  HALF_OPEN_PORTS,
  IDLE_CONNECTIONS_MAX,
  IN_FLIGHT_MAX,
  IDLE_KERNEL_SOCKETS_MAX,
} from '../../../../src/domain/limits.ts'
import {
  hasRoomForPorts,
  idleConnectionBudget,
  idleSocketBudget,
  probeBudget,
} from '../../../../src/schedule/share/descriptor-budget.ts'

test('probes in flight and kept connections together never need more descriptors than there are', () => {
  fc.assert(
    fc.property(fc.integer({ min: DESCRIPTOR_RESERVE + 2, max: 2 ** 20 }), (softLimit) => {
      const kept = idleSocketBudget(softLimit)
      for (const idle of [
        0,
        kept,
        Math.floor(idleConnectionBudget(softLimit) / 2),
        idleConnectionBudget(softLimit),
      ]) {
        const inFlight = probeBudget(softLimit, idle)
        assert.ok(inFlight >= 1)
        assert.ok(inFlight + idle + DESCRIPTOR_RESERVE <= softLimit)
      }
    }),
  )
})

test('of a small limit kept connections take no more than half; a large one has room for all of both', () => {
  assert.equal(probeBudget(1024), 1024 - DESCRIPTOR_RESERVE)
  assert.equal(idleConnectionBudget(1024), (1024 - DESCRIPTOR_RESERVE) / 2)
  assert.equal(idleConnectionBudget(1_048_576), IDLE_CONNECTIONS_MAX)
  assert.equal(probeBudget(1_048_576, IDLE_CONNECTIONS_MAX), IN_FLIGHT_MAX)
  assert.equal(idleConnectionBudget(10), 0)
})

test('sockets kept for the next TCP probes take an eighth of a small limit', () => {
  assert.equal(idleSocketBudget(1024), (1024 - DESCRIPTOR_RESERVE) / 8)
  assert.equal(idleSocketBudget(1_048_576), IDLE_KERNEL_SOCKETS_MAX)
  assert.equal(idleSocketBudget(10), 0)
})

test('source ports of half-open probes take a quarter of the descriptors of probes at most', () => {
  const least = DESCRIPTOR_RESERVE + 4 * HALF_OPEN_PORTS
  assert.equal(hasRoomForPorts(1024), false)
  assert.equal(hasRoomForPorts(least - 1), false)
  assert.equal(hasRoomForPorts(least), true)
  assert.ok(probeBudget(least, HALF_OPEN_PORTS + idleConnectionBudget(least)) >= HALF_OPEN_PORTS)
})
