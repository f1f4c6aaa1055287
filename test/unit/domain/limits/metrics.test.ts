import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  FLUSH_ROWS_BUCKETS,
  FLUSH_ROWS_MAX,
  LATENESS_SECONDS_BUCKETS,
  PROBE_SECONDS_BUCKETS,
  REQUEST_SECONDS_BUCKETS,
} from '../../../../src/domain/limits.ts'

test('the bounds of every histogram rise, by a factor that tells apart what differs', () => {
  for (const [name, bounds] of Object.entries({
    FLUSH_ROWS_BUCKETS,
    LATENESS_SECONDS_BUCKETS,
    PROBE_SECONDS_BUCKETS,
    REQUEST_SECONDS_BUCKETS,
  })) {
    for (const [i, bound] of bounds.entries()) {
      const factor = bound / (bounds[i - 1] ?? bound / 2)
      assert.ok(factor > 1 && factor <= 10, `${name}: ${bound} is ${factor} times the one before`)
    }
  }
})

test('the last bound of the rows of a flush is the most that one has', () => {
  assert.equal(FLUSH_ROWS_BUCKETS.at(-1), FLUSH_ROWS_MAX)
})
