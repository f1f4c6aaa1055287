import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { RRuleTemporal } from 'rrule-temporal'
import { RECURRENCE_DAYS_MAX, RECURRENCE_KEPT } from '../../../../src/domain/limits.ts'
import {
  firstOccurrences,
  newBudget,
  occurrencesAt,
  type Recurrence,
} from '../../../../src/domain/recurrence/recurrence.ts'

const HOUR = 3600
const DAY = 24 * HOUR
const NOW = '2026-11-30T12:00:00Z'

const recurrence = (rrule: string, more: Partial<Recurrence> = {}): Recurrence => ({
  rrule,
  time_zone: 'Europe/Berlin',
  start: '2026-11-01T02:00:00',
  duration: 2 * HOUR,
  ...more,
})
const at = (instant: string, what: Recurrence) =>
  occurrencesAt(what, Date.parse(instant)).map(({ start, end }) => `${start} ${end}`)
const starts = (instant: string, what: Recurrence) =>
  occurrencesAt(what, Date.parse(instant)).map(({ start }) => start)

test('the occurrence that lasts comes first, up to its end, not including it', () => {
  const sundays = recurrence('FREQ=WEEKLY;BYDAY=SU')
  const [first, second] = ['2026-12-06T02:00:00+01:00', '2026-12-13T02:00:00+01:00']
  assert.equal(starts(NOW, sundays)[0], first)
  assert.equal(starts('2026-12-06T01:00:00Z', sundays)[0], first)
  assert.equal(starts('2026-12-06T02:59:59.999Z', sundays)[0], first)
  assert.equal(starts('2026-12-06T03:00:00Z', sundays)[0], second)
  assert.equal(starts(NOW, sundays).length, RECURRENCE_KEPT)
})

test('occurrences keep their local time when clocks change, both ways, and last as long as ever', () => {
  const daily = (time_zone: string, time: string) =>
    recurrence('FREQ=DAILY', { time_zone, start: `2026-01-01T${time}`, duration: 4 * HOUR })
  assert.deepEqual(at('2027-03-27T12:00:00Z', daily('Europe/Berlin', '01:00:00')).slice(0, 2), [
    '2027-03-28T01:00:00+01:00 2027-03-28T06:00:00+02:00',
    '2027-03-29T01:00:00+02:00 2027-03-29T05:00:00+02:00',
  ])
  assert.deepEqual(at('2027-10-30T12:00:00Z', daily('Europe/Berlin', '01:00:00')).slice(0, 2), [
    '2027-10-31T01:00:00+02:00 2027-10-31T04:00:00+01:00',
    '2027-11-01T01:00:00+01:00 2027-11-01T05:00:00+01:00',
  ])
  assert.deepEqual(at('2027-03-14T05:30:00Z', daily('America/New_York', '01:00:00')).slice(0, 2), [
    '2027-03-14T01:00:00-05:00 2027-03-14T06:00:00-04:00',
    '2027-03-15T01:00:00-04:00 2027-03-15T05:00:00-04:00',
  ])
  assert.deepEqual(at('2027-11-06T12:00:00Z', daily('America/New_York', '01:30:00')).slice(0, 2), [
    '2027-11-07T01:30:00-04:00 2027-11-07T04:30:00-05:00',
    '2027-11-08T01:30:00-05:00 2027-11-08T05:30:00-05:00',
  ])
  assert.deepEqual(at('2026-10-03T12:00:00Z', daily('Australia/Lord_Howe', '01:45:00')).slice(0, 2), [
    '2026-10-04T01:45:00+10:30 2026-10-04T06:15:00+11:00',
    '2026-10-05T01:45:00+11:00 2026-10-05T05:45:00+11:00',
  ])
  assert.deepEqual(at('2027-03-28T00:00:00Z', daily('Asia/Tokyo', '02:30:00')).slice(0, 2), [
    '2027-03-29T02:30:00+09:00 2027-03-29T06:30:00+09:00',
    '2027-03-30T02:30:00+09:00 2027-03-30T06:30:00+09:00',
  ])
})

test('a start that the clock leaves out is no occurrence, and does not count', () => {
  const nightly = recurrence('FREQ=DAILY;COUNT=3', { start: '2027-03-27T02:30:00' })
  assert.deepEqual(starts('2027-03-27T00:00:00Z', nightly), [
    '2027-03-27T02:30:00+01:00',
    '2027-03-29T02:30:00+02:00',
    '2027-03-30T02:30:00+02:00',
  ])
})

