/** What a check asks of a prober in the worst of its states. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { highestInFlight } from '../../../../src/domain/timing/probe-forecast.ts'
import type { StatePolicy } from '../../../../src/domain/status/state-machine.ts'

const inFlight = (intervals: StatePolicy['intervals'], timeoutMs: number, anchor?: 'completion' | 'start') =>
  highestInFlight({ intervals, ...(anchor === undefined ? {} : { anchor }) }, timeoutMs)

test('a probe that waits as long as the pause after it is in flight half of the time', () => {
  const everySecond = { online: 1000, offline: 1000, unknown: 1000 } as StatePolicy['intervals']
  assert.equal(inFlight(everySecond, 1000), 0.5)
  assert.equal(inFlight(everySecond, 3000), 0.75)
  assert.equal(inFlight(everySecond, 3000, 'completion'), 0.75)
})

test('intervals that count from the start leave at most one in flight', () => {
  const everySecond = { online: 1000, offline: 1000, unknown: 1000 } as StatePolicy['intervals']
  assert.equal(inFlight(everySecond, 500, 'start'), 0.5)
  assert.equal(inFlight(everySecond, 60_000, 'start'), 1)
})

test('the state that is probed most decides', () => {
  const intervals = { online: 10_000, offline: 1000, unknown: 10_000 } as StatePolicy['intervals']
  assert.equal(inFlight(intervals, 1000), 0.5)
})
