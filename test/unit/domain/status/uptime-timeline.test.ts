/** The timeline of an uptime against the plain function that it replaced, which looks at every fact for every window. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { firstVerdictsOf } from '../../../../src/domain/status/first-verdicts.ts'
import {
  type Aside,
  type FirstVerdict,
  NO_UPTIME,
  type StatusChange,
  timelineOf,
  type Uptime,
  type UptimeFacts,
  type UptimeKind,
  uptimeOn,
} from '../../../../src/domain/status/uptime.ts'
import {
  DAY_MS,
  dayOf,
  sumOfDay,
  type UptimeHistory,
  uptimesOver,
} from '../../../../src/domain/status/uptime-days.ts'

interface State {
  isMade: boolean
  status: 'ONLINE' | 'OFFLINE' | undefined
  off: number
  noMonitor: number
  pending: number
  maintenance: number
}
interface Point {
  readonly atMs: number
  readonly apply: (state: State) => void
}

/** Sums one window by walking over all facts. */
function plainUptimeIn(facts: UptimeFacts, fromMs: number, toMs: number): Uptime {
  const sums: Record<UptimeKind, number> = { ...NO_UPTIME }
  const state: State = { isMade: false, status: undefined, off: 0, noMonitor: 0, pending: 0, maintenance: 0 }
  let at = fromMs
  for (const point of plainPoints(facts)) {
    const until = Math.min(Math.max(point.atMs, fromMs), toMs)
    sums[plainKind(state)] += until - at
    at = until
    point.apply(state)
  }
  sums[plainKind(state)] += toMs - at
  return sums
}

function plainKind({ isMade, status, off, noMonitor, pending, maintenance }: State): UptimeKind {
  if (!isMade || noMonitor > 0) return 'noData'
  if (off > 0) return 'off'
  if (pending > 0) return 'pending'
  if (status === undefined) return 'noData'
  if (maintenance > 0) return 'maintenance'
  return status === 'ONLINE' ? 'online' : 'offline'
}

function plainPoints(facts: UptimeFacts): readonly Point[] {
  const { createdMs, changes, completeFromMs = Number.POSITIVE_INFINITY } = facts
  const count = (kind: Aside['kind'] | 'pending', beginMs: number, endMs: number): Point[] => [
    { atMs: beginMs, apply: (state) => void (state[kind] += 1) },
    { atMs: endMs, apply: (state) => void (state[kind] -= 1) },
  ]
  const set = (atMs: number, status: State['status']): Point => ({
    atMs,
    apply: (state) => void (state.status = status),
  })
  const first = changes[0]
  const points: Point[] = [{ atMs: createdMs, apply: (state) => void (state.isMade = true) }]
  if (first === undefined || first.from === 'UNKNOWN')
    points.push(...count('pending', createdMs, first?.atMs ?? Number.POSITIVE_INFINITY))
  if (
    first !== undefined &&
    completeFromMs < first.atMs &&
    (first.from === 'ONLINE' || first.from === 'OFFLINE')
  )
    points.push(set(completeFromMs, first.from))
  for (const { atMs, to } of changes) points.push(set(atMs, to === 'UNKNOWN' ? undefined : to))
  for (const { kind, beginMs, endMs } of facts.asides) points.push(...count(kind, beginMs, endMs))
  for (const { atMs, generation } of facts.generations)
    points.push(...count('pending', atMs, plainFirst([...changes, ...facts.firstVerdicts], atMs, generation)))
  return points.toSorted((a, b) => a.atMs - b.atMs)
}

function plainFirst(verdicts: readonly FirstVerdict[], atMs: number, generation: number): number {
  const later = verdicts.filter((verdict) => verdict.generation >= generation && verdict.atMs >= atMs)
  return Math.min(...later.map((verdict) => verdict.atMs))
}

/** A window day by day, as it was summed before there was a timeline. */
function plainUptimeOver(
  { facts, summed, exactFromMs }: UptimeHistory,
  fromMs: number,
  toMs: number,
): Uptime {
  const total: Record<UptimeKind, number> = { ...NO_UPTIME }
  const add = (uptime: Uptime, share = 1) => {
    for (const kind of Object.keys(total) as UptimeKind[]) total[kind] += uptime[kind] * share
  }
  for (let day = dayOf(fromMs); day < toMs; day += DAY_MS) {
    const [begins, ends] = [Math.max(fromMs, day), Math.min(toMs, day + DAY_MS)]
    const known = summed.get(day)
    const exists = Math.max(day, facts.createdMs)
    const isWhole = known !== undefined && begins <= exists && known.toMs <= ends
    if (ends <= facts.createdMs) add({ ...NO_UPTIME, noData: ends - begins })
    else if (known === undefined || (!isWhole && (begins >= known.toMs || begins >= exactFromMs)))
      add(plainUptimeIn(facts, begins, ends))
    else {
      const end = Math.min(known.toMs, ends)
      const from = Math.max(begins, exists)
      const length = known.toMs - exists
      add(known.sums, isWhole ? 1 : length <= 0 ? 0 : Math.max(0, end - from) / length)
      if (end < ends) add(plainUptimeIn(facts, Math.max(from, end), ends))
      add({ ...NO_UPTIME, noData: Math.max(0, Math.min(from, ends) - begins) })
    }
  }
  return total
}

