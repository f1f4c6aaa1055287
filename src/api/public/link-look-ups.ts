/** Look-ups of links that this process does not know: few at a time, clients in turn, and so many unknown links of a client. */
import { DomainError } from '../../domain/errors.ts'
import {
  PUBLIC_CLIENTS_MAX,
  PUBLIC_LOOK_UP_WAIT_MS,
  PUBLIC_LOOK_UPS,
  PUBLIC_LOOK_UPS_WAITING,
  PUBLIC_UNKNOWN_PER_CLIENT,
  PUBLIC_UNKNOWN_WINDOW_MS,
} from '../../domain/limits.ts'
import { FairGate } from '../../domain/share/fair-gate.ts'

export class LinkLookUps {
  readonly #now: () => number
  readonly #gate = new FairGate({ places: PUBLIC_LOOK_UPS, waitingMax: PUBLIC_LOOK_UPS_WAITING })
  /** Unknown links by client; the oldest windows are forgotten for new ones. */
  readonly #windows = new Map<string, { unknown: number; readonly until: number }>()

  constructor(now: () => number) {
    this.#now = now
  }

  /** Looks up a link for a client; undefined = there is none. Throws TOO_MANY_ATTEMPTS, PROJECT_BUSY, and what `lookUp` throws. */
  async run<Found>(client: string, lookUp: () => Promise<Found | undefined>): Promise<Found | undefined> {
    // Counted before it is made, so that many at once are bounded too.
    const window = this.#windowOf(client)
    if (window.unknown >= PUBLIC_UNKNOWN_PER_CLIENT) {
      throw new DomainError(
        'TOO_MANY_ATTEMPTS',
        'Too many links that do not exist. Please try again later.',
        {
          retryAfterSeconds: Math.max(1, Math.ceil((window.until - this.#now()) / 1000)),
        },
      )
    }
    window.unknown += 1
    let isUnknown = false
    try {
      const found = await this.#inTurn(client, lookUp)
      isUnknown = found === undefined
      return found
    } finally {
      // A look-up that was refused or failed says nothing about the link.
      if (!isUnknown) window.unknown -= 1
    }
  }

  async #inTurn<Found>(client: string, lookUp: () => Promise<Found>): Promise<Found> {
    const startClock = (expire: () => void) => {
      const timer = setTimeout(expire, PUBLIC_LOOK_UP_WAIT_MS)
      return () => clearTimeout(timer)
    }
    if (!(await this.#gate.enter(client, startClock))) {
      throw new DomainError('PROJECT_BUSY', 'Too many links are being looked up. Please try again.')
    }
    try {
      return await lookUp()
    } finally {
      this.#gate.leave(client)
    }
  }

  #windowOf(client: string): { unknown: number; readonly until: number } {
    const now = this.#now()
    const known = this.#windows.get(client)
    if (known !== undefined && now < known.until) return known
    this.#windows.delete(client)
    for (const oldest of this.#windows.keys()) {
      if (this.#windows.size < PUBLIC_CLIENTS_MAX) break
      this.#windows.delete(oldest)
    }
    const window = { unknown: 0, until: now + PUBLIC_UNKNOWN_WINDOW_MS }
    this.#windows.set(client, window)
    return window
  }
}
