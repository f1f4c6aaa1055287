/**
 * Delivers events to receivers. Of all processes that run a notifier, only the holder of the lease delivers. Each
 * receiver has its own position, so a receiver that accepts nothing does not delay the others.
 */
import { Lease, type LeaseParts } from './lease.ts'
import type { NotifyLog } from './log.ts'
import { type EventSource, ReceiverPump } from './receiver-pump.ts'
import type { Receiver } from './receiver.ts'

export interface NotifierParts {
  readonly receivers: readonly Receiver[]
  readonly openLease: LeaseParts['open']
  readonly source: EventSource
  readonly log: NotifyLog
}

export class Notifier {
  readonly #pumps: readonly ReceiverPump[]
  readonly #lease: Lease

  constructor({ receivers, openLease, source, log }: NotifierParts) {
    const pumpParts = { source, mayDeliver: () => this.isActive, log }
    this.#pumps = receivers.map((receiver) => new ReceiverPump(receiver, pumpParts))
    this.#lease = new Lease({
      open: openLease,
      onTaken: (signal) => {
        for (const pump of this.#pumps) pump.start(signal)
      },
      log,
    })
  }

  /** Whether this process is the one that delivers. */
  get isActive(): boolean {
    return this.#lease.isHeld
  }

  start(): void {
    this.#lease.start()
  }

  /** There may be new events. */
  readonly notify = (): void => {
    for (const pump of this.#pumps) pump.notify()
  }

  /** Releases the lease, and ends the deliveries in progress. */
  async close(): Promise<void> {
    await Promise.all([this.#lease.close(), ...this.#pumps.map((pump) => pump.close())])
  }
}
