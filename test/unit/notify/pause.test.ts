import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backOff, WakeablePause } from '../../../src/notify/pause.ts'

/** Milliseconds that no test waits for: a pause that is not cut short fails by the limit of its test. */
const LONG_MS = 3_600_000
const LIMIT = { timeout: 20_000 }

test('a pause ends when it is woken', LIMIT, async () => {
  const pause = new WakeablePause()
  const over = pause.wait(LONG_MS, new AbortController().signal)
  pause.wake()
  await over
})

test('a pause ends after its time, and waking nobody does nothing', LIMIT, async () => {
  const pause = new WakeablePause()
  pause.wake()
  await pause.wait(1, new AbortController().signal)
  pause.wake()
})

test('after the end of the term a pause takes no time', LIMIT, async () => {
  await new WakeablePause().wait(LONG_MS, AbortSignal.abort())
  await backOff(LONG_MS, AbortSignal.abort())
})

test('the end of the term cuts a back-off short, and it does not reject', LIMIT, async () => {
  const term = new AbortController()
  const over = backOff(LONG_MS, term.signal)
  term.abort()
  assert.equal(await over, undefined)
})
