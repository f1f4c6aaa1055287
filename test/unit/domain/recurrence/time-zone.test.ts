import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instantOf, isTimeZone, localText } from '../../../../src/domain/recurrence/time-zone.ts'

const local = (text: string) => Date.parse(`${text}Z`)
const instant = (zone: string, text: string) => {
  const ms = instantOf(zone, local(text))
  return ms === undefined ? undefined : new Date(ms).toISOString().slice(0, 16)
}

test('a local time is an instant, before and after the clock changes', () => {
  for (const [zone, text, utc] of [
    ['UTC', '2026-12-06T02:00', '2026-12-06T02:00'],
    ['Europe/Berlin', '2026-12-06T02:00', '2026-12-06T01:00'],
    ['Europe/Berlin', '2026-07-06T02:00', '2026-07-06T00:00'],
    ['America/New_York', '2026-12-06T02:00', '2026-12-06T07:00'],
    ['Asia/Kolkata', '2026-12-06T02:00', '2026-12-05T20:30'],
    ['Pacific/Kiritimati', '2026-12-06T02:00', '2026-12-05T12:00'],
    ['Australia/Lord_Howe', '2026-07-06T02:00', '2026-07-05T15:30'],
    ['Australia/Lord_Howe', '2026-12-06T02:00', '2026-12-05T15:00'],
  ] as const) {
    assert.equal(instant(zone, text), utc, `${zone} ${text}`)
    assert.equal(localText(zone, Date.parse(`${utc}Z`)).slice(0, 16), text)
  }
})

test('a time that the clock leaves out is no instant; one that it shows twice is the first', () => {
  assert.equal(instant('Europe/Berlin', '2027-03-28T02:30'), undefined)
  assert.equal(instant('Europe/Berlin', '2027-03-28T03:00'), '2027-03-28T01:00')
  assert.equal(instant('Europe/Berlin', '2027-10-31T02:30'), '2027-10-31T00:30')
  assert.equal(instant('America/New_York', '2027-03-14T02:30'), undefined)
  assert.equal(instant('America/New_York', '2027-11-07T01:30'), '2027-11-07T05:30')
  // Half an hour.
  assert.equal(instant('Australia/Lord_Howe', '2026-10-04T02:15'), undefined)
  assert.equal(instant('Australia/Lord_Howe', '2026-10-04T02:30'), '2026-10-03T15:30')
  assert.equal(instant('Australia/Lord_Howe', '2027-04-04T01:45'), '2027-04-03T14:45')
})

test('an instant is shown with the offset of its zone', () => {
  const at = Date.parse('2026-12-06T01:00:00Z')
  assert.equal(localText('Europe/Berlin', at), '2026-12-06T02:00:00+01:00')
  assert.equal(localText('America/St_Johns', at), '2026-12-05T21:30:00-03:30')
  assert.equal(localText('UTC', at), '2026-12-06T01:00:00+00:00')
})

test('a time zone is a name of the IANA database', () => {
  for (const name of ['Europe/Berlin', 'UTC', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5'])
    assert.ok(isTimeZone(name), name)
  for (const name of ['', 'Berlin', 'Europe/Atlantis', '+01:00', 'Europe/../Berlin', 'A'.repeat(65), 'UTC\n'])
    assert.ok(!isTimeZone(name), name)
})
