/**
 * Uptime over windows that are longer than the transitions that are kept: sums of days where there are some, and
 * transitions for the rest. A day is a day of UTC.
 */
import {
  NO_UPTIME,
  type Timeline,
  timelineOf,
  type Uptime,
  UPTIME_KINDS,
  type UptimeFacts,
  type UptimeKind,
  uptimeIn,
  uptimeOn,
} from './uptime.ts'

export const DAY_MS = 86_400_000

/** The beginning of the day of a moment. */
export const dayOf = (ms: number): number => Math.floor(ms / DAY_MS) * DAY_MS

/**
 * What was summed of a day, from when the object existed in it to `toMs`: the end of the day, or an earlier moment while the day
 * still runs.
 */
export interface SummedDay {
  readonly dayMs: number
  readonly toMs: number
  readonly sums: Uptime
}

export interface UptimeHistory {
  readonly facts: UptimeFacts
  /** By the beginning of their days. */
  readonly summed: ReadonlyMap<number, SummedDay>
  /** Before this moment transitions, or times that stand apart, may be missing from the facts. */
  readonly exactFromMs: number
}

/** Milliseconds since 1970. */
export interface Window {
  readonly fromMs: number
  readonly toMs: number
}

/**
 * Sums each window; the parts sum up to the window. Where one begins within a day of which only the sum is left, the part of
 * that sum counts that lies in the window. The timeline of the facts is made once, for all windows and all their days.
 */
export function uptimesOver(history: UptimeHistory, windows: readonly Window[]): readonly Uptime[] {
  const timeline = timelineOf(history.facts)
  return windows.map((window) => {
    const total: Record<UptimeKind, number> = { ...NO_UPTIME }
    for (let day = dayOf(window.fromMs); day < window.toMs; day += DAY_MS) {
      const from = Math.max(window.fromMs, day)
      const to = Math.min(window.toMs, day + DAY_MS)
      const ofDay = uptimeOfDay(history, timeline, { fromMs: from, toMs: to })
      for (const kind of UPTIME_KINDS) total[kind] += ofDay[kind]
    }
    return total
  })
}

/** Sums one window, as `uptimesOver`. */
export function uptimeOver(history: UptimeHistory, fromMs: number, toMs: number): Uptime {
  return uptimesOver(history, [{ fromMs, toMs }])[0] ?? NO_UPTIME
}

/** Of a window within one day. */
function uptimeOfDay(
  { facts, summed, exactFromMs }: UptimeHistory,
  timeline: Timeline,
  { fromMs, toMs }: Window,
): Uptime {
  const day = dayOf(fromMs)
  const known = summed.get(day)
  if (toMs <= facts.createdMs) return { ...NO_UPTIME, noData: toMs - fromMs }
  if (known === undefined) return uptimeOn(timeline, fromMs, toMs)
  const begin = Math.max(day, facts.createdMs)
  const end = Math.min(known.toMs, toMs)
  const isWhole = fromMs <= begin && known.toMs <= toMs
  if (!isWhole && (fromMs >= known.toMs || fromMs >= exactFromMs)) return uptimeOn(timeline, fromMs, toMs)
  const from = Math.max(fromMs, begin)
  const length = known.toMs - begin
  const share = isWhole ? 1 : length <= 0 ? 0 : Math.max(0, end - from) / length
  const rest = end < toMs ? uptimeOn(timeline, Math.max(from, end), toMs) : NO_UPTIME
  const total: Record<UptimeKind, number> = { ...rest }
  for (const kind of UPTIME_KINDS) total[kind] += known.sums[kind] * share
  // Before the object existed.
  total.noData += Math.max(0, Math.min(from, toMs) - fromMs)
  return total
}

/** The part of the window of which something is known: all that is not "no data", 0 to 1. */
export function coverage(uptime: Uptime): number {
  const window = UPTIME_KINDS.reduce((sum, kind) => sum + uptime[kind], 0)
  return window === 0 ? 0 : (window - uptime.noData) / window
}

/**
 * Adds what facts say of a day, from where `before` ends (absent: from when the object existed) up to `toMs`. Whole milliseconds
 * that sum up to what is summed.
 */
export function sumOfDay(
  facts: UptimeFacts,
  { dayMs, toMs, before }: { readonly dayMs: number; readonly toMs: number; readonly before?: SummedDay },
): SummedDay {
  const from = before?.toMs ?? Math.max(dayMs, Math.ceil(facts.createdMs))
  const added = toMs > from ? uptimeIn(facts, from, toMs) : NO_UPTIME
  const sums: Record<UptimeKind, number> = { ...NO_UPTIME }
  let left = Math.max(0, toMs - from)
  for (const kind of UPTIME_KINDS) {
    const ms = kind === 'noData' ? left : Math.min(left, Math.round(added[kind]))
    left -= ms
    sums[kind] = (before?.sums[kind] ?? 0) + ms
  }
  return { dayMs, toMs: Math.max(toMs, from), sums }
}
