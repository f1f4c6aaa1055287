/** The body of a maintenance, the same in every dialect: an extension of ours. */
import type { Maintenance } from '../../domain/status/maintenance.ts'
import { MAINTENANCE_NOTE_MAX } from '../../domain/limits.ts'
import { bodyRules, invalidField, matching, nullable, parseBody, text } from './attributes.ts'

/** RFC 3339 with a zone, to the millisecond. */
const INSTANT =
  /^2\d{3}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,3})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/
const INSTANT_MAX = 29

interface MaintenanceBody {
  readonly start?: string | null
  readonly end?: string | null
  readonly note?: string | null
}

/** `start` and `end` are further checked by `parseMaintenance`. */
export const maintenanceBody = bodyRules<MaintenanceBody>('maintenance', {
  start: nullable(matching(INSTANT, INSTANT_MAX)),
  end: nullable(matching(INSTANT, INSTANT_MAX)),
  note: nullable(text(MAINTENANCE_NOTE_MAX)),
})

/** Starts now and has no end unless the body says otherwise. Throws as `parseBody`, and INVALID_FIELD. */
export function parseMaintenance(body: unknown, nowMs: number): Maintenance {
  const { start, end, note } = parseBody(body, maintenanceBody)
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

/** Whether the date exists: Date.parse reads 30 February as 2 March, and 24:00 as the next day. */
function isOnClock(text: string, instantMs: number): boolean {
  const [, sign = '+', hours = 0, minutes = 0] = /([+-])(\d{2}):(\d{2})$/.exec(text) ?? []
  const offsetMs = (Number(hours) * 60 + Number(minutes)) * 60_000 * (sign === '-' ? -1 : 1)
  const seconds = 'yyyy-mm-ddThh:mm:ss'.length
  return new Date(instantMs + offsetMs).toISOString().slice(0, seconds) === text.slice(0, seconds)
}

/** Milliseconds of the wall clock. Throws INVALID_FIELD for dates that do not exist. */
function instantOf(field: string, text: string | null | undefined): number | undefined {
  if (text === undefined || text === null) return undefined
  const instantMs = Date.parse(text)
  if (Number.isNaN(instantMs) || !isOnClock(text, instantMs))
    throw invalidField(field, `'${text}' is not a valid input`)
  return instantMs
}
