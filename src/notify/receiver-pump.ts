/** Gives one receiver its events, in order, as long as this process has the lease. */
import { setTimeout as sleep } from 'node:timers/promises'
import { RECEIVER_BATCH, RECEIVER_EVERY_MS, RECEIVER_RETRY_MS } from '../domain/limits.ts'
import type { ServiceEvent } from '../domain/event/event.ts'
import type { NotifyLog } from './log.ts'
import type { Receiver, Term } from './receiver.ts'

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
  #wake: (() => void) | undefined
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
    this.#wake?.()
  }

  /** Resolves when no delivery is in progress. The signal must be aborted before. */
  async close(): Promise<void> {
    await this.#running
    await this.#receiver.close()
  }

  /** Never rejects. */
  async #run(signal: AbortSignal): Promise<void> {
    let pauseMs = RECEIVER_RETRY_MS.min
    let isInTrouble = false
    const { name } = this.#receiver
    while (!signal.aborted) {
      try {
        await this.#deliverAll(signal, () => {
          pauseMs = RECEIVER_RETRY_MS.min
          if (isInTrouble) this.#log.info({ receiver: name }, 'events are delivered again')
          isInTrouble = false
        })
      } catch (error) {
        if (signal.aborted) return
        // The receiver is not to blame for the end of the term, which the lease reports.
        const isLasting = this.#mayDeliver()
        if (!isInTrouble && isLasting)
          this.#log.warn({ err: error, receiver: name }, 'events cannot be delivered; they wait')
        isInTrouble ||= isLasting
        // A notification does not shorten this pause.
        await pause(pauseMs * (0.5 + Math.random() / 2), signal)
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
      const events = await this.#source.read(position, RECEIVER_BATCH)
      const last = events.at(-1)
      if (!signal.aborted && !this.#mayDeliver()) {
        // The timer that aborts the signal is late: it runs soon.
        await this.#wait(RECEIVER_EVERY_MS, signal)
        continue
      }
      if (last !== undefined && !signal.aborted) {
        await this.#receiver.deliver(events, { signal, mayDeliver: this.#mayDeliver })
        // Also after the term: the receiver has them, and the position never goes back.
        await this.#source.advance(name, last.position)
        position = last.position
      }
      onSuccess()
      if (last === undefined && !this.#isDue) await this.#wait(RECEIVER_EVERY_MS, signal)
    }
  }

  async #wait(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wake = undefined
  }
}

/** Ends early when `signal` is aborted, and never rejects. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined)
}
