import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recurrenceInWords } from '../../../../src/web/words/recurrence.ts'

/** First on a Sunday, 6 December. */
const words = (rrule: string, more: { readonly except?: readonly string[] } = {}) =>
  recurrenceInWords({ rrule, time_zone: 'UTC', start: '2026-12-06T02:00:00', duration: 5400, ...more })

test('a rule is shown in words', () => {
  for (const [rule, when] of [
    ['FREQ=DAILY', 'every day'],
    ['FREQ=DAILY;INTERVAL=3;COUNT=10', 'every 3 days, 10 times'],
    ['FREQ=DAILY;BYDAY=MO,TU', 'every day on Monday and Tuesday'],
    ['FREQ=WEEKLY', 'every week on Sunday'],
    ['FREQ=WEEKLY;INTERVAL=2;BYDAY=FR,SA,SU;WKST=SU', 'every 2 weeks on Friday, Saturday and Sunday'],
    ['FREQ=MONTHLY', 'every month on day 6'],
    ['FREQ=MONTHLY;BYMONTHDAY=1,15', 'every month on day 1 and 15'],
    ['FREQ=MONTHLY;BYMONTHDAY=-1', 'every month on the last day'],
    ['FREQ=MONTHLY;BYDAY=+2TU,-1FR;COUNT=1', 'every month on the second Tuesday and the last Friday, once'],
    ['FREQ=YEARLY;UNTIL=20301231T235959Z', 'every year on day 6 of December, until 2030-12-31'],
    ['FREQ=YEARLY;BYMONTH=1,7;BYMONTHDAY=2', 'every year on day 2 of January and July'],
  ] as const) {
    assert.equal(words(rule), `${when} at 02:00 (UTC), for 1 h 30 min`, rule)
  }
  const without = words('FREQ=DAILY', { except: ['2026-12-24', '2026-12-25'] })
  assert.equal(without, 'every day at 02:00 (UTC), for 1 h 30 min, not on 2026-12-24 and 2026-12-25')
})

test('a rule that has no words is shown as it is', () => {
  for (const rule of [
    'FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1',
    'FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR',
    'FREQ=MONTHLY;BYMONTHDAY=-2',
    'FREQ=MONTHLY;BYDAY=-2FR',
    'FREQ=MONTHLY;BYMONTH=2',
    'FREQ=YEARLY;BYDAY=20MO',
    'FREQ=YEARLY;BYMONTHDAY=1',
    'FREQ=WEEKLY;BYMONTH=2',
    'FREQ=DAILY;BYMONTHDAY=1',
  ]) {
    assert.equal(words(rule), `by the rule ${rule} at 02:00 (UTC), for 1 h 30 min`, rule)
  }
})
