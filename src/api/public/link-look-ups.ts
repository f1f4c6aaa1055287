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
import { AttemptWindows } from '../../domain/share/attempt-windows.ts'
import { FairGate } from '../../domain/share/fair-gate.ts'

export class LinkLookUps {
  readonly #gate = new FairGate({ places: PUBLIC_LOOK_UPS, waitingMax: PUBLIC_LOOK_UPS_WAITING })
  /** Unknown links by client. */
  readonly #windows: AttemptWindows

  constructor(now: () => number) {
    this.#windows = new AttemptWindows({
      now,
      windowMs: PUBLIC_UNKNOWN_WINDOW_MS,
      windowsMax: PUBLIC_CLIENTS_MAX,
    })
  }

  /** Looks up a link for a client; undefined = there is none. Throws TOO_MANY_ATTEMPTS, PROJECT_BUSY, and what `lookUp` throws. */
  async run<Found>(client: string, lookUp: () => Promise<Found | undefined>): Promise<Found | undefined> {
    // Counted before it is made, so that many at once are bounded too.
    const window = this.#windows.of(client)
    if (window.count >= PUBLIC_UNKNOWN_PER_CLIENT) {
      throw new DomainError(
        'TOO_MANY_ATTEMPTS',
        'Too many links that do not exist. Please try again later.',
        { retryAfterSeconds: this.#windows.secondsLeft(window) },
      )
    }
    window.count += 1
    let isUnknown = false
    try {
      const found = await this.#inTurn(client, lookUp)
      isUnknown = found === undefined
      return found
    } finally {
      // A look-up that was refused or failed says nothing about the link.
      if (!isUnknown) window.count -= 1
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
}