const SPAN_MS = 5 * DAY_MS
/** Few moments, so that many facts fall on the same one; or any. */
const moment = fc.oneof(
  fc.integer({ min: -4, max: 40 }).map((n) => n * (DAY_MS / 8)),
  fc.integer({ min: -DAY_MS, max: SPAN_MS }),
)
const marks = fc.array(fc.record({ atMs: moment, generation: fc.nat(6) }), { maxLength: 12 })
const status = fc.constantFrom('ONLINE', 'OFFLINE', 'UNKNOWN')
const anyChanges = fc
  .array(fc.record({ atMs: moment, from: status, to: status, generation: fc.nat(6) }), { maxLength: 12 })
  .map((all) => all.toSorted((a, b) => a.atMs - b.atMs) as StatusChange[])
const anyAsides = fc.array(
  fc.record({
    kind: fc.constantFrom('off', 'maintenance', 'noMonitor'),
    beginMs: moment,
    endMs: fc.oneof(moment, fc.constant(Number.POSITIVE_INFINITY)),
  }),
  { maxLength: 8 },
) as fc.Arbitrary<Aside[]>
const anyFacts: fc.Arbitrary<UptimeFacts> = fc.record({
  createdMs: moment,
  changes: anyChanges,
  completeFromMs: fc.oneof(moment, fc.constant(Number.POSITIVE_INFINITY)),
  asides: anyAsides,
  generations: marks,
  firstVerdicts: marks,
})
const anyWindow = fc.tuple(moment, fc.integer({ min: 0, max: SPAN_MS })).map(([fromMs, ms]) => ({
  fromMs,
  toMs: fromMs + ms,
}))

test('the end of the wait of each generation is the one that a search for each of them finds', () => {
  fc.assert(
    fc.property(marks, marks, (generations, verdicts) => {
      const ends = generations.map(({ atMs, generation }) => plainFirst(verdicts, atMs, generation))
      assert.deepEqual(firstVerdictsOf(generations, verdicts), ends)
    }),
  )
})

test('every window of a timeline is what a walk over all facts says', () => {
  fc.assert(
    fc.property(anyFacts, fc.array(anyWindow, { maxLength: 6 }), (facts, windows) => {
      const timeline = timelineOf(facts)
      for (const { fromMs, toMs } of windows)
        assert.deepEqual(uptimeOn(timeline, fromMs, toMs), plainUptimeIn(facts, fromMs, toMs))
    }),
  )
})

test('windows over sums of days and facts are what a walk over all facts says, for every day', () => {
  const anyDays = fc.uniqueArray(fc.integer({ min: -1, max: 5 }), { maxLength: 5 })
  fc.assert(
    fc.property(
      fc.record({ facts: anyFacts, days: anyDays, partMs: fc.nat(DAY_MS), exactFromMs: moment }),
      fc.array(anyWindow, { maxLength: 4 }),
      ({ facts, days, partMs, exactFromMs }, windows) => {
        const summed = new Map(
          days
            .map((day, i) => ({ dayMs: day * DAY_MS, ms: i === 0 ? partMs : DAY_MS }))
            .filter(({ dayMs }) => facts.createdMs < dayMs + DAY_MS)
            .map(({ dayMs, ms }) => [dayMs, sumOfDay(facts, { dayMs, toMs: dayMs + ms })]),
        )
        const history = { facts, summed, exactFromMs }
        const expected = windows.map(({ fromMs, toMs }) => plainUptimeOver(history, fromMs, toMs))
        assert.deepEqual(uptimesOver(history, windows), expected)
      },
    ),
  )
})

test('the work of 90 days and four windows grows as the facts do, not as their square', () => {
  const count = 2000
  let reads = 0
  const counted = (atMs: number, generation: number) => ({
    get atMs() {
      reads += 1
      return atMs
    },
    generation,
  })
  const facts: UptimeFacts = {
    createdMs: 0,
    changes: [{ atMs: 1, from: 'UNKNOWN', to: 'ONLINE', generation: 0 }],
    asides: [],
    generations: Array.from({ length: count }, (_, i) => counted(2 * i * 1000, i + 1)),
    firstVerdicts: Array.from({ length: count }, (_, i) => counted((2 * i + 1) * 1000, i + 1)),
  }
  const history = { facts, summed: new Map(), exactFromMs: 0 }
  const days = Array.from({ length: 90 }, (_, i) => ({ fromMs: i * DAY_MS, toMs: (i + 1) * DAY_MS }))
  const [first] = uptimesOver(history, [...days, { fromMs: 0, toMs: 90 * DAY_MS }])
  assert.equal(first?.pending, count * 1000)
  assert.ok(reads < 100 * count, `${reads} reads of ${2 * count} facts`)
})
