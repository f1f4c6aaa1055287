/**
 * The checks of one core: which check has which slot, the batch that starts next, and the results that are handed over. A seat
 * is made once per check; while its probe is in flight it is the attempt of the check, so a probe makes no object.
 *
 * A check whose answers are lost, because somebody floods the sockets that the probes of its core share, has a second
 * seat for a while, in a core that has a socket for each probe (detour.ts).
 */
import { BATCH_MESSAGES } from '../../domain/limits.ts'
import { numberOf } from '../../domain/result/recent-results.ts'
import type { Reason } from '../../domain/result/reasons.ts'
import type { ProbeResult } from '../../domain/result/probe-result.ts'
import type { ProbeTarget } from '../../domain/target/probe-target.ts'
import { type BatchCore, NO_SLOT } from '../../probe/batch/core.ts'
import { result } from '../../probe/result.ts'
import type { MonitorType } from '../../domain/types.ts'
import type { AddressShare } from '../share/address-slots.ts'
import { DedicatedRoom } from '../share/dedicated-room.ts'
import type { Check, Seat } from './check.ts'
import { Detour } from './detour.ts'

export interface CoreEvents {
  /** The probe of this seat has ended: it is result number `i` of the core. */
  onEnded(seat: CoreSeat, i: number, nowMs: number): void
  /** The probe was ended before it had a result. */
  onStopped(seat: CoreSeat, result: ProbeResult): void
  /** A probe starts on a socket of its own. */
  onDedicated(type: MonitorType): void
}

/** The core that probes a target on a socket of its own; undefined = none can. */
export type FindCore = (target: ProbeTarget) => BatchCore | undefined

const LOST = numberOf('PROBER_OVERLOAD')

/** A result that needs no answer, whoever it is for. */
const STOPPED = result('PROBER_STOPPING', 'stopped before an answer came', { totalMs: 0 })

export class CoreSeat implements Seat {
  readonly check: Check
  readonly slot: number
  readonly type: MonitorType
  readonly timeoutMs: number
  share: AddressShare<Check>
  isObsolete = false
  /** The check has another seat, or none: this one is given back as soon as its probe has ended. */
  isLeft = false
  /** What to do about answers that are lost; undefined = none were since it passed. */
  detour: Detour | undefined
  /** Its second seat, for sockets of its own, while there is a detour. */
  dedicated: CoreSeat | undefined
  /** Of a second seat: the first one. */
  readonly standsFor: CoreSeat | undefined
  readonly #batch: CoreBatch

  constructor(batch: CoreBatch, check: Check, slot: number, standsFor?: CoreSeat) {
    this.#batch = batch
    this.standsFor = standsFor
    this.check = check
    this.slot = slot
    this.type = check.config.target.type
    this.timeoutMs = check.config.target.timeoutMs
    this.share = check.share
  }

  get core(): BatchCore {
    return this.#batch.core
  }

  /** Starts the probe of its check, in its second seat where that is called for. */
  start(): void {
    if (this.detour === undefined) this.begin()
    else (this.#batch.batches.dedicatedSeatOf(this, this.detour) ?? this).begin()
  }

  begin(): void {
    this.share = this.check.share
    this.isObsolete = false
    this.check.attempt = this
    this.#batch.add(this)
  }

  /** A result of `timeout` is handed over with the other results of the core, one of `shutdown` at once. */
  cancel(why: 'timeout' | 'shutdown'): void {
    this.#batch.cancel(this, why)
  }

  leave(): void {
    this.isLeft = true
    if (this.check.attempt !== this) this.#batch.giveBack(this)
    this.leaveDedicated()
  }

  /** Without a second seat from now on. */
  leaveDedicated(): void {
    this.dedicated?.leave()
    this.dedicated = undefined
  }
}

export class CoreBatch {
  readonly core: BatchCore
  readonly batches: CoreBatches
  readonly #events: CoreEvents
  readonly #now: () => number
  /** By slot. */
  readonly #seats: (CoreSeat | undefined)[] = []
  readonly #starting = new Int32Array(BATCH_MESSAGES)
  #count = 0