test('starts are those of an independent implementation, through both changes of the clock', () => {
  for (const time_zone of [
    'Europe/Berlin',
    'America/New_York',
    'Asia/Tokyo',
    'Australia/Lord_Howe',
    'Africa/Casablanca',
  ]) {
    for (const time of ['00:00:00', '02:15:00', '02:30:00']) {
      const start = `2026-09-01T${time}`
      const digits = start.replaceAll(/[-:]/g, '')
      const theirs = new RRuleTemporal({
        rruleString: `DTSTART;TZID=${time_zone}:${digits}\nRRULE:FREQ=DAILY;COUNT=366`,
        maxIterations: 1000,
      })
        .all()
        .map(({ epochMilliseconds }) => epochMilliseconds)
      const what = recurrence('FREQ=DAILY;COUNT=366', { time_zone, start, duration: HOUR })
      const ours: number[] = []
      for (let nowMs = (theirs[0] ?? 0) - 1; ; ) {
        const next = occurrencesAt(what, nowMs)[0]
        if (next === undefined) break
        ours.push(Date.parse(next.start))
        nowMs = Date.parse(next.end)
      }
      assert.deepEqual(ours, theirs, `${time_zone} ${time}`)
    }
  }
})

test('COUNT and UNTIL end it, days that are left out do not occur but count', () => {
  const three = recurrence('FREQ=DAILY;COUNT=3', { start: '2026-12-01T02:00:00' })
  const [first, second, third] = ['2026-12-01', '2026-12-02', '2026-12-03'].map(
    (day) => `${day}T02:00:00+01:00`,
  )
  assert.deepEqual(starts(NOW, three), [first, second, third])
  assert.deepEqual(starts(NOW, { ...three, except: ['2026-12-02'] }), [first, third])
  assert.deepEqual(starts('2026-12-03T03:00:00Z', three), [])
  const until = (instant: string) => starts(NOW, { ...three, rrule: `FREQ=DAILY;UNTIL=${instant}` })
  assert.deepEqual(until('20261203T010000Z'), [first, second, third])
  assert.deepEqual(until('20261203T005959Z'), [first, second])
})

test('occurrences that touch are one, also those that a change of the clock moves together', () => {
  const weekend = recurrence('FREQ=WEEKLY;BYDAY=SA,SU', { start: '2026-11-01T00:00:00', duration: DAY })
  assert.deepEqual(at('2026-12-06T12:00:00Z', weekend).slice(0, 2), [
    '2026-12-05T00:00:00+01:00 2026-12-07T00:00:00+01:00',
    '2026-12-12T00:00:00+01:00 2026-12-14T00:00:00+01:00',
  ])
  // The day has 23 hours.
  const long = recurrence('FREQ=DAILY', { start: '2026-11-01T12:00:00', duration: 23 * HOUR })
  assert.equal(at('2027-03-27T12:00:00Z', long)[0], '2027-03-27T12:00:00+01:00 2027-03-29T11:00:00+02:00')
  const almost = { ...weekend, duration: DAY - 59 }
  assert.equal(at(NOW, almost)[0], '2026-12-05T00:00:00+01:00 2026-12-06T23:59:01+01:00')
  const apart = { ...weekend, duration: DAY - 60 }
  assert.equal(at(NOW, apart)[0], '2026-12-05T00:00:00+01:00 2026-12-05T23:59:00+01:00')
})

test('what overlaps, never ends, or does not occur any more is refused; the refusal says why', () => {
  const refused = (what: Recurrence, field: string, message: RegExp) =>
    assert.throws(
      () => firstOccurrences(what, Date.parse(NOW)),
      { name: 'RecurrenceRefusal', field, message },
      JSON.stringify(what),
    )
  refused(recurrence('FREQ=DAILY', { duration: DAY + 1 }), 'duration', /two of them are a day apart/)
  refused(recurrence('FREQ=WEEKLY;BYDAY=MO,WE', { duration: 2 * DAY + 60 }), 'duration', /2 days apart/)
  refused(recurrence('FREQ=MONTHLY', { duration: 29 * DAY }), 'duration', /28 days apart/)
  refused(recurrence('FREQ=DAILY', { duration: DAY }), 'duration', /follow each other without a minute/)
  refused(recurrence('FREQ=DAILY', { time_zone: 'Europe/Atlantis' }), 'time_zone', /no time zone/)
  for (const rule of [
    'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30',
    'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30',
    'FREQ=MONTHLY;INTERVAL=12;BYMONTH=5',
    'FREQ=DAILY;UNTIL=20261102T000000Z',
    'FREQ=DAILY;COUNT=3',
  ])
    refused(recurrence(rule), 'rrule', /does not occur from now on/)
  // Both occurrences are left out.
  const never = { start: '2026-12-01T02:00:00', except: ['2026-12-01', '2026-12-02'] }
  refused(recurrence('FREQ=DAILY;COUNT=2', never), 'rrule', /does not occur/)
  firstOccurrences(
    recurrence('FREQ=DAILY;COUNT=20', { start: '2026-12-01T00:00:00', duration: DAY }),
    Date.parse(NOW),
  )
  firstOccurrences(recurrence('FREQ=MONTHLY', { duration: 28 * DAY - 60 }), Date.parse(NOW))
})

