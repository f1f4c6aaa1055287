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

export interface SliceOptions {
  /** Items between two looks at the clock: 1 where an item may take as long as a slice. Default: SLICE_LOOK_EVERY. */
  readonly lookEvery?: number
}

/** Does something with each item in slices, until it returns false. */
export async function inSlices<Item>(
  sharer: string,
  items: Iterable<Item>,
  work: (item: Item) => boolean,
  { lookEvery = SLICE_LOOK_EVERY }: SliceOptions = {},
): Promise<void> {
  let done = 0
  let end = performance.now() + SLICE_MS
  for (const item of items) {
    if (!work(item)) return
    if (++done % lookEvery !== 0 || performance.now() < end) continue
    await nextSlice(sharer)
    end = performance.now() + SLICE_MS
  }
}

/** `items.map(map)` in slices: few items are done at once. */
export async function mapInSlices<Item, Result>(
  sharer: string,
  items: Iterable<Item>,
  map: (item: Item, index: number) => Result,
  options: SliceOptions = {},
): Promise<Result[]> {
  const results: Result[] = []
  const work = (item: Item): boolean => {
    results.push(map(item, results.length))
    return true
  }
  await inSlices(sharer, items, work, options)
  return results
}

/** The result of a computation in steps, in slices. */
export async function stepsInSlices<Result>(
  sharer: string,
  steps: Generator<undefined, Result>,
): Promise<Result> {
  let end = performance.now() + SLICE_MS
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
    if (performance.now() < end) continue
    await nextSlice(sharer)
    end = performance.now() + SLICE_MS
  }
}
