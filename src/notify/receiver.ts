/** What events are delivered to: webhooks, a message bus. */
import type { ServiceEvent } from '../domain/event/event.ts'

/** The time for which this process has the lease. */
export interface Term {
  /** Aborted at its end. */
  readonly signal: AbortSignal
  /**
   * Whether it lasts at this moment. False also where this process was frozen for longer than the lease and the timer
   * that aborts `signal` has not run yet.
   */
  readonly mayDeliver: () => boolean
}

/**
 * A receiver of events. Only the process that has the lease delivers to it, in the order of positions, each event at
 * least once: a batch that failed is delivered again, perhaps by another process.
 */
export interface Receiver {
  /** The key of its row in `delivery`; never changes. */
  readonly name: string
  /** It moves its position itself, in the statement that keeps what it takes. */
  readonly movesPosition?: true
  /** From now until `signal` is aborted, this process has the lease. */
  begin?(signal: AbortSignal): void
  /**
   * The position up to which nobody wants an event, whatever it is: nobody reads these. Undefined: somebody may want some.
   * Absent: always undefined.
   */
  passOver?(): Promise<number | undefined>
  /**
   * Takes events. Resolves when the receiver has all of them, or when they wait for it in PostgreSQL. Its position is
   * then moved behind them. Rejects otherwise: the same events come again, after a pause that grows. After the term,
   * another process may deliver the same events, so nothing more may be sent.
   */
  deliver(events: readonly ServiceEvent[], term: Term): Promise<void>
  /** Resolves when no delivery is in progress. After that, `deliver` is not called. */
  close(): Promise<void>
}
