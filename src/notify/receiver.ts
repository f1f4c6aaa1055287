/** What events are delivered to: webhooks, a message bus. */
import type { ServiceEvent } from '../domain/event/event.ts'

/**
 * A receiver of events. Only the process that has the lease delivers to it, in the order of positions, each event at
 * least once: a batch that failed is delivered again, perhaps by another process.
 */
export interface Receiver {
  /** The key of its row in `delivery`; never changes. */
  readonly name: string
  /** From now until `signal` is aborted, this process has the lease. */
  begin?(signal: AbortSignal): void
  /**
   * Takes events. Resolves when the receiver has all of them, or when they wait for it in PostgreSQL. Its position is
   * then moved behind them. Rejects otherwise: the same events come again, after a pause that grows. When `signal` is
   * aborted, another process may deliver the same events, so nothing more may be sent.
   */
  deliver(events: readonly ServiceEvent[], signal: AbortSignal): Promise<void>
  /** Resolves when no delivery is in progress. After that, `deliver` is not called. */
  close(): Promise<void>
}
