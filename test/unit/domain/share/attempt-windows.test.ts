import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AttemptWindows } from '../../../../src/domain/share/attempt-windows.ts'

function windowsAt(windowsMax = 3) {
  const clock = { ms: 1000 }
  const windows = new AttemptWindows({ now: () => clock.ms, windowMs: 5000, windowsMax })
  return { windows, clock }
}

test('attempts of one key share a window, which begins with the first and ends whatever came after it', () => {
  const { windows, clock } = windowsAt()
  windows.of('a').count += 1
  clock.ms += 4999
  windows.of('a').count += 1
  assert.equal(windows.of('a').count, 2)
  clock.ms += 1
  assert.equal(windows.of('a').count, 0)
})

test('another key has a window of its own', () => {
  const { windows } = windowsAt()
  windows.of('a').count += 7
  assert.equal(windows.of('b').count, 0)
})

test('what is counted may be taken back from the same window', () => {
  const { windows } = windowsAt()
  const window = windows.of('a')
  window.count += 1
  window.count -= 1
  assert.equal(windows.of('a').count, 0)
})

test('no more windows are kept than allowed: the oldest is forgotten, and one that began anew is young', () => {
  const { windows, clock } = windowsAt(2)
  windows.of('a').count = 1
  clock.ms += 4000
  windows.of('b').count = 1
  clock.ms += 1000
  windows.of('a').count = 2
  windows.of('c').count = 1
  assert.deepEqual(
    ['a', 'c'].map((key) => windows.of(key).count),
    [2, 1],
  )
  assert.equal(windows.of('b').count, 0, 'it was the oldest')
})

test('the time to wait is in whole seconds, never less than one', () => {
  const { windows, clock } = windowsAt()
  const window = windows.of('a')
  assert.equal(windows.secondsLeft(window), 5)
  clock.ms += 3001
  assert.equal(windows.secondsLeft(window), 2)
  clock.ms += 1999
  assert.equal(windows.secondsLeft(window), 1)
})
