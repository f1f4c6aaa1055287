/**
 * Maintenance: a time for which a member, a pool or a monitor is worked on. Probing continues and results count, but no
 * transition is published: the published status stays until the end, when the current status is published. Begin and
 * end need no write: readers compare the times with a wall clock.
 *
 * One that recurs has its next occurrences stored with it. `start` and `end` are those of the one that lasts or comes
 * next, so that whoever reads only these sees one interval. When it is over, they are moved on (ADR 29).
 */
import {
  firstOccurrences,
  type Occurrence,
  occurrencesAt,
  type Recurrence,
} from '../recurrence/recurrence.ts'
import { RecurrenceRefusal } from '../recurrence/refusal.ts'

/** As it is stored and sent: RFC 3339, `start` and `end` in UTC; `end` null = until it is removed. */
export interface Maintenance {
  readonly start: string
  readonly end: string | null
  readonly note: string
  readonly recurrence?: Recurrence
  /** Only of one that recurs: the occurrence of `start` and `end`, and the next ones. */
  readonly occurrences?: readonly Occurrence[]
}

/** The kind of object that has the maintenance. */
export type MaintainedKind = 'member' | 'pool' | 'healthmonitor'

/** A maintenance that concerns a member, now or later. */
export interface MemberMaintenance extends Maintenance {
  readonly of: MaintainedKind
  /** Whether it lasts at the time at which it was asked for. */
  readonly active: boolean
}

/** Milliseconds of the wall clock; `endMs` is infinite where there is no end. */
export interface MaintenanceWindow {
  readonly startMs: number
  readonly endMs: number
}

/** Of each occurrence that is stored: one that was not moved on yet has the next ones all the same. */
export function windowsOf({ start, end, occurrences }: Maintenance): readonly MaintenanceWindow[] {
  return (occurrences ?? [{ start, end }]).map((each) => ({
    startMs: Date.parse(each.start),
    endMs: each.end === null ? Number.POSITIVE_INFINITY : Date.parse(each.end),
  }))
}

/** A maintenance that recurs, as it is stored first. Throws RecurrenceRefusal as `firstOccurrences`. */
export function recurringMaintenance(
  { note, recurrence }: Pick<Required<Maintenance>, 'note' | 'recurrence'>,
  wallMs: number,
): Maintenance {
  const occurrences = firstOccurrences(recurrence, wallMs)
  const maintenance = withOccurrences({ note, recurrence }, occurrences)
  if (maintenance === undefined) throw new Error('a recurrence that occurs has no occurrence')
  return maintenance
}

/**
 * One that recurs, moved on to what lasts or comes next. One that does not occur any more keeps its last occurrence, which
 * is over, as a maintenance that does not recur does. It stays as it is where this process does not know its time zone, as
 * another one may: the database of time zones is that of Node.
 */
export function movedOn(maintenance: Maintenance, wallMs: number): Maintenance {
  const { recurrence, occurrences = [] } = maintenance
  if (recurrence === undefined) return maintenance
  try {
    return (
      withOccurrences(maintenance, occurrencesAt(recurrence, wallMs)) ??
      withOccurrences(maintenance, occurrences.slice(-1)) ??
      maintenance
    )
  } catch (error) {
    if (error instanceof RecurrenceRefusal) return maintenance
    throw error
  }
}

/** As it is at a time: without the occurrences that are over. */
export function presentMaintenance(maintenance: Maintenance, wallMs: number): Maintenance {
  const { occurrences } = maintenance
  if (occurrences === undefined) return maintenance
  const left = occurrences.filter(({ end }) => Date.parse(end) > wallMs)
  return withOccurrences(maintenance, left) ?? { ...maintenance, occurrences: [] }
}

function withOccurrences(
  { note, recurrence }: Pick<Maintenance, 'note' | 'recurrence'>,
  occurrences: readonly Occurrence[],
): Maintenance | undefined {
  const [first] = occurrences
  if (first === undefined || recurrence === undefined) return undefined
  const utc = (instant: string): string => new Date(instant).toISOString()
  return {
    start: utc(first.start),
    end: utc(first.end),
    note,
    recurrence: inReadingOrder(recurrence),
    occurrences: occurrences.map(({ start, end }) => ({ start, end })),
  }
}

/** PostgreSQL keeps the keys of JSON in an order of its own, in which an end comes before its start. */
function inReadingOrder({ rrule, time_zone, start, duration, except }: Recurrence): Recurrence {
  return { rrule, time_zone, start, duration, ...(except === undefined ? {} : { except }) }
}

/** Whether one of the windows lasts: from its start up to, not including, its end. */
export function isMaintained(windows: readonly MaintenanceWindow[] | undefined, wallMs: number): boolean {
  if (windows === undefined) return false
  for (const { startMs, endMs } of windows) if (startMs <= wallMs && wallMs < endMs) return true
  return false
}

/** Those that last or are to come, by their start. */
export function maintenanceAt(
  all: Readonly<Partial<Record<MaintainedKind, Maintenance | null>>>,
  wallMs: number,
): readonly MemberMaintenance[] {
  const kinds = ['member', 'pool', 'healthmonitor'] as const
  return kinds
    .flatMap((of) => {
      const maintenance = all[of]
      if (maintenance === undefined || maintenance === null) return []
      const windows = windowsOf(maintenance)
      if (windows.every(({ endMs }) => endMs <= wallMs)) return []
      return [{ ...presentMaintenance(maintenance, wallMs), of, active: isMaintained(windows, wallMs) }]
    })
    .sort((a, b) => Date.parse(a.start) - Date.parse(b.start))
}
