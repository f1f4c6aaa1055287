/**
 * Once a second, every prober looks for sites that are lost, and for those that are back; their votes are counted again by
 * one of them (ADR 38). Without a monitor whose sites vote, it is one small statement every ten seconds.
 */
import { SITE_LOOK_EVERY_MS, SITE_LOOK_IDLE_MS, SITE_LOOKS_MISSED_MAX } from '../../domain/limits.ts'
import type { Log } from '../log.ts'

export interface LostSiteStore<Shard> {
  hasVotes(): Promise<boolean>
  /** `isAfresh`: what was seen at earlier looks does not count. */
  mark(isAfresh: boolean): Promise<void>
  /** Some shards of sites that are to be counted again, which no other process counts; empty = there are none. */
  take(): Promise<readonly Shard[]>
  recount(shard: Shard): Promise<void>
}

export interface LostSitesParts<Shard> {
  readonly store: LostSiteStore<Shard>
  readonly log: Log
  /** Monotonic milliseconds. */
  readonly now?: () => number
}

export class LostSites<Shard = unknown> {
  readonly #parts: LostSitesParts<Shard>
  readonly #now: () => number
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  #lookedMs = Number.NEGATIVE_INFINITY
  #idleUntilMs = Number.NEGATIVE_INFINITY
  #isTroubled = false
  #isStopped = false

  constructor(parts: LostSitesParts<Shard>) {
    this.#parts = parts
    this.#now = parts.now ?? (() => performance.now())
  }

  start(): void {
    this.#timer = setInterval(() => this.lookNow(), SITE_LOOK_EVERY_MS)
  }

  /** Looks, unless it is looking. */
  lookNow(): void {
    this.#looking ??= this.look().finally(() => {
      this.#looking = undefined
    })
  }

  async close(): Promise<void> {
    this.destroy()
    await this.#looking
  }

  destroy(): void {
    this.#isStopped = true
    clearInterval(this.#timer)
  }

  /** Never rejects. */
  async look(): Promise<void> {
    const { store, log } = this.#parts
    try {
      if (this.#now() < this.#idleUntilMs) return
      if (!(await store.hasVotes())) {
        this.#idleUntilMs = this.#now() + SITE_LOOK_IDLE_MS
        return
      }
      const isAfresh = this.#now() - this.#lookedMs > SITE_LOOKS_MISSED_MAX * SITE_LOOK_EVERY_MS
      await store.mark(isAfresh)
      this.#lookedMs = this.#now()
      await this.#recountAll()
      this.#isTroubled = false
    } catch (error) {
      if (!this.#isTroubled && !this.#isStopped)
        log.warn(
          { err: error },
          'votes of sites that are lost or back cannot be counted; they are counted later',
        )
      this.#isTroubled = true
    }
  }

  async #recountAll(): Promise<void> {
    const { store } = this.#parts
    for (let shards = await store.take(); shards.length > 0; shards = await store.take()) {
      for (const shard of shards) {
        if (this.#isStopped) return
        await store.recount(shard)
        // Counting again for long is no reason to forget what was seen.
        this.#lookedMs = this.#now()
      }
    }
  }
}
