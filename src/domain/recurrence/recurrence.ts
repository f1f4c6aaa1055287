/**
 * Something that recurs: from a rule, a time zone, the local time of the first occurrence and how long one lasts, to the
 * occurrences. Pure: the caller says what time it is.
 *
 * An occurrence starts at a local time and lasts an exact time: when clocks change in between, its local end moves. One
 * whose start the clock leaves out (02:30 in the night to summer time) is none, as RFC 5545 says. Occurrences that touch, or have
 * less than a minute between them, are one: SA,SU for 24 hours is one weekend.
 */
import {
  MAINTENANCE_LAST_YEAR,
  RECURRENCE_DAYS_MAX,
  RECURRENCE_JOIN_MS,
  RECURRENCE_JOINED_MAX,
  RECURRENCE_KEPT,
  RECURRENCE_LOOK_BACK_DAYS,
  RECURRENCE_OVERLAPS_CHECKED,
} from '../limits.ts'
import { DAY_MS, dayOf } from './calendar-day.ts'
import { RecurrenceRefusal } from './refusal.ts'
import { type DayBudget, daysOf } from './rule-days.ts'
import { parseRule, type RecurrenceRule } from './rule.ts'
import { instantOf, isTimeZone, localText, localTimeText, offsetAt } from './time-zone.ts'

/** As it is stored and sent. */
export interface Recurrence {
  /** RRULE of RFC 5545, in the form of `normalizedRule`. */
  readonly rrule: string
  /** A name of the IANA database. */
  readonly time_zone: string
  /** Local time of the first occurrence, without zone: 2026-12-06T02:00:00. Each one has its time of day. */
  readonly start: string
  /** Seconds that an occurrence lasts. */
  readonly duration: number
  /** Local days on which it does not occur, ascending. */
  readonly except?: readonly string[]
}

/** Instants with the offset of the zone: 2026-12-06T02:00:00+01:00. */
export interface Occurrence {
  readonly start: string
  readonly end: string
}

interface Span {
  readonly startMs: number
  readonly endMs: number
  /** Occurrences of the rule that it is made of. */
  readonly joined: number
}

/** A recurrence that was read. */
interface Plan {
  readonly rule: RecurrenceRule
  readonly zone: string
  readonly firstDay: number
  readonly timeOfDayMs: number
  readonly durationMs: number
  readonly except: ReadonlySet<number>
}

/** What one look costs at most; tests count what it leaves. */
export const newBudget = (): DayBudget => ({ left: RECURRENCE_DAYS_MAX })

/**
 * The occurrences that last or are to come at a time, ascending, at most `RECURRENCE_KEPT`; none when it is over. Of a rule
 * that occurs rarely there may be fewer than are to come: a look goes 27 years ahead of a daily rule. Throws
 * RecurrenceRefusal for what is no recurrence.
 */
export function occurrencesAt(
  recurrence: Recurrence,
  nowMs: number,
  budget: DayBudget = newBudget(),
): readonly Occurrence[] {
  const plan = planOf(recurrence)
  return shownIn(plan.zone, spansAt(plan, nowMs, budget))
}

/**
 * The same of one that somebody wishes for: there is at least one occurrence. Refuses besides what overlaps itself, what has no
 * end, and what does not occur any more.
 */
export function firstOccurrences(
  recurrence: Recurrence,
  nowMs: number,
  budget: DayBudget = newBudget(),
): readonly Occurrence[] {
  const plan = planOf(recurrence)
  assertNoOverlap(plan, nowMs)
  const spans = spansAt(plan, nowMs, budget)
  if (spans.length === 0)
    throw new RecurrenceRefusal('rrule', 'it does not occur from now on, or not for many years')
  if (spans.some(({ joined }) => joined >= RECURRENCE_JOINED_MAX)) {
    const reason = `${RECURRENCE_JOINED_MAX} occurrences follow each other without a minute between them: leave out the recurrence`
    throw new RecurrenceRefusal('duration', reason)
  }
  return shownIn(plan.zone, spans)
}

function shownIn(zone: string, spans: readonly Span[]): readonly Occurrence[] {
  return spans.map(({ startMs, endMs }) => ({ start: localText(zone, startMs), end: localText(zone, endMs) }))
}

