/**
 * Whose turn it is. Those who share something limited take from it one after the other, one at a time, however much each
 * of them waits for; so whoever waits for little has it soon. And nobody may hold more than SHARE_PER_FREE times what is
 * still free (the dynamic threshold of Choudhury and Hahne, 1998): a lone sharer has four fifths, and there is always
 * room for the next one. Who holds that much leaves the turns until something is given back.
 *
 * Invariant: a sharer with an empty queue is in no list; one with a queue is in exactly one.
 */
import { SHARE_PER_FREE } from '../domain/limits.ts'
import { isLinked, List, type ListNode, unlink } from './linked-list.ts'

export interface Sharer<Node extends ListNode> extends ListNode {
  /** What it has at present. */
  held: number
  /** Who of its own waits, first come first served. */
  readonly queue: List<Node>
}

export class Turns<Node extends ListNode> {
  readonly #waiting = new List<Sharer<Node>>()
  /** They held too much when they had their turn. */
  readonly #over = new List<Sharer<Node>>()

  /** Nobody waits who has not been found to hold too much. */
  get isEmpty(): boolean {
    return this.#waiting.isEmpty
  }

  /** Somebody waits, with too much or not. */
  get isWanted(): boolean {
    return !this.#waiting.isEmpty || !this.#over.isEmpty
  }

  /** Lets `node` wait for the turn of `sharer`, which is known to hold too much or not. */
  queue(sharer: Sharer<Node>, node: Node, isOver = false): void {
    sharer.queue.push(node)
    if (isLinked(sharer)) return
    if (isOver) this.#over.push(sharer)
    else this.#waiting.push(sharer)
  }

  /** Takes `node` out of the queue of `sharer`. */
  leave(sharer: Sharer<Node>, node: Node): void {
    unlink(node)
    if (sharer.queue.isEmpty) unlink(sharer)
  }

  /** More is free, or may be held, than before: who held too much is asked again. */
  reconsider(): void {
    this.#waiting.take(this.#over)
  }

  /** Takes out who is next when `free` is free and a sharer may hold `most`; undefined = nobody may have anything. */
  next(free: number, most = Number.POSITIVE_INFINITY): Node | undefined {
    if (free <= 0) return undefined
    for (let sharer = this.#waiting.first; sharer !== undefined; sharer = this.#waiting.first) {
      if (mayTake(sharer, free, most)) {
        const node = sharer.queue.shift()
        if (sharer.queue.isEmpty) unlink(sharer)
        else if (!this.#waiting.isSingle) this.#waiting.push(sharer)
        return node
      }
      this.#over.push(sharer)
    }
    return undefined
  }
}

/** Whether one more may go to `sharer` of what `free` is left. */
export function mayTake(
  { held }: { readonly held: number },
  free: number,
  most = Number.POSITIVE_INFINITY,
): boolean {
  return held < SHARE_PER_FREE * free && held < most
}
