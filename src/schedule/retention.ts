/** Purges in the background, once a minute, in one process of all, batch by batch with room for others between them. */
import {
  PURGE_BATCH_ROWS,
  PURGE_EVERY_MS,
  TRANSITION_DAYS,
  TRANSITIONS_PER_MEMBER,
} from '../domain/limits.ts'
import type { Log } from './log.ts'

export interface RetentionStore {
  /** Runs `work` unless another process is at it. */
  alone(work: () => Promise<void>): Promise<void>
  /** Each deletes at most `batch` rows and returns how many it did. */
  readonly purges: readonly ((batch: number, isThorough: boolean) => Promise<number>)[]
}

/** Passes of which one looks at everything, not only at what has changed lately. */
const THOROUGH_EVERY_PASSES = 60

export class Retention {
  readonly #store: RetentionStore
  readonly #log: Log
  #timer: NodeJS.Timeout | undefined
  #passing: Promise<void> | undefined
  #passes = 0
  #isStopped = false

  constructor(store: RetentionStore, log: Log) {
    this.#store = store
    this.#log = log
  }

  /** Makes a first, thorough pass after `firstMs`, then one a minute. */
  start(firstMs: number): void {
    if (this.#isStopped) return
    this.#timer = setTimeout(() => {
      this.#passing = this.#pass()
      void this.#passing.finally(() => this.start(PURGE_EVERY_MS))
    }, firstMs)
  }

  async close(): Promise<void> {
    this.destroy()
    await this.#passing
  }

  destroy(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  async #pass(): Promise<void> {
    const isThorough = this.#passes++ % THOROUGH_EVERY_PASSES === 0
    let rows = 0
    try {
      await this.#store.alone(async () => {
        for (const purge of this.#store.purges) rows += await this.#drain((batch) => purge(batch, isThorough))
      })
      if (rows > 0) this.#log.info({ rows }, 'old rows purged')
    } catch (error) {
      this.#log.debug({ err: error }, 'purging failed; the next pass tries again')
    }
  }

  /** Purges batch after batch until one is not full; returns how many rows went. */
  async #drain(purge: (batch: number) => Promise<number>): Promise<number> {
    let total = 0
    for (let rows = PURGE_BATCH_ROWS; rows === PURGE_BATCH_ROWS && !this.#isStopped; total += rows) {
      rows = await purge(PURGE_BATCH_ROWS)
    }
    return total
  }
}

/** The arguments of the purges, so that the numbers stand in `limits.ts` alone. */
export const RETENTION = {
  days: TRANSITION_DAYS,
  perMember: TRANSITIONS_PER_MEMBER,
  recentMs: 3 * PURGE_EVERY_MS,
} as const
