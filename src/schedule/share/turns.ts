/**
 * A fair queue. Those who share something limited take from it in turn, one at a time, however much each of them waits
 * for; so a sharer who waits for little gets it soon. No sharer may hold more than SHARE_PER_FREE times what is still
 * free (the dynamic threshold of Choudhury and Hahne, 1998): a single sharer has four fifths, and there is always room
 * for the next one. A sharer at that limit leaves the queue until something is given back.
 *
 * Invariant: a sharer with an empty queue is in no list; one with a queue is in exactly one.
 */
import { SHARE_PER_FREE } from '../../domain/limits.ts'
import { isLinked, List, type ListNode, unlink } from '../linked-list.ts'

export interface Sharer<Node extends ListNode> extends ListNode {
  /** What it has at present. */
  held: number
  /** Its own waiting nodes, first come, first served. */
  readonly queue: List<Node>
}

export class Turns<Node extends ListNode> {
  readonly #waiting = new List<Sharer<Node>>()
  /** They held too much when they had their turn. */
  readonly #over = new List<Sharer<Node>>()

  /** All waiting sharers have been found to hold too much. */
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

  /** More is free, or the limit is higher: sharers that held too much are checked again. */
  reconsider(): void {
    this.#waiting.take(this.#over)
  }

  /**
   * Removes and returns the next node when `free` is free and a sharer may hold `most`; undefined = no sharer may take
   * anything.
   */
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
