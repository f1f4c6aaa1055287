/**
 * Once a second, replaces each occurrence of a recurring maintenance that is over with the next one. Any number of
 * processes may do it; a lock in PostgreSQL lets only one work at a time. A delay does not affect probing: probers know
 * the next occurrences.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { RECURRENCE_BATCH, RECURRENCE_EVERY_MS, SLICE_MS } from '../domain/limits.ts'
import { type Maintenance, movedOn } from '../domain/status/maintenance.ts'
import type { NotifyLog } from './log.ts'
import { TroubleLog } from './trouble-log.ts'

type MoveOn = (maintenances: readonly Maintenance[], nowMs: number) => Promise<readonly Maintenance[]>

export interface RecurringMaintenancesParts {
  /**
   * Stores the next occurrence of maintenances that are over, at most `batch` of a kind of object; returns how many.
   */
  readonly move: (options: { readonly batch: number; readonly moveOn: MoveOn }) => Promise<number>
  readonly log: NotifyLog
}

export class RecurringMaintenances {
  readonly #parts: RecurringMaintenancesParts
  readonly #trouble: TroubleLog
  #timer: NodeJS.Timeout | undefined
  #moving: Promise<void> | undefined
  #isStopped = false

  constructor(parts: RecurringMaintenancesParts) {
    this.#parts = parts
    this.#trouble = new TroubleLog(parts.log, {
      trouble: 'the next occurrences of maintenances cannot be stored; probing is not affected',
      recovery: 'the next occurrences of maintenances are stored again',
    })
  }

  start(): void {
    this.#timer = setInterval(() => this.#look(), RECURRENCE_EVERY_MS)
    this.#look()
  }

  async close(): Promise<void> {
    this.#isStopped = true
    clearInterval(this.#timer)
    await this.#moving
  }

  #look(): void {
    this.#moving ??= this.#move().finally(() => {
      this.#moving = undefined
    })
  }

  /** Until nothing more is moved. Never rejects. */
  async #move(): Promise<void> {
    const { move } = this.#parts
    try {
      while (!this.#isStopped && (await move({ batch: RECURRENCE_BATCH, moveOn: movedOnInSlices })) > 0);
      this.#trouble.worked()
    } catch (error) {
      this.#trouble.failed(error)
    }
  }
}

/** Gives the event loop to others every SLICE_MS: a rule that occurs rarely takes about a millisecond. */
export async function movedOnInSlices(
  maintenances: readonly Maintenance[],
  nowMs: number,
): Promise<readonly Maintenance[]> {
  const moved: Maintenance[] = []
  let sliceEndsMs = performance.now() + SLICE_MS
  for (const each of maintenances) {
    moved.push(movedOn(each, nowMs))
    if (performance.now() < sliceEndsMs) continue
    await nextTurn()
    sliceEndsMs = performance.now() + SLICE_MS
  }
  return moved
}
