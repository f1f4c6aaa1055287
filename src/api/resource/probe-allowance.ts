/** How many probes a project may ask for: at one time, divided by project (adr/0018), and a second. Of one API process. */
import { DomainError } from '../../domain/errors.ts'
import {
  PROBE_RATES_SWEEP,
  PROBE_REQUEST_RETRY_AFTER_SECONDS,
  PROBE_REQUESTS_MAX,
  PROBE_REQUESTS_PER_PROJECT,
  PROBE_REQUESTS_PER_SECOND,
} from '../../domain/limits.ts'
import { FairShare } from '../../domain/share/fair-share.ts'

const SPACING_MS = 1000 / PROBE_REQUESTS_PER_SECOND
/** A second's worth may come at once. */
const BURST_MS = 1000

export class ProbeAllowance {
  readonly #places = new FairShare(PROBE_REQUESTS_MAX)
  /** By sharer: when its requests so far would have been, evenly spread (GCRA). Monotonic milliseconds. */
  readonly #spread = new Map<string, number>()
  readonly #now: () => number

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** Requests under way. */
  get taken(): number {
    return PROBE_REQUESTS_MAX - this.#places.free
  }

  /** Projects whose rate is known. */
  get remembered(): number {
    return this.#spread.size
  }

  /**
   * Takes a place for one request; the result gives it back. Throws PROJECT_BUSY when the project has too many under way, and
   * TOO_MANY_ATTEMPTS when it has asked too often.
   */
  take(sharer: string): () => void {
    const startMs = Math.max(this.#spread.get(sharer) ?? Number.NEGATIVE_INFINITY, this.#now() - BURST_MS)
    if (startMs + SPACING_MS > this.#now()) {
      throw refusal(
        'TOO_MANY_ATTEMPTS',
        `A project may ask for ${PROBE_REQUESTS_PER_SECOND} probes a second. Please try again.`,
      )
    }
    if (this.#places.held(sharer) >= PROBE_REQUESTS_PER_PROJECT || !this.#places.take(sharer)) {
      throw refusal(
        'PROJECT_BUSY',
        'The project has asked for too many probes at one time. Please try again.',
      )
    }
    this.#note(sharer, startMs + SPACING_MS)
    return () => this.#places.give(sharer)
  }

  #note(sharer: string, spreadMs: number): void {
    this.#spread.set(sharer, spreadMs)
    if (this.#spread.size <= PROBE_RATES_SWEEP) return
    const oldMs = this.#now() - BURST_MS
    for (const [key, ms] of this.#spread) if (ms <= oldMs) this.#spread.delete(key)
  }
}

function refusal(code: 'TOO_MANY_ATTEMPTS' | 'PROJECT_BUSY', message: string): DomainError {
  return new DomainError(code, message, { retryAfterSeconds: PROBE_REQUEST_RETRY_AFTER_SECONDS })
}
