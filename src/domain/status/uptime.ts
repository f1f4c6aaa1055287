/**
 * For how long a member was ONLINE, from its transitions. Only time whose status is known counts. What stands apart, in
 * this order: no data (before the member or the first transition that is kept, or without a monitor), switched off, pending (no
 * verdict since the configuration changed), maintenance (the published status is held).
 *
 * The same for pools, which are up while they serve: ONLINE stands for their ONLINE and DEGRADED, OFFLINE for ERROR.
 */
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
export interface NewGeneration {
  readonly atMs: number
  readonly generation: number
}

/** The first verdict of a generation, also where it changed nothing that is published. */
export interface FirstVerdict {
  readonly atMs: number
  readonly generation: number
}

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

/** Sums the window from `fromMs` to `toMs`. */
export function uptimeIn(facts: UptimeFacts, fromMs: number, toMs: number): Uptime {
  const sums: Record<UptimeKind, number> = {
    online: 0,
    offline: 0,
    pending: 0,
    off: 0,
    maintenance: 0,
    noData: 0,
  }
  const state: State = { isMade: false, status: undefined, off: 0, noMonitor: 0, pending: 0, maintenance: 0 }
  let at = fromMs
  for (const point of pointsOf(facts)) {
    const until = Math.min(Math.max(point.atMs, fromMs), toMs)
    sums[kindOf(state)] += until - at
    at = until
    point.apply(state)
  }
  sums[kindOf(state)] += toMs - at
  return sums
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
    ...generations.flatMap(({ atMs, generation }) =>
      count('pending', atMs, firstVerdictAfter([...changes, ...firstVerdicts], atMs, generation)),
    ),
  ].toSorted((a, b) => a.atMs - b.atMs)
}

/** The status before the first change that is kept, where no change of that time is missing. */
function statusBefore({ changes: [first], completeFromMs = Number.POSITIVE_INFINITY }: UptimeFacts): Point[] {
  if (first === undefined || completeFromMs >= first.atMs) return []
  const { from } = first
  if (from !== 'ONLINE' && from !== 'OFFLINE') return []
  return [{ atMs: completeFromMs, apply: (state) => void (state.status = from) }]
}

function firstVerdictAfter(verdicts: readonly FirstVerdict[], atMs: number, generation: number): number {
  const later = verdicts.filter((verdict) => verdict.generation >= generation && verdict.atMs >= atMs)
  return Math.min(...later.map((verdict) => verdict.atMs))
}
