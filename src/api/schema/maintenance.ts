/** The body of a maintenance, the same in every dialect: an extension of ours. */
import {
  MAINTENANCE_NOTE_MAX,
  RECURRENCE_DURATION,
  RECURRENCE_EXCEPT_MAX,
  RRULE_MAX,
  TIME_ZONE_MAX,
} from '../../domain/limits.ts'
import { localStart, type Recurrence } from '../../domain/recurrence/recurrence.ts'
import { RecurrenceRefusal } from '../../domain/recurrence/refusal.ts'
import { normalizedRule } from '../../domain/recurrence/rule.ts'
import { isTimeZone } from '../../domain/recurrence/time-zone.ts'
import { type Maintenance, recurringMaintenance } from '../../domain/status/maintenance.ts'
import {
  bodyRules,
  ignored,
  integer,
  invalidField,
  listOf,
  matching,
  nullable,
  objectOf,
  parseBody,
  text,
} from './attributes.ts'

/** RFC 3339 with a zone, to the millisecond. */
const INSTANT =
  /^2\d{3}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,3})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/
const INSTANT_MAX = 29

/** A local time, to the second or the minute. */
const LOCAL_TIME = /^2\d{3}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/
const LOCAL_TIME_MAX = 19
const DATE = /^2\d{3}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/
const DATE_MAX = 10

interface RecurrenceBody {
  readonly rrule: string
  readonly time_zone: string
  readonly start?: string | null
  readonly duration: number
  readonly except?: readonly string[] | null
}

interface MaintenanceBody {
  readonly start?: string | null
  readonly end?: string | null
  readonly note?: string | null
  readonly recurrence?: RecurrenceBody | null
}

/** `start`, `end` and `recurrence` are further checked by `parseMaintenance`. GET shows the last two besides. */
export const maintenanceBody = bodyRules<MaintenanceBody>('maintenance', {
  start: nullable(matching(INSTANT, INSTANT_MAX)),
  end: nullable(matching(INSTANT, INSTANT_MAX)),
  note: nullable(text(MAINTENANCE_NOTE_MAX)),
  recurrence: nullable(
    objectOf({
      rrule: text(RRULE_MAX).required(),
      time_zone: text(TIME_ZONE_MAX).required(),
      start: nullable(matching(LOCAL_TIME, LOCAL_TIME_MAX)),
      duration: integer(RECURRENCE_DURATION).required(),
      except: nullable(listOf(matching(DATE, DATE_MAX), RECURRENCE_EXCEPT_MAX)),
    }),
  ),
  active: ignored(),
  occurrences: ignored(),
})

/**
 * Starts now and has no end unless the body says otherwise. One with a recurrence has the times of its occurrences: `start` and
 * `end`, as GET shows them, are not read then. Throws as `parseBody`, and INVALID_FIELD.
 */
export function parseMaintenance(body: unknown, nowMs: number): Maintenance {
  const { start, end, note, recurrence } = parseBody(body, maintenanceBody)
  if (recurrence !== undefined && recurrence !== null) return recurring(recurrence, note ?? '', nowMs)
  const startMs = instantOf('start', start) ?? nowMs
  const endMs = instantOf('end', end)
  if (endMs !== undefined && endMs <= startMs) throw invalidField('end', `'${end}' is not after the start`)
  if (endMs !== undefined && endMs <= nowMs) throw invalidField('end', `'${end}' is over`)
  return {
    start: new Date(startMs).toISOString(),
    end: endMs === undefined ? null : new Date(endMs).toISOString(),
    note: note ?? '',
  }
}

function recurring(body: RecurrenceBody, note: string, nowMs: number): Maintenance {
  try {
    return recurringMaintenance({ note, recurrence: recurrenceOf(body, nowMs) }, nowMs)
  } catch (error) {
    if (error instanceof RecurrenceRefusal) throw invalidField(`recurrence.${error.field}`, error.message)
    throw error
  }
}

/** As it is stored. The first occurrence may be now. */
function recurrenceOf(
  { rrule, time_zone: zone, start, duration, except }: RecurrenceBody,
  nowMs: number,
): Recurrence {
  if (!isTimeZone(zone))
    throw new RecurrenceRefusal('time_zone', `'${zone}' is no time zone, like Europe/Berlin or UTC`)
  const days = [...new Set(except ?? [])].toSorted()
  for (const day of days) assertInCalendar('recurrence.except', day, `${day}T00:00:00Z`)
  const first = start ?? localStart(zone, nowMs)
  const withSeconds = first.length < LOCAL_TIME_MAX ? `${first}:00` : first
  assertInCalendar('recurrence.start', first, `${withSeconds}Z`)
  return {
    rrule: normalizedRule(rrule),
    time_zone: zone,
    start: withSeconds,
    duration,
    ...(days.length === 0 ? {} : { except: days }),
  }
}

/** Whether the date exists: Date.parse reads 30 February as 2 March, and 24:00 as the next day. */
function isOnClock(text: string, instantMs: number): boolean {
  const [, sign = '+', hours = 0, minutes = 0] = /([+-])(\d{2}):(\d{2})$/.exec(text) ?? []
  const offsetMs = (Number(hours) * 60 + Number(minutes)) * 60_000 * (sign === '-' ? -1 : 1)
  const seconds = 'yyyy-mm-ddThh:mm:ss'.length
  return new Date(instantMs + offsetMs).toISOString().slice(0, seconds) === text.slice(0, seconds)
}

/** Milliseconds of the wall clock. Throws INVALID_FIELD for dates that do not exist. */
function instantOf(field: string, text: string | null | undefined): number | undefined {
  return text === undefined || text === null ? undefined : assertInCalendar(field, text, text)
}

/** The instant in milliseconds. Throws INVALID_FIELD, with the text as it was sent, for dates that do not exist. */
function assertInCalendar(field: string, sent: string, instant: string): number {
  const instantMs = Date.parse(instant)
  if (Number.isNaN(instantMs) || !isOnClock(instant, instantMs))
    throw invalidField(field, `'${sent}' is not a valid input`)
  return instantMs
}
