import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { RRuleTemporal } from 'rrule-temporal'
import { RECURRENCE_DAYS_MAX } from '../../../../src/domain/limits.ts'
import { dateOf, dayOf } from '../../../../src/domain/recurrence/calendar-day.ts'
import { daysOf } from '../../../../src/domain/recurrence/rule-days.ts'
import { parseRule } from '../../../../src/domain/recurrence/rule.ts'

const FIRST = dayOf(2026, 11, 30)

/** The first days of a rule, as text. */
function daysIn(
  rule: string,
  count: number,
  { first = FIRST, from = FIRST }: { readonly first?: number; readonly from?: number } = {},
): readonly string[] {
  const budget = { left: RECURRENCE_DAYS_MAX }
  const days: string[] = []
  for (const day of daysOf(parseRule(rule), { first, from }, budget)) {
    const { year, month, dayOfMonth } = dateOf(day)
    days.push([year, month, dayOfMonth].map((part) => String(part).padStart(2, '0')).join('-'))
    if (days.length === count) break
  }
  return days
}

test('days of the rules that people write', () => {
  for (const [rule, days] of [
    ['FREQ=DAILY', ['2026-11-30', '2026-12-01', '2026-12-02']],
    ['FREQ=DAILY;INTERVAL=10', ['2026-11-30', '2026-12-10', '2026-12-20']],
    ['FREQ=WEEKLY', ['2026-11-30', '2026-12-07', '2026-12-14']],
    ['FREQ=WEEKLY;BYDAY=SA,SU', ['2026-12-05', '2026-12-06', '2026-12-12']],
    ['FREQ=WEEKLY;INTERVAL=2;BYDAY=SU', ['2026-12-06', '2026-12-20', '2027-01-03']],
    // The week begins on Sunday: the one of the first day began on 29 November.
    ['FREQ=WEEKLY;INTERVAL=2;BYDAY=SU;WKST=SU', ['2026-12-13', '2026-12-27', '2027-01-10']],
    ['FREQ=MONTHLY', ['2026-11-30', '2026-12-30', '2027-01-30']],
    ['FREQ=MONTHLY;BYMONTHDAY=-1', ['2026-11-30', '2026-12-31', '2027-01-31']],
    ['FREQ=MONTHLY;BYDAY=-1FR', ['2026-12-25', '2027-01-29', '2027-02-26']],
    ['FREQ=MONTHLY;BYDAY=2TU', ['2026-12-08', '2027-01-12', '2027-02-09']],
    ['FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1', ['2026-11-30', '2026-12-31', '2027-01-29']],
    ['FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR', ['2027-08-13', '2028-10-13', '2029-04-13']],
    ['FREQ=YEARLY', ['2026-11-30', '2027-11-30', '2028-11-30']],
    ['FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29', ['2028-02-29', '2032-02-29', '2036-02-29']],
    ['FREQ=YEARLY;BYMONTH=1,7;BYDAY=1SU', ['2027-01-03', '2027-07-04', '2028-01-02']],
    ['FREQ=YEARLY;BYDAY=-1MO', ['2026-12-28', '2027-12-27', '2028-12-25']],
  ] as const) {
    assert.deepEqual(daysIn(rule, 3), days, rule)
  }
})

test('a look that begins late finds the days that one from the first day finds', () => {
  for (const rule of [
    'FREQ=DAILY;INTERVAL=3',
    'FREQ=WEEKLY;INTERVAL=5;BYDAY=MO,SU;WKST=SU',
    'FREQ=MONTHLY;INTERVAL=7;BYMONTHDAY=31',
    'FREQ=YEARLY;INTERVAL=3;BYMONTH=2;BYMONTHDAY=-1',
  ]) {
    const from = dayOf(2040, 1, 1)
    const all = daysIn(rule, 4000).filter((day) => day >= '2041')
    const late = daysIn(rule, 4000, { from }).filter((day) => day >= '2041')
    assert.ok(all.length > 1, rule)
    assert.deepEqual(late.slice(0, all.length), all, rule)
  }
})

const list = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => from + at).join(',')

test('the budget ends before a period that it does not cover: BYSETPOS picks from whole ones', () => {
  const rule = 'FREQ=YEARLY;INTERVAL=3;BYMONTH=8,2,1;BYMONTHDAY=-5,24;BYDAY=MO,SU;BYSETPOS=-2'
  // 24 August 2110 is behind the 10 000th day; without it the last but one would be 27 January.
  const days = daysIn(rule, 12, { first: FIRST + 763 })
  assert.equal(days.at(-1), '2104-02-25')
})

