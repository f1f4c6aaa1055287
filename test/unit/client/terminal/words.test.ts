import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ago, counted, duration } from '../../../../src/client/terminal/words.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

test('a duration has its largest unit, and the next one while that is below ten', () => {
  const cases: readonly (readonly [ms: number, words: string])[] = [
    [0, '0 s'],
    [999, '0 s'],
    [59 * SECOND, '59 s'],
    [MINUTE, '1 min'],
    [9 * MINUTE + 5 * SECOND, '9 min 5 s'],
    [10 * MINUTE + 5 * SECOND, '10 min'],
    [HOUR + 20 * MINUTE, '1 h 20 min'],
    [24 * HOUR, '1 d'],
    [400 * HOUR, '16 d'],
  ]
  for (const [ms, words] of cases) assert.equal(duration(ms), words)
})

test('what the clock of the service puts into the future is just now', () => {
  assert.equal(ago('2026-01-01T00:00:05Z', Date.parse('2026-01-01T00:00:04Z')), '0 s ago')
  assert.equal(ago(null, 0), '')
})

test('one has no plural', () => {
  assert.deepEqual(
    [counted(1, 'pool'), counted(0, 'pool'), counted(2, 'pool')],
    ['1 pool', '0 pools', '2 pools'],
  )
})
