/**
 * The rule of a recurrence: an RRULE of RFC 5545 section 3.3.10 that says on which days something occurs. The time of day
 * is that of the first occurrence, so what is finer than a day is refused: FREQ below DAILY, BYHOUR, BYMINUTE, BYSECOND.
 * BYWEEKNO and BYYEARDAY are refused too: nobody plans maintenance by them.
 */
import { RRULE_COUNT, RRULE_INTERVAL, RRULE_LIST_MAX, RRULE_MAX, type Range } from '../limits.ts'
import { RecurrenceRefusal } from './refusal.ts'

export const FREQUENCIES = ['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'] as const
export type Frequency = (typeof FREQUENCIES)[number]

/** Days of the week as RFC 5545 names them; the index is that of `weekdayOf`. */
export const WEEKDAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'] as const

export interface RuleWeekday {
  /** 0 = Monday. */
  readonly weekday: number
  /** The first (1), the last (-1) of the month or year; 0 = every one. */
  readonly ordinal: number
}

/** Lists are empty where the rule has no such part. */
export interface RecurrenceRule {
  readonly frequency: Frequency
  readonly interval: number
  readonly count: number | undefined
  /** The last instant at which an occurrence may start, in milliseconds. */
  readonly untilMs: number | undefined
  readonly byMonth: readonly number[]
  readonly byMonthDay: readonly number[]
  readonly byDay: readonly RuleWeekday[]
  readonly bySetPosition: readonly number[]
  /** 0 = Monday. */
  readonly weekStart: number
}

const PARTS = [
  'FREQ',
  'INTERVAL',
  'COUNT',
  'UNTIL',
  'BYMONTH',
  'BYMONTHDAY',
  'BYDAY',
  'BYSETPOS',
  'WKST',
] as const

/** The form in which a rule is kept: without `RRULE:`, in capitals. */
export function normalizedRule(text: string): string {
  return text
    .trim()
    .replace(/^RRULE:/i, '')
    .toUpperCase()
}

/** Reads a rule in its normalized form. Throws RecurrenceRefusal for what is no rule, or not one that is taken. */
export function parseRule(text: string): RecurrenceRule {
  if (text.length > RRULE_MAX) throw refused(`it has more than ${RRULE_MAX} characters`)
  const parts = partsOf(text)
  const rule: RecurrenceRule = {
    frequency: frequencyOf(parts.get('FREQ')),
    interval: numberIn('INTERVAL', parts.get('INTERVAL'), RRULE_INTERVAL) ?? 1,
    count: numberIn('COUNT', parts.get('COUNT'), RRULE_COUNT),
    untilMs: untilOf(parts.get('UNTIL')),
    byMonth: listOf('BYMONTH', parts, (item) => signedIn('BYMONTH', item, { largest: 12, isSigned: false })),
    byMonthDay: listOf('BYMONTHDAY', parts, (item) => signedIn('BYMONTHDAY', item, { largest: 31 })),
    byDay: listOf('BYDAY', parts, weekdayIn),
    bySetPosition: listOf('BYSETPOS', parts, (item) => signedIn('BYSETPOS', item, { largest: 366 })),
    weekStart: weekStartOf(parts.get('WKST')),
  }
  assertPartsFit(rule)
  return rule
}

const refused = (reason: string): RecurrenceRefusal => new RecurrenceRefusal('rrule', reason)

function partsOf(text: string): ReadonlyMap<string, string> {
  const parts = new Map<string, string>()
  for (const part of text.split(';')) {
    const [, name = '', value = ''] = /^([A-Z]+)=([A-Z0-9,+-]+)$/.exec(part) ?? []
    if (name === '') throw refused(`'${part}' is no part of a rule, like FREQ=WEEKLY;BYDAY=SU`)
    if (!(PARTS as readonly string[]).includes(name))
      throw refused(`${name} is not supported: a rule may have ${PARTS.join(', ')}`)
    if (parts.has(name)) throw refused(`${name} is there twice`)
    parts.set(name, value)
  }
  return parts
}

