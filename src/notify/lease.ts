/**
 * The lease of the notifier: only one of all processes delivers. The lease is an advisory lock of a PostgreSQL session.
 * The holder renews it once a second. If PostgreSQL does not answer for NOTIFIER_LEASE_MS, the holder stops before
 * another process can begin.
 */
import { setMaxListeners } from 'node:events'
import { LEASE_EVERY_MS, NOTIFIER_LEASE_MS } from '../domain/limits.ts'
import type { NotifyLog } from './log.ts'
import { TroubleLog } from './trouble-log.ts'

/** What a session of PostgreSQL can do. */
export interface Session {
  take(): Promise<boolean>
  renew(): Promise<void>
  end(): Promise<void>
  destroy(): void
}

export interface LeaseParts {
  /** Opens a session; `onEnd` is called once when it has ended. */
  readonly open: (onEnd: () => void) => Promise<Session>
  /** This process has the lease, until the signal is aborted. */
  readonly onTaken: (signal: AbortSignal) => void
  readonly log: NotifyLog
  /** Milliseconds, monotonic; replaced in tests. */
  readonly now?: () => number
}

export class Lease {
  readonly #parts: LeaseParts
  readonly #trouble: TroubleLog
  readonly #now: () => number
  #session: Session | undefined
  #term: AbortController | undefined
  /** Monotonic milliseconds: until then no other process can have the lease. */
  #safeUntilMs = 0
  #timer: NodeJS.Timeout | undefined
  #renewing: Promise<void> | undefined
  #isStopped = false

  constructor(parts: LeaseParts) {
    this.#parts = parts
    this.#trouble = new TroubleLog(parts.log, {
      trouble: 'the lease of the notifier can be neither taken nor renewed',
      recovery: 'PostgreSQL answers again: the lease of the notifier can be taken',
    })
    this.#now = parts.now ?? (() => performance.now())
  }

  /** Whether this process may deliver at this moment; also false when it was frozen and has not noticed yet. */
  get isHeld(): boolean {
    return this.#term !== undefined && this.#now() < this.#safeUntilMs
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), LEASE_EVERY_MS)
    this.#tick()
  }

  /** Releases the lease; another process can take it at once. */
  async close(): Promise<void> {
    this.#isStopped = true
    clearInterval(this.#timer)
    this.#end('this process ends')
    await this.#session?.end()
    await this.#renewing
    // A session that was opened meanwhile.
    await this.#session?.end()
    this.#session = undefined
  }

  #tick(): void {
    if (this.#term !== undefined && !this.isHeld) this.#end('PostgreSQL did not answer in time')
    this.#renewing ??= this.#renewOrTake().finally(() => {
      this.#renewing = undefined
    })
  }

  /** Never rejects. */
  async #renewOrTake(): Promise<void> {
    try {
      const session = (this.#session ??= await this.#open())
      const sentMs = this.#now()
      if (this.#term !== undefined) await session.renew()
      else if (!(await session.take())) return
      // Counted from before the statement was sent: PostgreSQL counts from later.
      this.#safeUntilMs = sentMs + NOTIFIER_LEASE_MS
      if (this.#session === session) this.#begin()
      this.#trouble.worked()
    } catch (error) {
      this.#lose(error)
    }
  }

  async #open(): Promise<Session> {
    const opened: { session?: Session } = {}
    opened.session = await this.#parts.open(() => {
      if (opened.session === undefined || this.#session !== opened.session) return
      this.#session = undefined
      this.#end('its session ended')
    })
    return opened.session
  }

  #lose(error: unknown): void {
    const session = this.#session
    this.#session = undefined
    this.#end('PostgreSQL did not answer')
    this.#trouble.failed(error)
    session?.destroy()
  }

  #begin(): void {
    if (this.#term !== undefined || this.#isStopped || !(this.#now() < this.#safeUntilMs)) return
    this.#term = new AbortController()
    // Everything that delivers listens to this signal.
    setMaxListeners(0, this.#term.signal)
    this.#parts.log.info({}, 'this process delivers events')
    this.#parts.onTaken(this.#term.signal)
  }

  #end(why: string): void {
    const term = this.#term
    if (term === undefined) return
    this.#term = undefined
    this.#parts.log.info({ why }, 'this process no longer delivers events')
    term.abort()
  }
}
