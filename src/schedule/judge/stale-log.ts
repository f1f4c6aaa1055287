/** Logs checks that became stale in one line a second, not one line each: a whole network may fail at once. */
import { STALE_LOG_EVERY_MS } from '../../domain/limits.ts'
import type { Check } from '../loop/check.ts'
import type { Log } from '../log.ts'

export class StaleLog {
  readonly #log: Log
  #became = 0
  #recovered = 0
  #example: Check | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(log: Log) {
    this.#log = log
  }

  note(check: Check): void {
    if (check.isStale) {
      this.#became++
      this.#example = check
    } else this.#recovered++
    this.#timer ??= setTimeout(() => this.flush(), STALE_LOG_EVERY_MS)
  }

  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#became > 0) {
      const facts = {
        checks: this.#became,
        member_id: this.#example?.config.memberId,
        reason: this.#example?.lastResult?.reason,
        detail: this.#example?.lastResult?.detail,
      }
      this.#log.warn(facts, 'checks are stale: they had no conclusive result for three windows')
    }
    if (this.#recovered > 0) this.#log.info({ checks: this.#recovered }, 'checks are no longer stale')
    this.#became = 0
    this.#recovered = 0
    this.#example = undefined
  }
}
