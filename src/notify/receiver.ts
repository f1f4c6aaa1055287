/** Who is given the events: webhooks, a message bus. */
import type { ServiceEvent } from '../domain/event/event.ts'

/**
 * A receiver of events. It hears of them only in the process that has the lease, in the order of their positions, each at least
 * once: those of a batch that failed come again, also to another process.
 */
export interface Receiver {
  /** Of its row in `delivery`; never changes. */
  readonly name: string
  /** From now until `signal` is aborted, this process has the lease. */
  begin?(signal: AbortSignal): void
  /**
   * Takes events. Resolves when all of them are safe with the receiver, or wait for it in PostgreSQL: its position is moved
   * behind them. Rejects when they are not: the same events come again, after a pause that grows. Once `signal` is aborted
   * another process may do the same work, so nothing may be sent any more.
   */
  deliver(events: readonly ServiceEvent[], signal: AbortSignal): Promise<void>
  /** Resolves when nothing of it is under way; it hears of nothing more. */
  close(): Promise<void>
}