test('a look costs as many days as its budget at most, however long ago it began and whatever the rule says', () => {
  for (const rule of ['FREQ=DAILY', 'FREQ=WEEKLY;BYDAY=SU', 'FREQ=MONTHLY;BYDAY=-1FR', 'FREQ=YEARLY']) {
    const budget = newBudget()
    occurrencesAt(recurrence(rule, { start: '2000-01-01T02:00:00' }), Date.parse(NOW), budget)
    assert.ok(RECURRENCE_DAYS_MAX - budget.left < 2500, `${rule}: ${RECURRENCE_DAYS_MAX - budget.left} days`)
  }
  for (const rule of [
    'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30',
    'FREQ=YEARLY;COUNT=366',
    'FREQ=DAILY;BYMONTHDAY=31;BYMONTH=2',
  ]) {
    const budget = newBudget()
    occurrencesAt(recurrence(rule, { duration: 366 * DAY }), Date.parse(NOW), budget)
    assert.ok(budget.left >= 0, rule)
  }
})

test('no occurrence ends after the year 2999, however long it is and wherever its clock is', () => {
  const friday = 'FREQ=YEARLY;INTERVAL=366;BYMONTH=12;BYMONTHDAY=31;BYDAY=FR'
  const tuesday = 'FREQ=YEARLY;INTERVAL=366;BYMONTH=11;BYMONTHDAY=30;BYDAY=TU'
  for (const [rrule, more] of [
    [friday, { time_zone: 'Etc/GMT+12', start: '2679-12-31T23:00:00', duration: HOUR }],
    [tuesday, { time_zone: 'UTC', start: '2679-11-30T02:00:00', duration: 366 * DAY }],
  ] as const) {
    assert.throws(() => firstOccurrences(recurrence(rrule, more), Date.parse(NOW)), /does not occur/)
    assert.deepEqual(occurrencesAt(recurrence(rrule, more), Date.parse(NOW)), [])
  }
  const last = (time_zone: string, start: string, duration: number) =>
    at(NOW, recurrence('FREQ=YEARLY', { time_zone, start, duration }))
  assert.deepEqual(last('UTC', '2999-12-31T23:00:00', HOUR), [
    '2999-12-31T23:00:00+00:00 3000-01-01T00:00:00+00:00',
  ])
  assert.deepEqual(last('UTC', '2999-12-31T23:00:00', HOUR + 1), [])
  assert.deepEqual(last('UTC', '2999-01-01T00:00:00', 366 * DAY), [])
  assert.deepEqual(last('Etc/GMT+12', '2999-12-31T11:00:00', HOUR), [
    '2999-12-31T11:00:00-12:00 2999-12-31T12:00:00-12:00',
  ])
  assert.deepEqual(last('Etc/GMT+12', '2999-12-31T11:00:01', HOUR), [])
})

test('whatever a rule says, its times have four digits of the year', () => {
  const anyRule = fc.record({
    freq: fc.constantFrom('DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'),
    interval: fc.integer({ min: 1, max: 366 }),
    by: fc.constantFrom('', ';BYMONTH=12;BYMONTHDAY=31', ';BYMONTH=11;BYMONTHDAY=-1', ';BYDAY=FR'),
    year: fc.oneof(fc.integer({ min: 2000, max: 2999 }), fc.integer({ min: 2990, max: 2999 })),
    day: fc.constantFrom('01-01', '11-30', '12-31'),
    time_zone: fc.constantFrom('UTC', 'Etc/GMT+12', 'Pacific/Kiritimati', 'Europe/Berlin'),
    duration: fc.constantFrom(60, DAY, 31_622_400),
  })
  let shown = 0
  fc.assert(
    fc.property(anyRule, ({ freq, interval, by, year, day, time_zone, duration }) => {
      const rrule = `FREQ=${freq};INTERVAL=${interval}${freq === 'WEEKLY' ? '' : by}`
      const what = recurrence(rrule, { time_zone, start: `${year}-${day}T23:00:00`, duration })
      for (const { start, end } of occurrencesAt(what, Date.parse(NOW))) {
        shown += 1
        for (const each of [start, end]) {
          assert.match(each, /^[23]\d{3}-/)
          assert.match(new Date(each).toISOString(), /^(2\d{3}|3000-01-01T00:00:00\.000Z$)/)
        }
      }
    }),
  )
  assert.ok(shown > 50, `${shown} occurrences`)
})
