import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseMaintenance } from '../../../../src/api/schema/maintenance.ts'

const NOW_MS = Date.parse('2026-01-01T00:00:00Z')

test('a maintenance starts and ends at instants that the calendar has', () => {
  for (const start of [
    '2026-02-30T10:00:00Z',
    '2027-02-29T10:00:00+02:00',
    '2026-04-31T23:30:00.5-02:30',
    '2026-04-30T24:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-04-30T10:60:00Z',
  ]) {
    assert.throws(() => parseMaintenance({ maintenance: { start } }, NOW_MS), /not a valid input/, start)
  }
  for (const [start, instant] of [
    ['2028-02-29T10:00:00Z', '2028-02-29T10:00:00.000Z'],
    ['2028-02-29T23:30:00-02:30', '2028-03-01T02:00:00.000Z'],
    ['2026-03-01T00:30:00.25+14:00', '2026-02-28T10:30:00.250Z'],
  ] as const) {
    assert.equal(parseMaintenance({ maintenance: { start } }, NOW_MS).start, instant)
  }
})

test('a local time or a day that the calendar does not have is refused with the text that was sent', () => {
  const recurrence = { rrule: 'FREQ=DAILY', time_zone: 'UTC', duration: 60 }
  for (const [wrong, field, sent] of [
    [{ start: '2027-02-30T10:00' }, 'recurrence.start', '2027-02-30T10:00'],
    [{ except: ['2027-02-30'] }, 'recurrence.except', '2027-02-30'],
  ] as const) {
    const body = { maintenance: { recurrence: { ...recurrence, ...wrong } } }
    assert.throws(
      () => parseMaintenance(body, NOW_MS),
      (error: Error) => error.message.includes(field) && error.message.includes(`'${sent}' is not a valid`),
    )
  }
})
