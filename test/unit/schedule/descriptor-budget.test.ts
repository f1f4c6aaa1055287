import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  DESCRIPTOR_RESERVE,
  IDLE_CONNECTIONS_MAX,
  IN_FLIGHT_MAX,
  KEPT_SOCKETS_MAX,
} from '../../../src/domain/limits.ts'
import { idleBudget, keptSocketBudget, probeBudget } from '../../../src/schedule/descriptor-budget.ts'

test('probes in flight and kept connections together never need more descriptors than there are', () => {
  fc.assert(
    fc.property(fc.integer({ min: DESCRIPTOR_RESERVE + 2, max: 2 ** 20 }), (softLimit) => {
      const kept = keptSocketBudget(softLimit)
      for (const idle of [0, kept, Math.floor(idleBudget(softLimit) / 2), idleBudget(softLimit)]) {
        const inFlight = probeBudget(softLimit, idle)
        assert.ok(inFlight >= 1)
        assert.ok(inFlight + idle + DESCRIPTOR_RESERVE <= softLimit)
      }
    }),
  )
})

test('of a small limit kept connections take no more than half; a large one has room for all of both', () => {
  assert.equal(probeBudget(1024), 1024 - DESCRIPTOR_RESERVE)
  assert.equal(idleBudget(1024), (1024 - DESCRIPTOR_RESERVE) / 2)
  assert.equal(idleBudget(1_048_576), IDLE_CONNECTIONS_MAX)
  assert.equal(probeBudget(1_048_576, IDLE_CONNECTIONS_MAX), IN_FLIGHT_MAX)
  assert.equal(idleBudget(10), 0)
})

test('sockets kept for the next TCP probes take an eighth of a small limit', () => {
  assert.equal(keptSocketBudget(1024), (1024 - DESCRIPTOR_RESERVE) / 8)
  assert.equal(keptSocketBudget(1_048_576), KEPT_SOCKETS_MAX)
  assert.equal(keptSocketBudget(10), 0)
})
