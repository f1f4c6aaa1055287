/**
 * The checks of one core: which check has which slot, the batch that starts next, and the results that are told. A seat
 * is made once per check; while its probe is in flight it is the attempt of the check, so a probe makes no object.
 */
import { BATCH_MESSAGES } from '../domain/limits.ts'
import type { ProbeResult } from '../domain/result/probe-result.ts'
import { type BatchCore, NO_SLOT } from '../probe/batch/core.ts'
import { result } from '../probe/result.ts'
import type { AddressShare } from './address-slots.ts'
import type { Check, Seat } from './check.ts'

export interface CoreEvents {
  /** The probe of this seat has ended: it is result number `i` of the core. */
  onEnded(seat: CoreSeat, i: number, nowMs: number): void
  /** The probe was ended before it had a result. */
  onStopped(seat: CoreSeat, result: ProbeResult): void
}

/** A result that needs no answer, whoever it is for. */
const STOPPED = result('PROBER_STOPPING', 'stopped while connecting', { totalMs: 0 })

export class CoreSeat implements Seat {
  readonly check: Check
  readonly slot: number
  share: AddressShare<Check>
  isObsolete = false
  /** The check has another seat, or none: this one is given back as soon as its probe has ended. */
  isLeft = false
  readonly #batch: CoreBatch

  constructor(batch: CoreBatch, check: Check, slot: number) {
    this.#batch = batch
    this.check = check
    this.slot = slot
    this.share = check.share
  }

  get core(): BatchCore {
    return this.#batch.core
  }

  start(): void {
    this.share = this.check.share
    this.isObsolete = false
    this.check.attempt = this
    this.#batch.add(this)
  }

  /** A result of `timeout` is told with the other results of the core, one of `shutdown` at once. */
  cancel(why: 'timeout' | 'shutdown'): void {
    this.#batch.cancel(this, why)
  }

  leave(): void {
    this.isLeft = true
    if (this.check.attempt !== this) this.#batch.giveBack(this)
  }
}

export class CoreBatch {
  readonly core: BatchCore
  readonly #events: CoreEvents
  readonly #now: () => number
  /** By slot. */
  readonly #seats: (CoreSeat | undefined)[] = []
  readonly #starting = new Int32Array(BATCH_MESSAGES)
  #count = 0

  constructor(core: BatchCore, now: () => number, events: CoreEvents) {
    this.core = core
    this.#now = now
    this.#events = events
  }

  /** A seat for a check; undefined where the core does not probe its target. */
  seat(check: Check): CoreSeat | undefined {
    const slot = this.core.hold(check.config.target)
    if (slot === NO_SLOT) return undefined
    const seat = new CoreSeat(this, check, slot)
    this.#seats[slot] = seat
    return seat
  }

  giveBack(seat: CoreSeat): void {
    if (this.#seats[seat.slot] !== seat) return
    this.#seats[seat.slot] = undefined
    this.core.release(seat.slot)
  }

  /** The caller adds no more than BATCH_MESSAGES before `start`. */
  add({ slot }: CoreSeat): void {
    this.#starting[this.#count++] = slot
  }

  /** Starts what was added, and reads the answers that come at once. */
  start(nowMs: number): void {
    if (this.#count === 0) return
    const count = this.#count
    this.#count = 0
    this.core.start(this.#starting, count, nowMs)
    this.collect(nowMs)
  }

  /** Reads the answers that have arrived, and tells all results. */
  collect(nowMs: number): void {
    this.core.collect(nowMs)
    this.tell(nowMs)
  }

  tell(nowMs: number): void {
    const { ended } = this.core
    for (let i = 0; i < ended.count; i++) {
      const seat = this.#seats[ended.slotOf(i)]
      // What an earlier result has led to may have ended this attempt.
      if (seat?.check.attempt !== seat || seat === undefined) continue
      this.#events.onEnded(seat, i, nowMs)
      if (seat.isLeft) this.giveBack(seat)
    }
    ended.clear()
  }

  cancel(seat: CoreSeat, why: 'timeout' | 'shutdown'): void {
    if (seat.check.attempt !== seat) return
    if (why === 'timeout') return this.core.expire(seat.slot, this.#now())
    this.#withdraw(seat)
    this.core.drop(seat.slot)
    this.#events.onStopped(seat, STOPPED)
    if (seat.isLeft) this.giveBack(seat)
  }

  /** Its probe may not have started yet. */
  #withdraw({ slot }: CoreSeat): void {
    const at = this.#starting.subarray(0, this.#count).indexOf(slot)
    if (at >= 0) this.#starting[at] = this.#starting[--this.#count]!
  }
}

/** The batches of all cores that some check has a seat in: one or two. */
export class CoreBatches {
  readonly #batches: CoreBatch[] = []
  readonly #now: () => number
  readonly #events: CoreEvents

  constructor(now: () => number, events: CoreEvents) {
    this.#now = now
    this.#events = events
  }

  get inFlight(): number {
    let inFlight = 0
    for (const { core } of this.#batches) inFlight += core.inFlight
    return inFlight
  }

  of(core: BatchCore): CoreBatch {
    let batch = this.#batches.find((each) => each.core === core)
    if (batch === undefined) this.#batches.push((batch = new CoreBatch(core, this.#now, this.#events)))
    return batch
  }

  start(nowMs: number): void {
    for (const batch of this.#batches) batch.start(nowMs)
  }

  collect(nowMs: number): void {
    for (const batch of this.#batches) batch.collect(nowMs)
  }

  tell(nowMs: number): void {
    for (const batch of this.#batches) batch.tell(nowMs)
  }
}
