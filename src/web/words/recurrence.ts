/** A rule by which a maintenance recurs, in words. A rule that has none here is shown as it is. */
import type { Recurrence } from '../net/types.ts'
import { durationOf } from './time.ts'

const WEEKDAYS = {
  MO: 'Monday',
  TU: 'Tuesday',
  WE: 'Wednesday',
  TH: 'Thursday',
  FR: 'Friday',
  SA: 'Saturday',
  SU: 'Sunday',
} as const

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const

const UNITS = { DAILY: 'day', WEEKLY: 'week', MONTHLY: 'month', YEARLY: 'year' } as const
type Frequency = keyof typeof UNITS

const ORDINALS: Readonly<Record<string, string>> = {
  '1': 'first',
  '2': 'second',
  '3': 'third',
  '4': 'fourth',
  '5': 'fifth',
  '-1': 'last',
}

/** `every week on Sunday at 02:00 (Europe/Berlin), for 2 h`. */
export function recurrenceInWords({ rrule, time_zone: zone, start, duration, except }: Recurrence): string {
  const parts = new Map(rrule.split(';').map((part) => part.split('=', 2) as [string, string]))
  const days = daysInWords(parts, start)
  const when = days === undefined ? `by the rule ${rrule}` : `${everyOf(parts)}${days}${endOf(parts)}`
  const without = except === undefined ? '' : `, not on ${listOf(except)}`
  return `${when} at ${start.slice('yyyy-mm-ddT'.length, 'yyyy-mm-ddThh:mm'.length)} (${zone}), for ${durationOf(duration)}${without}`
}

function everyOf(parts: ReadonlyMap<string, string>): string {
  const unit = UNITS[parts.get('FREQ') as Frequency]
  const interval = parts.get('INTERVAL') ?? '1'
  return interval === '1' ? `every ${unit}` : `every ${interval} ${unit}s`
}

function endOf(parts: ReadonlyMap<string, string>): string {
  const count = parts.get('COUNT')
  const until = parts.get('UNTIL')
  if (count !== undefined) return count === '1' ? ', once' : `, ${count} times`
  return until === undefined ? '' : `, until ${until.slice(0, 4)}-${until.slice(4, 6)}-${until.slice(6, 8)}`
}

/** undefined: these parts have no words. */
function daysInWords(parts: ReadonlyMap<string, string>, start: string): string | undefined {
  const byDay = parts.get('BYDAY')
  const byMonthDay = parts.get('BYMONTHDAY')
  const byMonth = parts.get('BYMONTH')
  const dayOfMonth = byMonthDay ?? String(Number(start.slice(8, 10)))
  if (parts.has('BYSETPOS') || (byDay !== undefined && byMonthDay !== undefined)) return undefined
  switch (parts.get('FREQ') as Frequency) {
    case 'DAILY':
      if (byMonth !== undefined || byMonthDay !== undefined) return undefined
      return byDay === undefined ? '' : weekdaysInWords(byDay)
    case 'WEEKLY':
      return byMonth === undefined ? weekdaysInWords(byDay ?? weekdayOf(start)) : undefined
    case 'MONTHLY':
      if (byMonth !== undefined) return undefined
      return byDay === undefined ? monthDaysInWords(dayOfMonth) : weekdaysInWords(byDay)
    case 'YEARLY': {
      const months = (byMonth ?? (byMonthDay === undefined ? start.slice(5, 7) : '')).split(',')
      const names = months.map((month) => MONTHS[Number(month) - 1] ?? '')
      if (names.includes('') || byDay !== undefined) return undefined
      const day = monthDaysInWords(dayOfMonth)
      return day === undefined ? undefined : `${day} of ${listOf(names)}`
    }
  }
}

function monthDaysInWords(days: string): string | undefined {
  if (days === '-1') return ' on the last day'
  return days.includes('-') ? undefined : ` on day ${listOf(days.split(','))}`
}

/** `MO,-1FR`: Mondays, or with a number the n-th of the month. */
function weekdaysInWords(byDay: string): string | undefined {
  const names = byDay.split(',').map((each) => {
    const ordinal = each.slice(0, -2).replace('+', '')
    const name = WEEKDAYS[each.slice(-2) as keyof typeof WEEKDAYS]
    if (ordinal === '') return name
    return ORDINALS[ordinal] === undefined ? undefined : `the ${ORDINALS[ordinal]} ${name}`
  })
  return names.includes(undefined) ? undefined : ` on ${listOf(names as string[])}`
}

const weekdayOf = (day: string): string =>
  Object.keys(WEEKDAYS)[(new Date(`${day.slice(0, 10)}T00:00:00Z`).getUTCDay() + 6) % 7] ?? ''

/** `a, b and c`. */
function listOf(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}
