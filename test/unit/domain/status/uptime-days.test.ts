import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  UPTIME_KINDS,
  type Uptime,
  type UptimeFacts,
  uptimeIn,
} from '../../../../src/domain/status/uptime.ts'
import {
  coverage,
  DAY_MS,
  dayOf,
  type SummedDay,
  sumOfDay,
  type UptimeHistory,
  uptimeOver,
} from '../../../../src/domain/status/uptime-days.ts'

const NOTHING: UptimeFacts = { createdMs: 0, changes: [], asides: [], generations: [], firstVerdicts: [] }
const online = { from: 'UNKNOWN', to: 'ONLINE', generation: 1 } as const
const offline = { from: 'ONLINE', to: 'OFFLINE', generation: 1 } as const

const total = (uptime: Uptime): number => UPTIME_KINDS.reduce((sum, kind) => sum + uptime[kind], 0)

/** Kinds with their hours, without those that are 0. */
function hours(uptime: Uptime): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(uptime)
      .filter(([, ms]) => ms !== 0)
      .map(([kind, ms]) => [kind, ms / 3_600_000]),
  )
}

/** The sums of the days from the first to the last, as retention makes them. */
function daysOf(facts: UptimeFacts, firstDay: number, lastDay: number): Map<number, SummedDay> {
  const days = new Map<number, SummedDay>()
  for (let dayMs = firstDay * DAY_MS; dayMs <= lastDay * DAY_MS; dayMs += DAY_MS) {
    if (facts.createdMs < dayMs + DAY_MS) days.set(dayMs, sumOfDay(facts, { dayMs, toMs: dayMs + DAY_MS }))
  }
  return days
}

const anyFacts: fc.Arbitrary<UptimeFacts> = fc
  .record({
    createdMs: fc.integer({ min: -DAY_MS, max: 3 * DAY_MS }),
    changes: fc.array(fc.tuple(fc.integer({ min: -DAY_MS, max: 6 * DAY_MS }), fc.boolean()), {
      maxLength: 12,
    }),
    off: fc.array(fc.tuple(fc.integer({ min: 0, max: 5 * DAY_MS }), fc.nat(DAY_MS)), { maxLength: 3 }),
  })
  .map(({ createdMs, changes, off }) => ({
    ...NOTHING,
    createdMs,
    changes: changes
      .toSorted(([a], [b]) => a - b)
      .map(([atMs, isUp], i) => ({
        atMs: Math.max(atMs, createdMs),
        from: i === 0 ? 'UNKNOWN' : 'ONLINE',
        to: isUp ? 'ONLINE' : 'OFFLINE',
        generation: 1,
      })),
    asides: off.map(([beginMs, ms]) => ({ kind: 'off', beginMs, endMs: beginMs + ms })),
  }))

test('a window of whole days is the same from sums as from transitions', () => {
  fc.assert(
    fc.property(anyFacts, fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 5 }), (facts, a, b) => {
      const [from, to] = [Math.min(a, b) * DAY_MS, (Math.max(a, b) + 1) * DAY_MS]
      const forgotten = { ...NOTHING, createdMs: facts.createdMs }
      const summed = daysOf(facts, 0, 5)
      const history = { facts: forgotten, summed, exactFromMs: Number.POSITIVE_INFINITY }
      const [bySums, byTransitions] = [uptimeOver(history, from, to), uptimeIn(facts, from, to)]
      // Before it was created nothing is summed, and forgotten facts say "no data" as the others do.
      assert.deepEqual(bySums, byTransitions)
    }),
  )
})

test('sums of closed days and transitions of the day that runs make one window', () => {
  const changes = [
    { ...online, atMs: 0 },
    { ...offline, atMs: 2.5 * DAY_MS },
    { from: 'OFFLINE', to: 'ONLINE', generation: 1, atMs: 3.25 * DAY_MS } as const,
  ]
  const facts = { ...NOTHING, changes }
  const kept = { ...facts, changes: changes.slice(1) }
  const history = { facts: kept, summed: daysOf(facts, 0, 2), exactFromMs: 2.5 * DAY_MS }
  assert.deepEqual(hours(uptimeOver(history, 0, 3.5 * DAY_MS)), { online: 66, offline: 18 })
})

