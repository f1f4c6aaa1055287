/**
 * The days on which a rule occurs. A rule has periods (days, weeks, months or years; with INTERVAL only every n-th counts);
 * the days of a period are tried one by one against the BY parts, and BYSETPOS picks among those that fit. So the work is
 * the number of days that were tried, whatever the rule says, and a budget bounds it: RFC 5545 lets one write rules that
 * never occur, and libraries look for them until the year 9999 (ADR 29).
 */
import { MAINTENANCE_LAST_YEAR } from '../limits.ts'
import { type CalendarDate, dateOf, dayOf, daysInMonth, weekdayOf } from './calendar-day.ts'
import type { RecurrenceRule, RuleWeekday } from './rule.ts'

/** Days that may still be tried. */
export interface DayBudget {
  left: number
}

const LAST_DAY = dayOf(MAINTENANCE_LAST_YEAR, 12, 31)

/**
 * Days on which the rule occurs, ascending: from the period of `from` on, none before `first`. With COUNT the caller counts,
 * from `first`. Ends when the budget is used up, and with the year MAINTENANCE_LAST_YEAR.
 */
export function* daysOf(
  rule: RecurrenceRule,
  { first, from }: { readonly first: number; readonly from: number },
  budget: DayBudget,
): Generator<number> {
  const complete = withParts(rule, first)
  const origin = periodOf(rule, first)
  let period =
    origin + Math.max(0, Math.floor((periodOf(rule, from) - origin) / rule.interval)) * rule.interval
  for (; ; period += rule.interval) {
    const [begin, end] = daysOfPeriod(rule, period)
    if (begin > LAST_DAY) return
    // BYSETPOS picks from a whole period: of a part of it, it would pick another day.
    if (budget.left < end - begin) {
      budget.left = 0
      return
    }
    budget.left -= end - begin
    const fitting: number[] = []
    for (let day = begin; day < end; day++) if (fits(complete, day)) fitting.push(day)
    for (const day of picked(fitting, rule.bySetPosition)) {
      // A period of a year begins before its last days.
      if (day > LAST_DAY) return
      if (day >= first) yield day
    }
  }
}

/** Parts that a rule takes from its first day where it does not have them: RFC 5545 section 3.3.10. */
function withParts(rule: RecurrenceRule, first: number): RecurrenceRule {
  const { month, dayOfMonth } = dateOf(first)
  if (rule.byDay.length > 0 || rule.byMonthDay.length > 0) return rule
  switch (rule.frequency) {
    case 'DAILY':
      return rule
    case 'WEEKLY':
      return { ...rule, byDay: [{ weekday: weekdayOf(first), ordinal: 0 }] }
    case 'MONTHLY':
      return { ...rule, byMonthDay: [dayOfMonth] }
    case 'YEARLY':
      return {
        ...rule,
        byMonthDay: [dayOfMonth],
        byMonth: rule.byMonth.length === 0 ? [month] : rule.byMonth,
      }
  }
}

/** The number of the period of a day. */
function periodOf({ frequency, weekStart }: RecurrenceRule, day: number): number {
  const { year, month } = dateOf(day)
  switch (frequency) {
    case 'DAILY':
      return day
    case 'WEEKLY':
      // Day 4 is the Monday after 1 January 1970.
      return Math.floor((day - 4 - weekStart) / 7)
    case 'MONTHLY':
      return year * 12 + month - 1
    case 'YEARLY':
      return year
  }
}

/** First day of a period, and the first day after it. */
function daysOfPeriod({ frequency, weekStart }: RecurrenceRule, period: number): readonly [number, number] {
  const startOf = (at: number): number => {
    switch (frequency) {
      case 'DAILY':
        return at
      case 'WEEKLY':
        return at * 7 + 4 + weekStart
      case 'MONTHLY':
        return dayOf(Math.floor(at / 12), (at % 12) + 1, 1)
      case 'YEARLY':
        return dayOf(at, 1, 1)
    }
  }
  return [startOf(period), startOf(period + 1)]
}

function fits({ frequency, byMonth, byMonthDay, byDay }: RecurrenceRule, day: number): boolean {
  const date = dateOf(day)
  if (byMonth.length > 0 && !byMonth.includes(date.month)) return false
  if (byMonthDay.length > 0 && !isMonthDay(byMonthDay, date)) return false
  if (byDay.length === 0) return true
  const span = frequency === 'YEARLY' && byMonth.length === 0 ? 'year' : 'month'
  return byDay.some((each) => isWeekday(each, { day, date, span }))
}

function isMonthDay(byMonthDay: readonly number[], { year, month, dayOfMonth }: CalendarDate): boolean {
  if (byMonthDay.includes(dayOfMonth)) return true
  const fromEnd = dayOfMonth - daysInMonth(year, month) - 1
  return byMonthDay.includes(fromEnd)
}

/** With an ordinal: whether it is the n-th of its kind in the month or year, from the end where it is negative. */
function isWeekday(
  { weekday, ordinal }: RuleWeekday,
  { day, date, span }: { readonly day: number; readonly date: CalendarDate; readonly span: 'month' | 'year' },
): boolean {
  if (weekdayOf(day) !== weekday) return false
  if (ordinal === 0) return true
  const { year, month } = date
  const begin = span === 'year' ? dayOf(year, 1, 1) : dayOf(year, month, 1)
  const end = span === 'year' ? dayOf(year + 1, 1, 1) : dayOf(year, month + 1, 1)
  return ordinal > 0
    ? Math.floor((day - begin) / 7) === ordinal - 1
    : Math.floor((end - 1 - day) / 7) === -ordinal - 1
}

function picked(days: readonly number[], positions: readonly number[]): readonly number[] {
  if (positions.length === 0) return days
  return days.filter((_, at) => positions.includes(at + 1) || positions.includes(at - days.length))
}
