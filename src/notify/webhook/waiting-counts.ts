/**
 * An upper bound of how many events wait for each webhook. They are counted in PostgreSQL from time to time. Between
 * two counts, queued events are added, and delivered events are not subtracted. So the number is never too small, also
 * while a count is running. Only events that the API queues again from dead letters are missing, until the count that
 * the API's notification causes.
 */
export interface Counted {
  readonly id: string
  readonly waiting: number
}

export class WaitingCounts {
  #atMost = new Map<string, number>()
  /** What was queued since the count began that is under way. */
  #sinceCount: Map<string, number> | undefined

  /** At most this many events wait. */
  of(id: string): number {
    return this.#atMost.get(id) ?? 0
  }

  /** One more was queued: called after it is committed. */
  queued(id: string): void {
    increase(this.#atMost, id, 1)
    if (this.#sinceCount !== undefined) increase(this.#sinceCount, id, 1)
  }

  /** Sets the bound to `most`: the rest was given up, and nothing was queued meanwhile. */
  bounded(id: string, most: number): void {
    this.#atMost.set(id, most)
  }

  /** Counts all webhooks again, one count at a time; `count` gives those for which something waits. */
  async recount(count: () => Promise<readonly Counted[]>): Promise<readonly Counted[]> {
    const since = new Map<string, number>()
    this.#sinceCount = since
    try {
      const counted = await count()
      this.#atMost = since
      for (const { id, waiting } of counted) increase(since, id, waiting)
      return counted
    } finally {
      this.#sinceCount = undefined
    }
  }
}

function increase(counts: Map<string, number>, id: string, by: number): void {
  counts.set(id, (counts.get(id) ?? 0) + by)
}