test('of the day in which a window begins, the part in the window counts: exactly by transitions, else in proportion', () => {
  const changes = [
    { ...online, atMs: 0 },
    { ...offline, atMs: DAY_MS / 2 },
  ]
  const facts = { ...NOTHING, changes }
  const summed = daysOf(facts, 0, 0)
  const over = (exactFromMs: number, from: number) =>
    hours(uptimeOver({ facts, summed, exactFromMs }, from, DAY_MS))
  assert.deepEqual(over(0, DAY_MS / 4), { online: 6, offline: 12 })
  assert.deepEqual(over(DAY_MS, DAY_MS / 4), { online: 9, offline: 9 })
})

test('whatever is known, the parts of a window sum up to it and none is negative', () => {
  const anyHistory = fc.record({
    facts: anyFacts,
    first: fc.integer({ min: 0, max: 5 }),
    last: fc.integer({ min: 0, max: 5 }),
    partHours: fc.integer({ min: 0, max: 24 }),
    exactFromMs: fc.integer({ min: 0, max: 6 * DAY_MS }),
  })
  const anyWindow = fc.tuple(
    fc.integer({ min: -DAY_MS, max: 6 * DAY_MS }),
    fc.integer({ min: 1, max: 6 * DAY_MS }),
  )
  fc.assert(
    fc.property(anyHistory, anyWindow, ({ facts, first, last, partHours, exactFromMs }, [from, length]) => {
      const summed = daysOf(facts, first, last)
      const dayMs = (Math.max(first, last) + 1) * DAY_MS
      if (facts.createdMs < dayMs) {
        summed.set(dayMs, sumOfDay(facts, { dayMs, toMs: dayMs + partHours * 3_600_000 }))
      }
      const uptime = uptimeOver({ facts, summed, exactFromMs }, from, from + length)
      assert.ok(
        UPTIME_KINDS.every((kind) => uptime[kind] >= 0),
        JSON.stringify(uptime),
      )
      assert.ok(Math.abs(total(uptime) - length) < 1e-3, `${total(uptime)} of ${length}`)
    }),
  )
})

test('a day that is summed in parts is the day summed at once, in whole milliseconds', () => {
  const cuts = fc.array(fc.integer({ min: 1, max: DAY_MS - 1 }), { maxLength: 5 })
  fc.assert(
    fc.property(anyFacts, cuts, fc.integer({ min: 0, max: 5 }), (facts, moments, day) => {
      const dayMs = day * DAY_MS
      const atOnce = sumOfDay(facts, { dayMs, toMs: dayMs + DAY_MS })
      let before: SummedDay | undefined
      for (const moment of [...moments.toSorted((a, b) => a - b), DAY_MS]) {
        before = sumOfDay(facts, { dayMs, toMs: dayMs + moment, ...(before === undefined ? {} : { before }) })
      }
      if (facts.createdMs < dayMs + DAY_MS) {
        assert.deepEqual(before?.sums, atOnce.sums)
        assert.equal(
          total(atOnce.sums),
          dayMs + DAY_MS - Math.max(dayMs, facts.createdMs),
          'as long as it existed',
        )
      }
    }),
  )
})

test('until the first change that is kept, the status was what it began with, if nothing of that time was deleted', () => {
  const facts = { ...NOTHING, changes: [{ ...offline, atMs: 12 * 3_600_000 }] }
  assert.deepEqual(hours(uptimeIn(facts, 0, DAY_MS)), { noData: 12, offline: 12 })
  const complete = { ...facts, completeFromMs: 6 * 3_600_000 }
  assert.deepEqual(hours(uptimeIn(complete, 0, DAY_MS)), { noData: 6, online: 6, offline: 12 })
})

test('a pool of whose members nothing is known has no data', () => {
  const changes = [
    { ...online, atMs: 0 },
    { from: 'ONLINE', to: 'UNKNOWN', generation: 0, atMs: DAY_MS / 2 } as const,
  ]
  assert.deepEqual(hours(uptimeIn({ ...NOTHING, changes }, 0, DAY_MS)), { online: 12, noData: 12 })
})

test('the coverage is the part of a window of which something is known', () => {
  const history: UptimeHistory = {
    facts: { ...NOTHING, createdMs: 3 * DAY_MS, changes: [{ ...online, atMs: 3 * DAY_MS }] },
    summed: new Map(),
    exactFromMs: 0,
  }
  assert.equal(coverage(uptimeOver(history, 0, 4 * DAY_MS)), 0.25)
  assert.equal(dayOf(3.7 * DAY_MS), 3 * DAY_MS)
})