test('a rule that never occurs, or rarely, costs as many days as the budget has, and no more', () => {
  for (const rule of [
    'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30',
    'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30',
    'FREQ=DAILY;INTERVAL=366;BYMONTH=2;BYMONTHDAY=30',
    'FREQ=DAILY;INTERVAL=7;BYDAY=TU',
    'FREQ=MONTHLY;INTERVAL=12;BYMONTH=5',
    'FREQ=MONTHLY;BYMONTHDAY=1;BYDAY=2SU',
    'FREQ=MONTHLY;BYDAY=MO;BYSETPOS=31',
    'FREQ=WEEKLY;BYDAY=MO;BYSETPOS=2',
    `FREQ=YEARLY;BYMONTHDAY=${list(1, 31)};BYDAY=MO,TU,WE,TH,FR,SA,SU;BYMONTH=2;BYSETPOS=366`,
  ]) {
    let tried = 0
    const budget = {
      get left() {
        return RECURRENCE_DAYS_MAX - tried
      },
      set left(left: number) {
        tried = RECURRENCE_DAYS_MAX - left
      },
    }
    assert.deepEqual([...daysOf(parseRule(rule), { first: FIRST, from: FIRST }, budget)], [], rule)
    // Beyond the last year there is nothing to try.
    assert.ok(tried <= RECURRENCE_DAYS_MAX && tried > 0, `${rule}: ${tried} days`)
  }
})

const oneOrMore = <T>(item: fc.Arbitrary<T>) => fc.uniqueArray(item, { minLength: 1, maxLength: 4 })
const signed = (max: number) => fc.integer({ min: -max, max }).filter((number) => number !== 0)
const weekday = fc.constantFrom('MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU')

/** Rules that occur often enough for the library to find some, with the parts that fit the frequency. */
const rules = fc
  .record({
    freq: fc.constantFrom('DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'),
    interval: fc.integer({ min: 1, max: 5 }),
    weekStart: weekday,
    byMonth: fc.option(oneOrMore(fc.integer({ min: 1, max: 12 })), { nil: undefined }),
    byMonthDay: fc.option(oneOrMore(signed(31)), { nil: undefined }),
    byDay: fc.option(oneOrMore(weekday), { nil: undefined }),
    ordinal: fc.option(signed(4), { nil: undefined }),
    position: fc.option(signed(3), { nil: undefined }),
  })
  .map(({ freq, interval, weekStart, byMonth, byMonthDay, byDay, ordinal, position }) => {
    const isLong = freq === 'MONTHLY' || freq === 'YEARLY'
    const days = freq === 'WEEKLY' ? undefined : byMonthDay
    // RFC 5545 does not say of what an ordinal counts beside BYMONTHDAY.
    const number = isLong && days === undefined ? (ordinal ?? '') : ''
    const weekdays = byDay?.map((day) => `${number}${day}`)
    const hasBy = (days ?? weekdays) !== undefined
    return [
      `FREQ=${freq}`,
      `INTERVAL=${interval}`,
      `WKST=${weekStart}`,
      ...(byMonth === undefined ? [] : [`BYMONTH=${byMonth.join(',')}`]),
      ...(days === undefined ? [] : [`BYMONTHDAY=${days.join(',')}`]),
      ...(weekdays === undefined ? [] : [`BYDAY=${weekdays.join(',')}`]),
      ...(isLong && hasBy && position !== undefined ? [`BYSETPOS=${position}`] : []),
    ].join(';')
  })

test('days are those that an independent implementation of RFC 5545 finds', () => {
  let compared = 0
  fc.assert(
    fc.property(rules, fc.integer({ min: 0, max: 1500 }), (rule, later) => {
      const first = FIRST + later
      const { year, month, dayOfMonth } = dateOf(first)
      const digits = (value: number) => String(value).padStart(2, '0')
      const ours = daysIn(rule, 12, { first })
      if (ours.length === 0) return
      const theirs = new RRuleTemporal({
        rruleString: `DTSTART;TZID=UTC:${year}${digits(month)}${digits(dayOfMonth)}T000000\nRRULE:${rule};COUNT=${ours.length}`,
        maxIterations: 100_000,
        maxCandidateEvaluations: 1_000_000,
      }).all()
      compared += ours.length
      assert.deepEqual(
        ours,
        theirs.map((each) => each.toString().slice(0, 10)),
        rule,
      )
    }),
    { numRuns: 300 },
  )
  assert.ok(compared > 500, `${compared} days were compared`)
})
