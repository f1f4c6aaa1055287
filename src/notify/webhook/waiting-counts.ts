/**
 * How many events wait for each webhook, at the most. They are counted in PostgreSQL now and then; in between, what is queued
 * is added, and what is delivered is not taken away. So the number is never too small, whatever happens while a count is under
 * way. Only what the API queues again from dead letters is missing, until the count that its notification causes.
 */
export interface Counted {
  readonly id: string
  readonly waiting: number
}

export class WaitingCounts {
  #atMost = new Map<string, number>()
  /** What was queued since the count began that is under way. */
  #sinceCount: Map<string, number> | undefined

  /** At the most. */
  of(id: string): number {
    return this.#atMost.get(id) ?? 0
  }

  /** One more was queued: called after it is committed. */
  queued(id: string): void {
    increase(this.#atMost, id, 1)
    if (this.#sinceCount !== undefined) increase(this.#sinceCount, id, 1)
  }

  /** No more than `most` wait for a webhook: the rest was given up, and nothing was queued meanwhile. */
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
