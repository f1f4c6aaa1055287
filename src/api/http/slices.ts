/**
 * Work that would block the event loop for long is done in slices: a slice, then other work, then the next slice. Each
 * round of the event loop does one slice of one of these requests, projects in turn: however many large requests one
 * project sends, other projects wait for one slice of them.
 */
import { SLICE_LOOK_EVERY, SLICE_MS } from '../../domain/limits.ts'
import { InTurn } from '../../domain/share/in-turn.ts'

const waiting = new InTurn<() => void>()

/** Resolves when the next slice is this sharer's (sharer.ts), in a later round of the event loop. */
export function nextSlice(sharer: string): Promise<void> {
  return new Promise((resolve) => {
    if (waiting.isEmpty) setImmediate(serve)
    waiting.add(sharer, resolve)
  })
}

function serve(): void {
  waiting.next()?.()
  if (!waiting.isEmpty) setImmediate(serve)
}

/** Does something with each item in slices, until it returns false. */
export async function inSlices<Item>(
  sharer: string,
  items: Iterable<Item>,
  work: (item: Item) => boolean,
): Promise<void> {
  let done = 0
  let end = performance.now() + SLICE_MS
  for (const item of items) {
    if (!work(item)) return
    if (++done % SLICE_LOOK_EVERY !== 0 || performance.now() < end) continue
    await nextSlice(sharer)
    end = performance.now() + SLICE_MS
  }
}

/** `items.map(map)` in slices: few items are done at once. */
export async function mapInSlices<Item, Result>(
  sharer: string,
  items: Iterable<Item>,
  map: (item: Item, index: number) => Result,
): Promise<Result[]> {
  const results: Result[] = []
  await inSlices(sharer, items, (item) => {
    results.push(map(item, results.length))
    return true
  })
  return results
}
