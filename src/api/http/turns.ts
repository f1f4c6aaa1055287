/**
 * Work that would block the event loop for long is done in turns: a piece, then other work, then the next piece. One of
 * these requests has its turn in each round of the loop, projects in turn: however many large requests one project
 * sends, other projects wait for one piece of them.
 */
import { TURN_MS } from '../../domain/limits.ts'
import { InTurn } from '../../domain/share/in-turn.ts'
import type { Identity } from '../../identity/identity.ts'

/**
 * By what the requests of somebody are divided: the project, and where the token names none the user, so that those who have no
 * project do not share what is left to administrators of the system.
 */
export function sharerOf({ projectId, userId = '' }: Pick<Identity, 'projectId' | 'userId'>): string {
  return projectId || `user ${userId}`
}

const waiting = new InTurn<() => void>()

/** Resolves when it is this project's turn, in a later round of the event loop. */
export function turn(projectId: string): Promise<void> {
  return new Promise((resolve) => {
    if (waiting.isEmpty) setImmediate(serve)
    waiting.add(projectId, resolve)
  })
}

function serve(): void {
  waiting.next()?.()
  if (!waiting.isEmpty) setImmediate(serve)
}

/** Does something with each item in turns, until it returns false. */
export async function inTurns<Item>(
  projectId: string,
  items: Iterable<Item>,
  work: (item: Item) => boolean,
): Promise<void> {
  let done = 0
  let end = performance.now() + TURN_MS
  for (const item of items) {
    if (!work(item)) return
    if (++done % LOOK_EVERY !== 0 || performance.now() < end) continue
    await turn(projectId)
    end = performance.now() + TURN_MS
  }
}

/** `items.map(map)` in turns: few items are done at once. */
export async function mapInTurns<Item, Result>(
  projectId: string,
  items: Iterable<Item>,
  map: (item: Item, index: number) => Result,
): Promise<Result[]> {
  const results: Result[] = []
  await inTurns(projectId, items, (item) => {
    results.push(map(item, results.length))
    return true
  })
  return results
}

/** Items between two looks at the clock. */
const LOOK_EVERY = 8
