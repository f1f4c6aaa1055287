/** Gives one receiver its events, in order, as long as this process has the lease. */
import { RECEIVER_BATCH, RECEIVER_EVERY_MS, RECEIVER_RETRY_MS } from '../domain/limits.ts'
import type { ServiceEvent } from '../domain/event/event.ts'
import type { NotifyLog } from './log.ts'
import { backOff, WakeablePause } from './pause.ts'
import type { Receiver, Term } from './receiver.ts'
import { TroubleLog } from './trouble-log.ts'

/** Where events and positions are. */
export interface EventSource {
  /** At most `limit` events after a position, of all projects. */
  readonly read: (after: number, limit: number) => Promise<readonly ServiceEvent[]>
  /** The greatest position that was deleted. */
  readonly purgedTo: () => Promise<number>
  /** The position of a receiver; a new one starts at the newest event. */
  readonly position: (receiver: string) => Promise<number>
  readonly advance: (receiver: string, position: number) => Promise<void>
}

export interface PumpParts {
  readonly source: EventSource
  /** Whether this process may deliver at this moment. */
  readonly mayDeliver: Term['mayDeliver']
  readonly log: NotifyLog
}

export class ReceiverPump {
  readonly #receiver: Receiver
  readonly #source: EventSource
  readonly #mayDeliver: Term['mayDeliver']
  readonly #log: NotifyLog
  #isDue = false
  /** The position before the gap that was logged last: each retry meets that gap again, and it may grow. */
  #gapAfter: number | undefined
  readonly #pause = new WakeablePause()
  #running: Promise<void> = Promise.resolve()

  constructor(receiver: Receiver, { source, mayDeliver, log }: PumpParts) {
    this.#receiver = receiver
    this.#source = source
    this.#mayDeliver = mayDeliver
    this.#log = log
  }

  /** Starts when the work of an earlier term of the lease has ended. */
  start(signal: AbortSignal): void {
    this.#running = this.#running.then(async () => {
      if (signal.aborted) return
      this.#receiver.begin?.(signal)
      signal.addEventListener('abort', this.notify, { once: true })
      await this.#run(signal)
    })
  }

  /** There may be new events. */
  readonly notify = (): void => {
    this.#isDue = true
    this.#pause.wake()
  }

  /** Resolves when no delivery is in progress. The signal must be aborted before. */
  async close(): Promise<void> {
    await this.#running
    await this.#receiver.close()
  }

  /** Never rejects. */
  async #run(signal: AbortSignal): Promise<void> {
    let pauseMs = RECEIVER_RETRY_MS.min
    const trouble = new TroubleLog(
      this.#log,
      { trouble: 'events cannot be delivered; they wait', recovery: 'events are delivered again' },
      { receiver: this.#receiver.name },
    )
    while (!signal.aborted) {
      try {
        await this.#deliverAll(signal, () => {
          pauseMs = RECEIVER_RETRY_MS.min
          trouble.worked()
        })
      } catch (error) {
        if (signal.aborted) return
        // The receiver is not to blame for the end of the term, which the lease reports.
        if (this.#mayDeliver()) trouble.failed(error)
        await backOff(pauseMs * (0.5 + Math.random() / 2), signal)
        pauseMs = Math.min(2 * pauseMs, RECEIVER_RETRY_MS.max)
      }
    }
  }

  async #deliverAll(signal: AbortSignal, onSuccess: () => void): Promise<void> {
    const { name } = this.#receiver
    let position = await this.#source.position(name)
    const purgedTo = await this.#source.purgedTo()
    if (position < purgedTo && this.#gapAfter !== position) {
      this.#gapAfter = position
      this.#log.warn(
        { receiver: name, from: position, to: purgedTo },
        'events were deleted before the receiver got them: it was away for longer than HM_EVENTS_DAYS',
      )
    }
    while (!signal.aborted) {
      this.#isDue = false
      const unwanted = await this.#receiver.passOver?.()
      const events = unwanted === undefined ? await this.#source.read(position, RECEIVER_BATCH) : []
      const last = events.at(-1)
      if (!signal.aborted && !this.#mayDeliver()) {
        // The timer that aborts the signal is late: it runs soon.
        await this.#pause.wait(RECEIVER_EVERY_MS, signal)
        continue
      }
      if (last !== undefined && !signal.aborted) {
        await this.#receiver.deliver(events, { signal, mayDeliver: this.#mayDeliver })
        // Also after the term: the receiver has them, and the position never goes back.
        if (this.#receiver.movesPosition !== true) await this.#source.advance(name, last.position)
        position = last.position
      }
      if (unwanted !== undefined && unwanted > position && !signal.aborted) {
        await this.#source.advance(name, unwanted)
        position = unwanted
      }
      onSuccess()
      // There are no more: of those that come later there is a notification.
      if (events.length < RECEIVER_BATCH && !this.#isDue) await this.#pause.wait(RECEIVER_EVERY_MS, signal)
    }
  }
}
