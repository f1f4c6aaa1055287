import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type StatusChange,
  UPTIME_KINDS,
  type UptimeFacts,
  uptimeIn,
  upShare,
} from '../../../../src/domain/status/uptime.ts'

const NOTHING: UptimeFacts = {
  createdMs: 0,
  changes: [],
  asides: [],
  generations: [],
  firstVerdicts: [],
}
const change = (
  atMs: number,
  from: StatusChange['from'],
  to: StatusChange['to'],
  generation = 1,
): StatusChange => ({ atMs, from, to, generation })

/** Kinds with their milliseconds, without those that are 0. */
function sums(facts: Partial<UptimeFacts>, from: number, to: number): Readonly<Record<string, number>> {
  const uptime = uptimeIn({ ...NOTHING, ...facts }, from, to)
  return Object.fromEntries(Object.entries(uptime).filter(([, ms]) => ms !== 0))
}

test('from one transition to the next a member has the status of the first', () => {
  const changes = [
    change(100, 'UNKNOWN', 'ONLINE'),
    change(400, 'ONLINE', 'OFFLINE'),
    change(600, 'OFFLINE', 'ONLINE'),
  ]
  assert.deepEqual(sums({ changes }, 100, 1000), { online: 700, offline: 200 })
  assert.deepEqual(sums({ changes }, 500, 1000), { online: 400, offline: 100 })
})

test('before the first verdict it was pending; before it was created, and before what is kept, there is no data', () => {
  const made = { createdMs: 200 }
  assert.deepEqual(sums({ ...made, changes: [change(300, 'UNKNOWN', 'ONLINE')] }, 0, 1000), {
    noData: 200,
    pending: 100,
    online: 700,
  })
  assert.deepEqual(sums({ ...made, changes: [change(300, 'ONLINE', 'OFFLINE')] }, 0, 1000), {
    noData: 300,
    offline: 700,
  })
  assert.deepEqual(sums(made, 0, 1000), { noData: 200, pending: 800 })
})

test('the first verdict of a generation ends the wait for it, also where it changes nothing', () => {
  const changes = [change(0, 'UNKNOWN', 'ONLINE')]
  const generations = [{ atMs: 300, generation: 7 }]
  assert.deepEqual(sums({ changes, generations }, 0, 1000), { online: 300, pending: 700 })
  const firstVerdicts = [
    { atMs: 350, generation: 6 },
    { atMs: 400, generation: 7 },
  ]
  assert.deepEqual(sums({ changes, generations, firstVerdicts }, 0, 1000), { online: 900, pending: 100 })
})

test('without a monitor there is no data', () => {
  const changes = [change(0, 'UNKNOWN', 'ONLINE')]
  const asides = [{ kind: 'noMonitor', beginMs: 400, endMs: 700 }] as const
  assert.deepEqual(sums({ changes, asides }, 0, 1000), { online: 700, noData: 300 })
})

test('times that stand apart count neither as ONLINE nor as OFFLINE, whatever they overlap with', () => {
  const changes = [change(0, 'UNKNOWN', 'OFFLINE')]
  const asides = [
    { kind: 'off', beginMs: 100, endMs: 200 },
    { kind: 'off', beginMs: 150, endMs: 250 },
    { kind: 'maintenance', beginMs: 200, endMs: 400 },
    { kind: 'maintenance', beginMs: 900, endMs: Number.POSITIVE_INFINITY },
  ] as const
  assert.deepEqual(sums({ changes, asides }, 0, 1000), { offline: 600, off: 150, maintenance: 250 })
})

test('a new generation is pending until its own first verdict, not until one of the generation before', () => {
  const generations = [{ atMs: 500, generation: 2 }]
  const changes = [
    change(0, 'UNKNOWN', 'ONLINE', 1),
    change(520, 'ONLINE', 'OFFLINE', 1),
    change(600, 'UNKNOWN', 'ONLINE', 2),
  ]
  assert.deepEqual(sums({ changes, generations }, 0, 1000), { online: 900, pending: 100 })
  assert.deepEqual(sums({ changes: changes.slice(0, 2), generations }, 0, 1000), {
    online: 500,
    pending: 500,
  })
})

test('what was never known has no share, and a moment OFFLINE is never 1', () => {
  assert.equal(upShare(uptimeIn(NOTHING, 0, 1000)), null)
  const changes = [change(0, 'UNKNOWN', 'ONLINE'), change(999, 'ONLINE', 'OFFLINE')]
  assert.equal(upShare(uptimeIn({ ...NOTHING, changes }, 0, 1000)), 0.999)
})

test('whatever happened, the parts sum up to the window and none is negative', () => {
  const at = fc.integer({ min: -500, max: 1500 })
  const changes = fc
    .array(
      fc.record({
        atMs: at,
        to: fc.constantFrom('ONLINE' as const, 'OFFLINE' as const),
        generation: fc.nat(4),
      }),
    )
    .map((all) =>
      all
        .toSorted((a, b) => a.atMs - b.atMs)
        .map((each, i) => ({ ...each, from: i === 0 ? ('UNKNOWN' as const) : ('ONLINE' as const) })),
    )
  const asides = fc.array(
    fc
      .tuple(fc.constantFrom('off' as const, 'maintenance' as const, 'noMonitor' as const), at, fc.nat(800))
      .map(([kind, beginMs, ms]) => ({ kind, beginMs, endMs: beginMs + ms })),
  )
  const generations = fc.array(fc.record({ atMs: at, generation: fc.nat(4) }))
  const firstVerdicts = generations
  fc.assert(
    fc.property(fc.record({ createdMs: at, changes, asides, generations, firstVerdicts }), (facts) => {
      const uptime = uptimeIn(facts, 0, 1000)
      const all = UPTIME_KINDS.map((kind) => uptime[kind])
      assert.ok(
        all.every((ms) => ms >= 0),
        JSON.stringify(uptime),
      )
      assert.equal(
        all.reduce((sum, ms) => sum + ms, 0),
        1000,
      )
    }),
  )
})
