import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RRULE_MAX } from '../../../../src/domain/limits.ts'
import { normalizedRule, parseRule } from '../../../../src/domain/recurrence/rule.ts'

test('a rule is read with all its parts, and without them', () => {
  assert.deepEqual(
    parseRule(
      'FREQ=MONTHLY;INTERVAL=2;COUNT=5;BYMONTH=1,12;BYMONTHDAY=-1,31;BYDAY=MO,-1FR;BYSETPOS=-2;WKST=SU',
    ),
    {
      frequency: 'MONTHLY',
      interval: 2,
      count: 5,
      untilMs: undefined,
      byMonth: [1, 12],
      byMonthDay: [-1, 31],
      byDay: [
        { weekday: 0, ordinal: 0 },
        { weekday: 4, ordinal: -1 },
      ],
      bySetPosition: [-2],
      weekStart: 6,
    },
  )
  const least = parseRule('FREQ=DAILY')
  assert.deepEqual([least.interval, least.count, least.untilMs, least.byDay], [1, undefined, undefined, []])
  assert.equal(parseRule('FREQ=DAILY;UNTIL=20281231T235959Z').untilMs, Date.parse('2028-12-31T23:59:59Z'))
})

test('a rule is kept in capitals, without its name', () => {
  assert.equal(normalizedRule(' rrule:freq=weekly;byday=su '), 'FREQ=WEEKLY;BYDAY=SU')
})

test('what is no rule, or no rule of days, is refused, and the refusal says why', () => {
  for (const [rule, why] of [
    ['', /no part of a rule, like FREQ=WEEKLY;BYDAY=SU/],
    ['BYDAY=SU', /FREQ is missing/],
    ['FREQ=HOURLY', /FREQ=HOURLY must be one of DAILY, WEEKLY, MONTHLY, YEARLY: at most once a day/],
    ['FREQ=SECONDLY', /at most once a day/],
    ['FREQ=DAILY;BYHOUR=1', /BYHOUR is not supported/],
    ['FREQ=YEARLY;BYWEEKNO=20', /BYWEEKNO is not supported/],
    ['FREQ=DAILY;FREQ=DAILY', /FREQ is there twice/],
    ['FREQ=DAILY;', /no part of a rule/],
    ['FREQ=DAILY;INTERVAL=0', /INTERVAL=0 must be a number from 1 to 366/],
    ['FREQ=DAILY;INTERVAL=99999999999', /INTERVAL/],
    ['FREQ=DAILY;COUNT=367', /COUNT=367 must be a number from 1 to 366/],
    ['FREQ=DAILY;COUNT=2;UNTIL=20281231T235959Z', /exclude each other/],
    ['FREQ=DAILY;UNTIL=20280230T000000Z', /must be a time in UTC/],
    ['FREQ=DAILY;UNTIL=20281231T235959', /must be a time in UTC, like 20271231T235959Z/],
    ['FREQ=DAILY;UNTIL=20281231', /must be a time in UTC/],
    ['FREQ=MONTHLY;BYMONTHDAY=0', /BYMONTHDAY: '0' must be 1 to 31 or -1 to -31/],
    ['FREQ=MONTHLY;BYMONTHDAY=32', /BYMONTHDAY/],
    ['FREQ=YEARLY;BYMONTH=13', /BYMONTH: '13' must be 1 to 12/],
    ['FREQ=YEARLY;BYMONTH=-1', /BYMONTH/],
    ['FREQ=WEEKLY;BYDAY=XX', /BYDAY: 'XX' must be one of MO/],
    ['FREQ=MONTHLY;BYDAY=0MO', /BYDAY/],
    ['FREQ=MONTHLY;BYDAY=54MO', /BYDAY/],
    ['FREQ=WEEKLY;BYDAY=1MO', /fits FREQ=MONTHLY and FREQ=YEARLY only/],
    ['FREQ=WEEKLY;BYMONTHDAY=1', /BYMONTHDAY does not fit FREQ=WEEKLY/],
    ['FREQ=MONTHLY;BYSETPOS=1', /BYSETPOS needs another BY part/],
    ['FREQ=WEEKLY;WKST=1', /WKST=1 must be one of MO/],
    [`FREQ=MONTHLY;BYMONTHDAY=${Array.from({ length: 32 }, () => 1).join(',')}`, /more than 31 values/],
    [`FREQ=DAILY;BYDAY=${'MO,'.repeat(RRULE_MAX)}MO`, /more than 300 characters/],
  ] as const) {
    assert.throws(() => parseRule(rule), { name: 'RecurrenceRefusal', field: 'rrule', message: why }, rule)
  }
})
