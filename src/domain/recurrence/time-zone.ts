/**
 * Time zones: from a local time to an instant and back, by the IANA database that Node carries. A local time is written as
 * the milliseconds that it would have in UTC.
 */
import { TIME_ZONE_MAX } from '../limits.ts'
import { DAY_MS } from './calendar-day.ts'

const NAME = /^[A-Za-z][\w+-]*(\/[\w+-]+){0,2}$/

/** By the name in small letters: Node reads names so. It knows about 600 of them, which bounds this. */
const clocks = new Map<string, Intl.DateTimeFormat>()

/** Whether the IANA database has a zone of this name. */
export function isTimeZone(name: string): boolean {
  if (name.length > TIME_ZONE_MAX || !NAME.test(name)) return false
  try {
    clockOf(name)
    return true
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

function clockOf(zone: string): Intl.DateTimeFormat {
  const key = zone.toLowerCase()
  let clock = clocks.get(key)
  if (clock === undefined) {
    clock = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    clocks.set(key, clock)
  }
  return clock
}

/** Local time minus UTC at an instant, in milliseconds. */
export function offsetAt(zone: string, instantMs: number): number {
  const shown = clockOf(zone).format(instantMs)
  const [month = 0, day = 0, year = 0, hour = 0, minute = 0, second = 0] = (shown.match(/\d+/g) ?? []).map(
    Number,
  )
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instantMs / 1000) * 1000
}

/**
 * The instant of a local time. Of a time that a clock shows twice it is the first; one that it leaves out is undefined
 * (RFC 5545 sections 3.3.5 and 3.3.10).
 */
export function instantOf(zone: string, localMs: number): number | undefined {
  const before = offsetAt(zone, localMs - DAY_MS)
  const after = offsetAt(zone, localMs + DAY_MS)
  if (before === after) return localMs - before
  const instants = [localMs - before, localMs - after]
  return instants
    .filter((instantMs) => instantMs + offsetAt(zone, instantMs) === localMs)
    .reduce<number | undefined>((first, each) => Math.min(first ?? each, each), undefined)
}

/** RFC 3339 with the zone's offset at that instant: 2026-12-06T02:00:00+01:00. */
export function localText(zone: string, instantMs: number): string {
  const offsetMs = offsetAt(zone, instantMs)
  const minutes = Math.abs(offsetMs) / 60_000
  const digits = (value: number) => String(Math.floor(value)).padStart(2, '0')
  const sign = offsetMs < 0 ? '-' : '+'
  return `${localTimeText(instantMs + offsetMs)}${sign}${digits(minutes / 60)}:${digits(minutes % 60)}`
}

/** A local time without zone, to the second: 2026-12-06T02:00:00. */
export function localTimeText(localMs: number): string {
  return new Date(localMs).toISOString().slice(0, 'yyyy-mm-ddThh:mm:ss'.length)
}