  constructor(core: BatchCore, batches: CoreBatches, now: () => number, events: CoreEvents) {
    this.core = core
    this.batches = batches
    this.#now = now
    this.#events = events
  }

  /** A seat for a check; undefined where the core does not probe its target. `standsFor`: the first seat, where this is its second. */
  seat(check: Check, standsFor?: CoreSeat): CoreSeat | undefined {
    const slot = this.core.hold(check.config.target)
    if (slot === NO_SLOT) return undefined
    const seat = new CoreSeat(this, check, slot, standsFor)
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

  /** Reads the answers that have arrived, and reports all results. */
  collect(nowMs: number): void {
    this.core.collect(nowMs)
    this.report(nowMs)
  }

  report(nowMs: number): void {
    const { ended } = this.core
    for (let i = 0; i < ended.count; i++) {
      const seat = this.#seats[ended.slotOf(i)]
      // What an earlier result has led to may have ended this attempt.
      if (seat?.check.attempt !== seat || seat === undefined) continue
      if (ended.reasons[i] === LOST || seat.detour !== undefined || seat.standsFor !== undefined)
        this.batches.noteEnded(seat, ended.reasonOf(i))
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
    this.batches.noteStopped(seat)
    this.#events.onStopped(seat, STOPPED)
    if (seat.isLeft) this.giveBack(seat)
  }

  /** Its probe may not have started yet. */
  #withdraw({ slot }: CoreSeat): void {
    const at = this.#starting.subarray(0, this.#count).indexOf(slot)
    if (at >= 0) this.#starting[at] = this.#starting[--this.#count]!
  }
}

/** The batches of all cores that some check has a seat in: a few. */
export class CoreBatches {
  readonly #batches: CoreBatch[] = []
  readonly #now: () => number
  readonly #events: CoreEvents
  readonly #findDedicated: FindCore
  readonly #room = new DedicatedRoom()

  constructor(now: () => number, events: CoreEvents, findDedicated: FindCore = () => undefined) {
    this.#now = now
    this.#events = events
    this.#findDedicated = findDedicated
  }

  get inFlight(): number {
    let inFlight = 0
    for (const { core } of this.#batches) inFlight += core.inFlight
    return inFlight
  }

  of(core: BatchCore): CoreBatch {
    let batch = this.#batches.find((each) => each.core === core)
    if (batch === undefined) this.#batches.push((batch = new CoreBatch(core, this, this.#now, this.#events)))
    return batch
  }

  /** The second seat of a check, where its next probe should and may have a socket of its own. */
  dedicatedSeatOf(seat: CoreSeat, detour: Detour): CoreSeat | undefined {
    const { check } = seat
    if (!detour.isWanted(check.pendingRun > 0)) return undefined
    const core = this.#findDedicated(check.config.target)
    if (core === undefined) return undefined
    const dedicated = (seat.dedicated ??= this.of(core).seat(check, seat))
    if (dedicated === undefined || !this.#room.take(check.share.project)) return undefined
    this.#events.onDedicated(seat.type)
    return dedicated
  }

  /** The probe of a seat has ended, which has a detour, is a second one, or has lost its answer. */
  noteEnded(seat: CoreSeat, reason: Reason): void {
    const { standsFor } = seat
    if (standsFor !== undefined) {
      standsFor.detour?.noteDedicated()
      return this.#room.giveBack(seat.share.project)
    }
    seat.detour ??= new Detour()
    if (!seat.detour.noteShared(reason)) return
    seat.detour = undefined
    seat.leaveDedicated()
  }

  /** The probe of a seat was ended before it had a result. */
  noteStopped({ standsFor, share }: CoreSeat): void {
    if (standsFor !== undefined) this.#room.giveBack(share.project)
  }

  start(nowMs: number): void {
    for (const batch of this.#batches) batch.start(nowMs)
  }

  collect(nowMs: number): void {
    for (const batch of this.#batches) batch.collect(nowMs)
  }

  report(nowMs: number): void {
    for (const batch of this.#batches) batch.report(nowMs)
  }
}
