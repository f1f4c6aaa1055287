import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isMaintained, maintenanceAt, windowsOf } from '../../../../src/domain/status/maintenance.ts'

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
