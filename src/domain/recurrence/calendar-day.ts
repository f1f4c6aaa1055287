/** Days of the Gregorian calendar as whole numbers: 0 is 1 January 1970, a Thursday. They have no time zone. */

export const DAY_MS = 86_400_000

export interface CalendarDate {
  readonly year: number
  /** 1 to 12. */
  readonly month: number
  /** 1 to 31. */
  readonly dayOfMonth: number
}

/** The day of a date. A month beyond 12 or a day beyond its month counts on into the next. */
export function dayOf(year: number, month: number, dayOfMonth: number): number {
  return Date.UTC(year, month - 1, dayOfMonth) / DAY_MS
}

export function dateOf(day: number): CalendarDate {
  const date = new Date(day * DAY_MS)
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, dayOfMonth: date.getUTCDate() }
}

/** 0 = Monday to 6 = Sunday. */
export function weekdayOf(day: number): number {
  const sinceMonday = (day + 3) % 7
  return sinceMonday < 0 ? sinceMonday + 7 : sinceMonday
}

export function daysInMonth(year: number, month: number): number {
  return dayOf(year, month + 1, 1) - dayOf(year, month, 1)
}
