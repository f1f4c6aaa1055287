/** Logs once that PostgreSQL is away and once that it is back, however many requests fail meanwhile. */
import { setTimeout as wait } from 'node:timers/promises'
import { STORE_WATCH_EVERY_MS } from '../../domain/limits.ts'
import { whyAway } from '../../store/connection/database.ts'
import type { RequestLog } from './context.ts'

export class StoreWatch {
  readonly #log: Pick<RequestLog, 'info' | 'error'>
  readonly #ping: () => Promise<unknown>
  #isAway = false

  /** `ping` rejects while PostgreSQL does not answer. */
  constructor(log: Pick<RequestLog, 'info' | 'error'>, ping: () => Promise<unknown>) {
    this.#log = log
    this.#ping = ping
  }

  away(error: unknown): void {
    if (this.#isAway) return
    this.#isAway = true
    this.#log.error({ why: whyAway(error) }, 'PostgreSQL does not answer: requests get 503 until it does')
    void this.#waitForIt(performance.now())
  }

  async #waitForIt(sinceMs: number): Promise<void> {
    for (;;) {
      await wait(STORE_WATCH_EVERY_MS, undefined, { ref: false })
      try {
        await this.#ping()
        break
      } catch {
        // Still away.
      }
    }
    this.#isAway = false
    this.#log.info({ away_ms: Math.round(performance.now() - sinceMs) }, 'PostgreSQL answers again')
  }
}
