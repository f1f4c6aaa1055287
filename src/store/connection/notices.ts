/**
 * Notifications of what was committed. A NOTIFY inside a transaction makes all commits of the cluster that notify wait for
 * each other, one flush of the log after the other. So they are sent after the commit, those of many transactions together.
 * One that gets lost costs its readers a second: they look that often anyway.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { NOTICE_PAUSE_MS } from '../../domain/limits.ts'

export interface Notice {
  readonly channel: string
  readonly payload: string
}

export class Notices {
  readonly #send: (notices: readonly Notice[]) => Promise<void>
  /** Channel → payloads, each once. */
  #due = new Map<string, Set<string>>()
  #sending: Promise<void> | undefined
  #isClosing = false

  /** `send` may reject: what it was given is lost. */
  constructor(send: (notices: readonly Notice[]) => Promise<void>) {
    this.#send = send
  }

  /** Sends these soon: at once, or with others after NOTICE_PAUSE_MS. */
  tell(notices: readonly Notice[]): void {
    for (const { channel, payload } of notices) {
      const payloads = this.#due.get(channel) ?? new Set()
      this.#due.set(channel, payloads.add(payload))
    }
    if (this.#due.size > 0) this.#sending ??= this.#sendDue()
  }

  /** Sends what is due; from now on without a pause. */
  async close(): Promise<void> {
    this.#isClosing = true
    await this.#sending
  }

  /** Until nothing is due. Never rejects. */
  async #sendDue(): Promise<void> {
    while (this.#due.size > 0) {
      const notices = [...this.#due].flatMap(([channel, payloads]) =>
        [...payloads].map((payload) => ({ channel, payload })),
      )
      this.#due = new Map()
      await this.#send(notices).catch(() => undefined)
      if (!this.#isClosing) await wait(NOTICE_PAUSE_MS)
    }
    this.#sending = undefined
  }
}
