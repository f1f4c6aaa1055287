/** Keeps one connection that listens on a channel of PostgreSQL, and makes a new one when it breaks. */
import { LISTEN_RETRY_MS } from '../../domain/limits.ts'
import type { Log } from '../log.ts'

export interface ListenerOptions {
  /** Resolves once it listens; calls `onEnd` once when the connection breaks. */
  readonly listen: (
    onPayload: (payload: string) => void,
    onEnd: (error: Error | undefined) => void,
  ) => Promise<{ end(): Promise<void> }>
  /** Also called, with an empty text, when it listens again: what came meanwhile is not known. */
  readonly onPayload: (payload: string) => void
  readonly log: Log
  /** What notifications are about, for the log. */
  readonly subject: string
}

export class ChannelListener {
  readonly #options: ListenerOptions
  #connection: { end(): Promise<void> } | undefined
  #connecting: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #retryMs = LISTEN_RETRY_MS.min
  #isAway = false
  #isStopped = false

  constructor(options: ListenerOptions) {
    this.#options = options
  }

  get isListening(): boolean {
    return this.#connection !== undefined
  }

  start(): void {
    this.#connecting = this.#connect()
  }

  async close(): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#timer)
    await this.#connecting
    const connection = this.#connection
    this.#connection = undefined
    await connection?.end()
  }

  async #connect(): Promise<void> {
    const { listen, onPayload, log, subject } = this.#options
    try {
      const connection = await listen(onPayload, (error) => this.#retry(error))
      this.#connection = connection
      this.#retryMs = LISTEN_RETRY_MS.min
      if (this.#isAway) log.info({}, `notifications of ${subject} arrive again`)
      this.#isAway = false
      // Changes while no connection listened.
      onPayload('')
    } catch (error) {
      this.#retry(error)
    }
  }

  #retry(error: unknown): void {
    this.#connection = undefined
    if (this.#isStopped) return
    const { log, subject } = this.#options
    if (!this.#isAway) {
      log.warn({ err: error }, `no notifications of ${subject}, which are polled meanwhile`)
    }
    this.#isAway = true
    this.#timer = setTimeout(() => {
      this.#connecting = this.#connect()
    }, this.#retryMs)
    this.#retryMs = Math.min(LISTEN_RETRY_MS.max, this.#retryMs * 2)
  }
}
