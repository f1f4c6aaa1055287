import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RECURRENCE_BATCH } from '../../../src/domain/limits.ts'
import { recurringMaintenance } from '../../../src/domain/status/maintenance.ts'
import { movedOnInSlices, RecurringMaintenances } from '../../../src/notify/recurring-maintenances.ts'
import { eventually } from '../../support/configuration.ts'

test('it moves on until nothing is moved, looks again, and reports trouble and its end once', async (t) => {
  const lines: string[] = []
  const log = {
    info: (_: object, message: string) => void lines.push(message),
    warn: (_: object, message: string) => void lines.push(message),
  }
  const answers = [RECURRENCE_BATCH, 3, 0, new Error('no database'), new Error('no database'), 0]
  let calls = 0
  const maintenances = new RecurringMaintenances({
    log,
    move: ({ batch }) => {
      assert.equal(batch, RECURRENCE_BATCH)
      const answer = answers[calls++] ?? 0
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
    },
  })
  t.after(() => maintenances.close())
  maintenances.start()
  await eventually('three calls, without a pause', () => calls >= 3)
  await eventually('it recovers', () => lines.length === 2)
  assert.equal(calls, 6)
  assert.match(lines[0] ?? '', /cannot be stored/)
  assert.match(lines[1] ?? '', /are stored again/)
})

test('close waits for the call that is under way, and none comes after it', async () => {
  let finish: (moved: number) => void = () => undefined
  let calls = 0
  const log = { info: () => undefined, warn: () => undefined }
  const maintenances = new RecurringMaintenances({
    log,
    move: () => {
      calls++
      return new Promise((resolve) => (finish = resolve))
    },
  })
  maintenances.start()
  let isClosed = false
  const closing = maintenances.close().then(() => (isClosed = true))
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(isClosed, false)
  finish(RECURRENCE_BATCH)
  await closing
  assert.equal(calls, 1)
})

test('many are moved on in slices: the event loop has its turns', async () => {
  const nowMs = Date.parse('2026-12-01T12:00:00Z')
  // Occurs now, and then for 27 years no more: each look tries every day that it may.
  const recurrence = {
    rrule: 'FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=1;BYDAY=TU;INTERVAL=28',
    time_zone: 'UTC',
    start: '2026-12-01T11:59:00',
    duration: 120,
  }
  const maintenance = recurringMaintenance({ note: '', recurrence }, nowMs)
  let turns = 0
  const turn = setInterval(() => turns++, 0)
  const moved = await movedOnInSlices(
    Array.from({ length: 100 }, () => maintenance),
    nowMs,
  )
  clearInterval(turn)
  assert.equal(moved.length, 100)
  assert.ok(turns >= 2, `${turns} turns`)
})
