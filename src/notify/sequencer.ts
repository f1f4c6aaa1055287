/**
 * Gives events their positions: moves rows of the outbox, after a notification and once a second in case none came.
 * Once a second it also writes events that time alone causes. Any number of processes may do both: a lock in PostgreSQL
 * lets only one work at a time, and nobody waits for it.
 *
 * One process is enough to move the rows. Who sees that another one does it (it has the lock, or a notification says that
 * it gave positions) stands by: it looks only where no positions are given soon after the rows came. So nothing depends
 * on the other one: it may be killed, or frozen, at any moment.
 */
import {
  SEQUENCE_BATCH,
  SEQUENCE_EVERY_MS,
  SEQUENCE_PAUSE_MS,
  SEQUENCE_STAND_BY_MS,
} from '../domain/limits.ts'
import type { Sequenced } from '../store/event/events.ts'
import type { NotifyLog } from './log.ts'
import { backOff } from './pause.ts'
import { TroubleLog } from './trouble-log.ts'

export interface SequencerParts {
  /** Moves about `max` rows. */
  readonly sequence: (max: number) => Promise<Sequenced>
  /** Writes events that time alone causes: a lease expired, a maintenance began. */
  readonly observeClock: () => Promise<void>
  readonly log: NotifyLog
}

export class EventSequencer {
  readonly #parts: SequencerParts
  readonly #trouble: TroubleLog
  readonly #clockTrouble: TroubleLog
  readonly #stopped = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #moving: Promise<void> | undefined
  #isDue = false
  #isClockDue = true
  #isStandBy = false
  /** The greatest position that this process gave, and that anybody gave. */
  #lastOwn = 0
  #lastGiven = 0

  constructor(parts: SequencerParts) {
    this.#parts = parts
    this.#trouble = new TroubleLog(parts.log, {
      trouble: 'events cannot get their positions; they wait in the outbox',
      recovery: 'events get their positions again',
    })
    this.#clockTrouble = new TroubleLog(parts.log, {
      trouble: 'events that time alone causes cannot be written; they come later',
      recovery: 'events that time alone causes are written again',
    })
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
    if (this.#stopped.signal.aborted) return
    this.#moving ??= this.#move().finally(() => {
      this.#moving = undefined
    })
  }

  /** Positions up to this one were given, by this process or another one. */
  readonly noteGiven = (last: number): void => {
    this.#lastGiven = Math.max(this.#lastGiven, last)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#stopped.abort()
    await this.#moving
  }

  /** Until the outbox was found empty after the last notification. Never rejects. */
  async #move(): Promise<void> {
    const { signal } = this.#stopped
    try {
      while ((this.#isDue || this.#isClockDue) && !signal.aborted) {
        // Inside the loop: with a steady stream of events the loop never ends.
        if (this.#isClockDue) {
          this.#isClockDue = false
          await this.#observeClock()
        }
        this.#isDue = false
        if (await this.#isDoneByAnother()) continue
        await this.#look()
      }
      this.#trouble.worked()
    } catch (error) {
      this.#trouble.failed(error)
    }
  }

  /** Its failure holds up no event that is in the outbox. Never rejects. */
  async #observeClock(): Promise<void> {
    try {
      await this.#parts.observeClock()
      this.#clockTrouble.worked()
    } catch (error) {
      this.#clockTrouble.failed(error)
    }
  }

  /** Stands by: whether positions were given soon. */
  async #isDoneByAnother(): Promise<boolean> {
    if (this.#lastGiven > this.#lastOwn) this.#isStandBy = true
    if (!this.#isStandBy) return false
    const before = this.#lastGiven
    // Not all that stand by look at the same moment.
    await backOff(SEQUENCE_STAND_BY_MS * (0.5 + Math.random() / 2), this.#stopped.signal)
    return this.#stopped.signal.aborted || this.#lastGiven > before
  }

  async #look(): Promise<void> {
    const done = await this.#parts.sequence(SEQUENCE_BATCH)
    if (done === 'none') return
    // Rows may have come that were not seen.
    this.#isDue = true
    this.#isStandBy = done === 'busy'
    if (done === 'busy') return
    this.#lastOwn = done.last
    // What is committed in the meantime is moved together.
    await backOff(SEQUENCE_PAUSE_MS, this.#stopped.signal)
  }
}
