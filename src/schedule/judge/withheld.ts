/**
 * Verdicts that a maintenance keeps from being published. Looks every `WITHHELD_LOOK_EVERY_MS`, only while there are
 * any: where the maintenance is over, at its end or because it was deleted, the present status is published, as one
 * transition with the time of the publication.
 */
import { WITHHELD_LOOK_EVERY_MS } from '../../domain/limits.ts'
import type { CheckStatus } from '../../domain/status/state-machine.ts'
import type { Check } from '../loop/check.ts'
import { publishWithheld } from './judgement.ts'

export interface WithheldOptions {
  readonly publish: (check: Check, from: CheckStatus) => void
  /** Milliseconds of the wall clock. */
  readonly wall?: () => number
}

export class WithheldVerdicts {
  readonly #options: WithheldOptions
  readonly #checks = new Set<Check>()
  #timer: NodeJS.Timeout | undefined
  #isDestroyed = false

  constructor(options: WithheldOptions) {
    this.#options = options
  }

  /** Takes a check whose verdict was withheld; taking it twice does no harm. */
  readonly add = (check: Check): void => {
    this.#checks.add(check)
    if (this.#timer !== undefined || this.#isDestroyed) return
    this.#timer = setInterval(() => this.look(), WITHHELD_LOOK_EVERY_MS)
  }

  look(): void {
    const wallMs = this.#options.wall?.() ?? Date.now()
    for (const check of this.#checks) {
      if (check.withheld === undefined || check.isGone) this.#checks.delete(check)
      else {
        const from = publishWithheld(check, wallMs)
        if (from === undefined) continue
        this.#checks.delete(check)
        this.#options.publish(check, from)
      }
    }
    if (this.#checks.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  destroy(): void {
    this.#isDestroyed = true
    clearInterval(this.#timer)
  }
}
