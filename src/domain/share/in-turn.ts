/** A queue that is served in turn by key: the oldest item of one key, then that of the next. */
export class InTurn<Item> {
  /** In the order of their turns. */
  readonly #queues = new Map<string, Set<Item>>()

  get isEmpty(): boolean {
    return this.#queues.size === 0
  }

  count(key: string): number {
    return this.#queues.get(key)?.size ?? 0
  }

  add(key: string, item: Item): void {
    const queue = this.#queues.get(key)
    if (queue === undefined) this.#queues.set(key, new Set([item]))
    else queue.add(item)
  }

  /** Whether it was there. */
  remove(key: string, item: Item): boolean {
    const queue = this.#queues.get(key)
    const wasThere = queue?.delete(item) ?? false
    if (queue?.size === 0) this.#queues.delete(key)
    return wasThere
  }

  /** Takes the oldest item of the first key that `may` be served; its key's next turn comes after all others. */
  next(may: (key: string) => boolean = () => true): Item | undefined {
    for (const [key, queue] of this.#queues) {
      const [item] = queue
      if (item === undefined || !may(key)) continue
      queue.delete(item)
      this.#queues.delete(key)
      if (queue.size > 0) this.#queues.set(key, queue)
      return item
    }
    return undefined
  }
}
