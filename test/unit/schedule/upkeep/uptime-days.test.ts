import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RunStatement } from '../../../../src/schedule/upkeep/retention.ts'
import { purgeGone } from '../../../../src/schedule/upkeep/uptime-days.ts'

const run: RunStatement = (statement) => statement()

/** Deletes two rows a statement, of so many statements. */
function purgeOf(statements: number) {
  let done = 0
  return {
    purge: () => {
      done += 1
      return Promise.resolve({ rows: 2, isMore: done < statements })
    },
    done: () => done,
  }
}

test('what is left of deleted objects is deleted until there is no more, and its rows are counted', async () => {
  const { purge, done } = purgeOf(7)
  assert.equal(await purgeGone(run, purge), 14)
  assert.equal(done(), 7)
})

test('it ends with the time that a pass gives it, and with the process; the rest is for the next pass', async () => {
  const endless = purgeOf(Number.POSITIVE_INFINITY)
  const slow: RunStatement = async (statement) => {
    const endMs = performance.now() + 10
    while (performance.now() < endMs);
    return await statement()
  }
  assert.equal(await purgeGone(slow, endless.purge, { maxMs: 5 }), 2)
  assert.equal(endless.done(), 1)
  const ending: RunStatement = () => Promise.resolve(undefined)
  assert.equal(await purgeGone(ending, endless.purge), 0)
  assert.equal(endless.done(), 1)
})
