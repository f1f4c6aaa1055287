import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  isMaintained,
  maintenanceAt,
  movedOn,
  presentMaintenance,
  recurringMaintenance,
  windowsOf,
} from '../../../../src/domain/status/maintenance.ts'

const at = (minute: number) => Date.UTC(2026, 0, 1, 0, minute)
const text = (minute: number) => new Date(at(minute)).toISOString()
const between = (start: number, end: number | null) => ({
  start: text(start),
  end: end === null ? null : text(end),
  note: `from ${start}`,
})

test('a maintenance lasts from its start up to, not including, its end; without an end until it is removed', () => {
  const windows = [...windowsOf(between(10, 20)), ...windowsOf(between(30, null))]
  const lasts = [9, 10, 19, 20, 29, 30, 100_000].map((minute) => isMaintained(windows, at(minute)))
  assert.deepEqual(lasts, [false, true, true, false, false, true, true])
  assert.equal(isMaintained([], at(10)), false)
  assert.equal(isMaintained(undefined, at(10)), false)
})

test('what is shown lasts or is to come, by its start, and says of what it is', () => {
  const all = { member: between(30, 40), pool: between(10, null), healthmonitor: between(0, 20) }
  const shown = (minute: number) =>
    maintenanceAt(all, at(minute)).map(({ of, active, note }) => `${of} ${note} ${active}`)
  assert.deepEqual(shown(5), ['healthmonitor from 0 true', 'pool from 10 false', 'member from 30 false'])
  assert.deepEqual(shown(20), ['pool from 10 true', 'member from 30 false'])
  assert.deepEqual(shown(40), ['pool from 10 true'])
  assert.deepEqual(maintenanceAt({ member: null }, at(0)), [])
})

const NIGHTLY = {
  rrule: 'FREQ=DAILY;COUNT=6',
  time_zone: 'Europe/Berlin',
  start: '2026-12-01T01:00:00',
  duration: 3600,
}
const [FIRST, SECOND, THIRD, FOURTH, FIFTH, SIXTH] = [1, 2, 3, 4, 5, 6].map((day) => ({
  start: `2026-12-0${day}T01:00:00+01:00`,
  end: `2026-12-0${day}T02:00:00+01:00`,
}))
const decemberAt = (text: string) => Date.parse(`2026-12-${text}Z`)
const nightly = recurringMaintenance({ note: 'backup', recurrence: NIGHTLY }, decemberAt('01T00:30'))

test('one that recurs has the times of the occurrence that lasts or comes next, and the next ones', () => {
  assert.deepEqual(nightly, {
    start: '2026-12-01T00:00:00.000Z',
    end: '2026-12-01T01:00:00.000Z',
    note: 'backup',
    recurrence: NIGHTLY,
    occurrences: [FIRST, SECOND, THIRD, FOURTH],
  })
})

test('one that recurs is moved on to what is then; after the last one it stays, and is over', () => {
  assert.deepEqual(movedOn(nightly, decemberAt('01T01:00')).occurrences, [SECOND, THIRD, FOURTH, FIFTH])
  assert.deepEqual(movedOn(nightly, decemberAt('05T00:59')).occurrences, [FIFTH, SIXTH])
  const over = movedOn(movedOn(nightly, decemberAt('05T12:00')), decemberAt('06T01:00'))
  assert.deepEqual([over.occurrences, over.end], [[SIXTH], '2026-12-06T01:00:00.000Z'])
  assert.deepEqual(presentMaintenance(over, decemberAt('06T01:00')).occurrences, [])
  assert.deepEqual(maintenanceAt({ pool: over }, decemberAt('06T01:00')), [])
  const once = between(0, 10)
  assert.equal(movedOn(once, at(20)), once)
})

test('one that recurs reads from its start to its end, in whatever order PostgreSQL keeps the keys', () => {
  const { rrule, time_zone, start, duration } = NIGHTLY
  const kept = {
    ...nightly,
    recurrence: { start, rrule, duration, time_zone },
    occurrences: [FIRST!, SECOND!].map((each) => ({ end: each.end, start: each.start })),
  }
  const shown = JSON.stringify(presentMaintenance(kept, decemberAt('01T00:30')))
  const expected = { ...nightly, recurrence: NIGHTLY, occurrences: [FIRST, SECOND] }
  assert.equal(shown, JSON.stringify(expected))
})

test('one whose time zone this process does not know stays as it is', () => {
  const unknown = { ...nightly, recurrence: { ...NIGHTLY, time_zone: 'Europe/Atlantis' } }
  assert.equal(movedOn(unknown, decemberAt('05T12:00')), unknown)
})

test('one that was not moved on yet lasts in its next occurrence, and is shown so', () => {
  const lasts = (text: string) => isMaintained(windowsOf(nightly), decemberAt(text))
  assert.deepEqual(['01T00:30', '01T01:00', '02T00:00', '02T01:00', '04T00:30'].map(lasts), [
    true,
    false,
    true,
    false,
    true,
  ])
  const [shown] = maintenanceAt({ member: nightly }, decemberAt('02T00:00'))
  assert.deepEqual(
    [shown?.of, shown?.active, shown?.start, shown?.occurrences?.length],
    ['member', true, '2026-12-02T00:00:00.000Z', 3],
  )
})
