/**
 * Gives events their positions: moves rows of the outbox, after a notification and once a second in case none came.
 * Once a second it also writes events that time alone causes. Any number of processes may do both; a lock in PostgreSQL
 * lets only one work at a time.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { SEQUENCE_BATCH, SEQUENCE_EVERY_MS, SEQUENCE_PAUSE_MS } from '../domain/limits.ts'
import type { NotifyLog } from './log.ts'

export interface SequencerParts {
  /** Moves at most `max` rows; undefined = there were none. */
  readonly sequence: (max: number) => Promise<number | undefined>
  /** Writes events that time alone causes: a lease expired, a maintenance began. */
  readonly observeClock: () => Promise<void>
  readonly log: NotifyLog
}

export class EventSequencer {
  readonly #parts: SequencerParts
  #timer: NodeJS.Timeout | undefined
  #moving: Promise<void> | undefined
  #isDue = false
  #isClockDue = true
  #hasFailed = false
  #isStopped = false

  constructor(parts: SequencerParts) {
    this.#parts = parts
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#isClockDue = true
      this.notify()
    }, SEQUENCE_EVERY_MS)
    this.notify()
  }

  /** There may be rows to move. */
  readonly notify = (): void => {
    this.#isDue = true
    if (this.#isStopped) return
    this.#moving ??= this.#move().finally(() => {
      this.#moving = undefined
    })
  }

  async close(): Promise<void> {
    this.#isStopped = true
    clearInterval(this.#timer)
    await this.#moving
  }

  /** Moves until the outbox was found empty after the last notification. Never rejects. */
  async #move(): Promise<void> {
    const { sequence, observeClock, log } = this.#parts
    try {
      while ((this.#isDue || this.#isClockDue) && !this.#isStopped) {
        // Inside the loop: with a steady stream of events the loop never ends.
        if (this.#isClockDue) {
          this.#isClockDue = false
          await observeClock()
        }
        this.#isDue = false
        if ((await sequence(SEQUENCE_BATCH)) === undefined) continue
        this.#isDue = true
        // What is committed in the meantime is moved together.
        await wait(SEQUENCE_PAUSE_MS)
      }
      if (this.#hasFailed) log.info({}, 'events get their positions again')
      this.#hasFailed = false
    } catch (error) {
      if (!this.#hasFailed)
        log.warn({ err: error }, 'events cannot get their positions; they wait in the outbox')
      this.#hasFailed = true
    }
  }
}
