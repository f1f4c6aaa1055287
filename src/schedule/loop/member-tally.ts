/** How many checks have which status, counted at each change: reading it never walks over all checks. */
import type { CheckStatus } from '../../domain/status/state-machine.ts'
import type { Check } from './check.ts'

export class MemberTally {
  readonly #counts: Record<CheckStatus, number> = { UNKNOWN: 0, ONLINE: 0, OFFLINE: 0 }

  /** Of checks whose status results have decided; all others are UNKNOWN. */
  get counts(): Readonly<Record<CheckStatus, number>> {
    return this.#counts
  }

  add(check: Check): void {
    this.#counts[check.decidedStatus]++
  }

  remove(check: Check): void {
    this.#counts[check.decidedStatus]--
  }

  /** Its status was `from` before what just happened. */
  move(check: Check, from: CheckStatus): void {
    const to = check.decidedStatus
    if (from === to) return
    this.#counts[from]--
    this.#counts[to]++
  }
}