/** The local time of an instant, to the second, without zone. */
export function localStart(zone: string, instantMs: number): string {
  return localTimeText(instantMs + offsetAt(zone, instantMs))
}

function planOf({ rrule, time_zone: zone, start, duration, except = [] }: Recurrence): Plan {
  if (!isTimeZone(zone))
    throw new RecurrenceRefusal('time_zone', `'${zone}' is no time zone, like Europe/Berlin or UTC`)
  const localMs = Date.parse(`${start}Z`)
  const firstDay = Math.floor(localMs / DAY_MS)
  return {
    rule: parseRule(rrule),
    zone,
    firstDay,
    timeOfDayMs: localMs - firstDay * DAY_MS,
    durationMs: duration * 1000,
    except: new Set(except.map((day) => Date.parse(`${day}T00:00:00Z`) / DAY_MS)),
  }
}

/** By local days, of which each has one occurrence: what changes of the clock move is joined. */
function assertNoOverlap({ rule, zone, firstDay, durationMs }: Plan, nowMs: number): void {
  if (durationMs <= DAY_MS) return
  const from = rule.count === undefined ? Math.max(firstDay, localDay(zone, nowMs)) : firstDay
  let before: number | undefined
  let checked = 0
  for (const day of daysOf(rule, { first: firstDay, from }, newBudget())) {
    if (before !== undefined && (day - before) * DAY_MS < durationMs) {
      const apart = day - before === 1 ? 'a day' : `${day - before} days`
      const reason = `occurrences would overlap: two of them are ${apart} apart, and one lasts ${durationMs / 1000} seconds`
      throw new RecurrenceRefusal('duration', reason)
    }
    before = day
    if (++checked === RECURRENCE_OVERLAPS_CHECKED || checked === rule.count) return
  }
}

const localDay = (zone: string, instantMs: number): number =>
  Math.floor((instantMs + offsetAt(zone, instantMs)) / DAY_MS)

/** Occurrences that are not over, joined. */
function spansAt(plan: Plan, nowMs: number, budget: DayBudget): readonly Span[] {
  const lookBackMs = Math.min(plan.durationMs * RECURRENCE_JOINED_MAX, RECURRENCE_LOOK_BACK_DAYS * DAY_MS)
  const sinceMs = nowMs - Math.max(plan.durationMs, lookBackMs)
  const spans: Span[] = []
  let open: Span | undefined
  for (const startMs of startsOf(plan, sinceMs, budget)) {
    const endMs = startMs + plan.durationMs
    if (open !== undefined && isJoined(open, startMs)) {
      open = { startMs: open.startMs, endMs: Math.max(open.endMs, endMs), joined: open.joined + 1 }
      continue
    }
    if (open !== undefined && open.endMs > nowMs) spans.push(open)
    if (spans.length === RECURRENCE_KEPT) return spans
    open = { startMs, endMs, joined: 1 }
  }
  return open !== undefined && open.endMs > nowMs ? [...spans, open] : spans
}

function isJoined({ endMs, joined }: Span, startMs: number): boolean {
  return startMs - endMs < RECURRENCE_JOIN_MS && joined < RECURRENCE_JOINED_MAX
}

/** The first instant at which no occurrence may last any more. */
const LAST_END_MS = dayOf(MAINTENANCE_LAST_YEAR + 1, 1, 1) * DAY_MS

/** Instants at which occurrences start, ascending, from `sinceMs` on; of those that end by LAST_END_MS. */
function* startsOf(plan: Plan, sinceMs: number, budget: DayBudget): Generator<number> {
  const { rule, zone, firstDay, timeOfDayMs, durationMs, except } = plan
  // With COUNT those before count too.
  const from = rule.count === undefined ? Math.max(firstDay, localDay(zone, sinceMs)) : firstDay
  let counted = 0
  for (const day of daysOf(rule, { first: firstDay, from }, budget)) {
    const startMs = instantOf(zone, day * DAY_MS + timeOfDayMs)
    // What the clock leaves out is not counted: RFC 5545 section 3.3.10.
    if (startMs === undefined) continue
    if (startMs + durationMs > LAST_END_MS) return
    if (rule.untilMs !== undefined && startMs > rule.untilMs) return
    if (rule.count !== undefined && ++counted > rule.count) return
    if (startMs >= sinceMs && !except.has(day)) yield startMs
  }
}
