/**
 * For how long a member was ONLINE, from its transitions. Only time whose status is known counts. What stands apart, in
 * this order: no data (before the member or the first transition that is kept, or without a monitor), switched off, pending (no
 * verdict since the configuration changed), maintenance (the published status is held).
 *
 * The same for pools, which are up while they serve: ONLINE stands for their ONLINE and DEGRADED, OFFLINE for ERROR.
 */
import { type AwaitedVerdict, firstVerdictsOf } from './first-verdicts.ts'

export interface StatusChange {
  readonly atMs: number
  /** UNKNOWN: a first verdict, which was awaited until then; undefined: nothing is known of the time before. */
  readonly from: 'UNKNOWN' | 'ONLINE' | 'OFFLINE' | undefined
  /** UNKNOWN, of pools: nothing is known of their members. */
  readonly to: 'ONLINE' | 'OFFLINE' | 'UNKNOWN'
  readonly generation: number
}

/** A time that stands apart; `endMs` is infinite while it lasts. */
export interface Aside {
  readonly kind: 'off' | 'maintenance' | 'noMonitor'
  readonly beginMs: number
  readonly endMs: number
}

/** From here on verdicts of older generations did not count. */
export type NewGeneration = AwaitedVerdict

/** The first verdict of a generation, also where it changed nothing that is published. */
export type FirstVerdict = AwaitedVerdict

export interface UptimeFacts {
  readonly createdMs: number
  /** Ascending; the kept ones. */
  readonly changes: readonly StatusChange[]
  /** No change after this moment was deleted: until the first that is kept, the status was what that one began with. */
  readonly completeFromMs?: number
  readonly asides: readonly Aside[]
  readonly generations: readonly NewGeneration[]
  readonly firstVerdicts: readonly FirstVerdict[]
}

export const UPTIME_KINDS = ['online', 'offline', 'pending', 'off', 'maintenance', 'noData'] as const
export type UptimeKind = (typeof UPTIME_KINDS)[number]
/** Milliseconds by kind; their sum is the window. */
export type Uptime = Readonly<Record<UptimeKind, number>>

/** What an object was at every moment: made once of its facts, then each window is two look-ups. */
export interface Timeline {
  /** Moments at which the kind changed, ascending; before the first one there is no data. */
  readonly atMs: readonly number[]
  /** The kind from that moment to the next one. */
  readonly kinds: readonly UptimeKind[]
  /** Milliseconds by kind from the first moment to each of them, in the order of UPTIME_KINDS. */
  readonly sums: Float64Array
}

/** What changes at one moment. */
interface Point {
  readonly atMs: number
  readonly apply: (state: State) => void
}

interface State {
  isMade: boolean
  status: 'ONLINE' | 'OFFLINE' | undefined
  off: number
  noMonitor: number
  pending: number
  maintenance: number
}

/** Takes n log n for n facts. */
export function timelineOf(facts: UptimeFacts): Timeline {
  const atMs: number[] = []
  const kinds: UptimeKind[] = []
  const state: State = { isMade: false, status: undefined, off: 0, noMonitor: 0, pending: 0, maintenance: 0 }
  for (const point of pointsOf(facts)) {
    point.apply(state)
    const last = atMs.length - 1
    if (atMs[last] === point.atMs) kinds[last] = kindOf(state)
    else if (kinds[last] !== kindOf(state)) {
      atMs.push(point.atMs)
      kinds.push(kindOf(state))
    }
  }
  return { atMs, kinds, sums: sumsUpTo(atMs, kinds) }
}

function sumsUpTo(atMs: readonly number[], kinds: readonly UptimeKind[]): Float64Array {
  const width = UPTIME_KINDS.length
  const sums = new Float64Array(atMs.length * width)
  for (let i = 1; i < atMs.length; i++) {
    sums.copyWithin(i * width, (i - 1) * width, i * width)
    const of = i * width + PLACE_OF[kinds[i - 1] ?? 'noData']
    sums[of] = (sums[of] ?? 0) + (atMs[i] ?? 0) - (atMs[i - 1] ?? 0)
  }
  return sums
}

const PLACE_OF = Object.fromEntries(UPTIME_KINDS.map((kind, i) => [kind, i])) as Readonly<
  Record<UptimeKind, number>
