import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mapInSlices } from '../../../../src/api/http/slices.ts'
import { SLICE_LOOK_EVERY, SLICE_MS } from '../../../../src/domain/limits.ts'

/** Takes longer than a slice. */
function work(): void {
  const endMs = performance.now() + SLICE_MS + 1
  while (performance.now() < endMs);
}

/** After how many items something else got its turn, first. */
async function itemsBeforeOthers(lookEvery?: number): Promise<number> {
  let done = 0
  let seen: number | undefined
  setImmediate(() => (seen = done))
  const items = Array.from({ length: 2 * SLICE_LOOK_EVERY }, (_, i) => i)
  const map = (item: number): number => {
    work()
    done += 1
    return -item
  }
  const results = await mapInSlices('a project', items, map, lookEvery === undefined ? {} : { lookEvery })
  assert.deepEqual(
    results,
    items.map((item) => -item),
  )
  return seen ?? items.length
}

test('others get their turn after each item that takes a slice, where the clock is looked at after each', async () => {
  assert.equal(await itemsBeforeOthers(1), 1)
})

test('the clock is looked at after a few items otherwise, and others get their turn then', async () => {
  assert.equal(await itemsBeforeOthers(), SLICE_LOOK_EVERY)
})