function frequencyOf(value: string | undefined): Frequency {
  const frequency = FREQUENCIES.find((each) => each === value)
  if (frequency !== undefined) return frequency
  if (value === undefined) throw refused(`FREQ is missing: one of ${FREQUENCIES.join(', ')}`)
  throw refused(`FREQ=${value} must be one of ${FREQUENCIES.join(', ')}: at most once a day`)
}

function numberIn(name: string, value: string | undefined, { min, max }: Range): number | undefined {
  if (value === undefined) return undefined
  const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN
  if (number >= min && number <= max) return number
  throw refused(`${name}=${value} must be a number from ${min} to ${max}`)
}

/** RFC 5545 wants UTC here where the first occurrence has a time zone. */
function untilOf(value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  const [, ...digits] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(value) ?? []
  const [year = '', month = '', day = '', hour = '', minute = '', second = ''] = digits
  const instant = `${year}-${month}-${day}T${hour}:${minute}:${second}`
  const ms = Date.parse(`${instant}.000Z`)
  // Date.parse reads 30 February as 2 March.
  if (!Number.isNaN(ms) && new Date(ms).toISOString().startsWith(instant)) return ms
  throw refused(`UNTIL=${value} must be a time in UTC, like 20271231T235959Z`)
}

function listOf<Item>(
  name: string,
  parts: ReadonlyMap<string, string>,
  read: (item: string) => Item,
): readonly Item[] {
  const items = parts.get(name)?.split(',') ?? []
  if (items.length > RRULE_LIST_MAX) throw refused(`${name} has more than ${RRULE_LIST_MAX} values`)
  return items.map(read)
}

/** A whole number but 0; from the end where it is negative. */
function signedIn(
  name: string,
  text: string,
  { largest, isSigned = true }: { readonly largest: number; readonly isSigned?: boolean },
): number {
  const number = /^[+-]?\d{1,3}$/.test(text) ? Number(text) : 0
  if (number !== 0 && Math.abs(number) <= largest && (isSigned || number > 0)) return number
  const range = isSigned ? `1 to ${largest} or -1 to -${largest}` : `1 to ${largest}`
  throw refused(`${name}: '${text}' must be ${range}`)
}

function weekdayIn(text: string): RuleWeekday {
  const [, ordinal = '', name = ''] = /^([+-]?\d{1,2})?([A-Z]{2})$/.exec(text) ?? []
  const weekday = WEEKDAYS.findIndex((each) => each === name)
  const number = Number(ordinal)
  if (weekday >= 0 && (ordinal === '' || (number !== 0 && Math.abs(number) <= 53)))
    return { weekday, ordinal: number }
  throw refused(`BYDAY: '${text}' must be one of ${WEEKDAYS.join(', ')}, or like 1MO or -1FR`)
}

function weekStartOf(value: string | undefined): number {
  if (value === undefined) return 0
  const weekday = WEEKDAYS.findIndex((each) => each === value)
  if (weekday < 0) throw refused(`WKST=${value} must be one of ${WEEKDAYS.join(', ')}`)
  return weekday
}

/** What RFC 5545 forbids: parts that say nothing together. */
function assertPartsFit({
  frequency,
  count,
  untilMs,
  byMonthDay,
  byDay,
  bySetPosition,
  byMonth,
}: RecurrenceRule): void {
  if (count !== undefined && untilMs !== undefined) throw refused('COUNT and UNTIL exclude each other')
  if (frequency === 'WEEKLY' && byMonthDay.length > 0) throw refused('BYMONTHDAY does not fit FREQ=WEEKLY')
  const hasOrdinals = byDay.some(({ ordinal }) => ordinal !== 0)
  if (hasOrdinals && (frequency === 'DAILY' || frequency === 'WEEKLY'))
    throw refused('BYDAY with a number, like 1MO, fits FREQ=MONTHLY and FREQ=YEARLY only')
  if (bySetPosition.length > 0 && byMonthDay.length + byDay.length + byMonth.length === 0)
    throw refused('BYSETPOS needs another BY part, like BYDAY')
}