>

/** Sums the window from `fromMs` to `toMs` of a timeline. */
export function uptimeOn(timeline: Timeline, fromMs: number, toMs: number): Uptime {
  const sums: Record<UptimeKind, number> = { ...NO_UPTIME }
  if (toMs <= fromMs) return sums
  addUpTo(sums, timeline, toMs, 1)
  addUpTo(sums, timeline, fromMs, -1)
  return sums
}

/** Adds what lies between the first moment of the timeline and this one, times `sign`; before the first: what is missing. */
function addUpTo(
  sums: Record<UptimeKind, number>,
  { atMs, kinds, sums: upTo }: Timeline,
  ms: number,
  sign: 1 | -1,
): void {
  const last = countUpTo(atMs, ms) - 1
  if (last >= 0) {
    let place = last * UPTIME_KINDS.length
    for (const kind of UPTIME_KINDS) sums[kind] += sign * (upTo[place++] ?? 0)
  }
  sums[kinds[last] ?? 'noData'] += sign * (ms - (atMs[Math.max(last, 0)] ?? 0))
}

/** How many of the moments are not after this one. */
function countUpTo(atMs: readonly number[], ms: number): number {
  let low = 0
  let high = atMs.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((atMs[middle] ?? 0) <= ms) low = middle + 1
    else high = middle
  }
  return low
}

export const NO_UPTIME: Uptime = { online: 0, offline: 0, pending: 0, off: 0, maintenance: 0, noData: 0 }

/** Sums one window. Whoever sums several makes the timeline once. */
export function uptimeIn(facts: UptimeFacts, fromMs: number, toMs: number): Uptime {
  return uptimeOn(timelineOf(facts), fromMs, toMs)
}

/** The part of the known time that was ONLINE, 0 to 1; null = the status was never known. */
export function upShare({ online, offline }: Uptime): number | null {
  return online + offline === 0 ? null : online / (online + offline)
}

function kindOf({ isMade, status, off, noMonitor, pending, maintenance }: State): UptimeKind {
  if (!isMade || noMonitor > 0) return 'noData'
  if (off > 0) return 'off'
  if (pending > 0) return 'pending'
  if (status === undefined) return 'noData'
  if (maintenance > 0) return 'maintenance'
  return status === 'ONLINE' ? 'online' : 'offline'
}

function pointsOf(facts: UptimeFacts): readonly Point[] {
  const { createdMs, changes, asides, generations, firstVerdicts } = facts
  const count = (kind: Aside['kind'] | 'pending', beginMs: number, endMs: number): Point[] => [
    { atMs: beginMs, apply: (state) => void (state[kind] += 1) },
    { atMs: endMs, apply: (state) => void (state[kind] -= 1) },
  ]
  const first = changes[0]
  const ends = firstVerdictsOf(generations, [...changes, ...firstVerdicts])
  return [
    { atMs: createdMs, apply: (state: State) => void (state.isMade = true) },
    // A first verdict: until then it was awaited. Another one: those before it were deleted.
    ...(first === undefined || first.from === 'UNKNOWN'
      ? count('pending', createdMs, first?.atMs ?? Number.POSITIVE_INFINITY)
      : []),
    ...statusBefore(facts),
    ...changes.map(({ atMs, to }): Point => {
      const status = to === 'UNKNOWN' ? undefined : to
      return { atMs, apply: (state) => void (state.status = status) }
    }),
    ...asides.flatMap(({ kind, beginMs, endMs }) => count(kind, beginMs, endMs)),
    ...generations.flatMap(({ atMs }, i) => count('pending', atMs, ends[i] ?? Number.POSITIVE_INFINITY)),
  ]
    .filter(({ atMs }) => atMs !== Number.POSITIVE_INFINITY)
    .toSorted((a, b) => a.atMs - b.atMs)
}

/** The status before the first change that is kept, where no change of that time is missing. */
function statusBefore({ changes: [first], completeFromMs = Number.POSITIVE_INFINITY }: UptimeFacts): Point[] {
  if (first === undefined || completeFromMs >= first.atMs) return []
  const { from } = first
  if (from !== 'ONLINE' && from !== 'OFFLINE') return []
  return [{ atMs: completeFromMs, apply: (state) => void (state.status = from) }]
}
