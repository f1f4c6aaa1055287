/**
 * Which probes run, by their probers and by cores (core-batch.ts). Every check is in exactly one place:
 *
 *   waiting (wheel, until due) → queued (at its address) → ready (in its project) → in flight (wheel, until its deadline) → waiting
 *
 * A due check first needs a slot of its address (address-slots.ts), then the turn of its project (turns.ts); both are
 * divided by project, so that no project's checks make another's late. At most one probe of a check is in flight. The
 * timeout starts when the probe starts. Probes that were in flight while the event loop was blocked never count as
 * failures.
 *
 * The hot path (tick, start, done) awaits nothing and allocates nothing per probe beyond what the probe itself does. A
 * tick reads what cores have heard before it looks for deadlines that have passed, starts their probes by the batch, and
 * reads the answers that come at once.
 */
import type { CheckConfig } from '../../domain/prober/check.ts'
import {
  BATCH_LOOK_MS,
  BATCH_MESSAGES,
  IN_FLIGHT_PER_ADDRESS_MAX,
  INTERVAL_FLOOR_MS,
  STALL_MS,
  STARTS_PER_TURN,
  WHEEL_SLEEP_MAX_MS,
  WHEEL_SLOTS,
  WHEEL_TICK_MS,
} from '../../domain/limits.ts'
import type { ProbeResult } from '../../domain/result/probe-result.ts'
import type { MonitorType } from '../../domain/types.ts'
import { type AddressShare, AddressTable } from '../share/address-slots.ts'
import { Attempt } from './attempt.ts'
import type { Check } from './check.ts'
import { CoreBatches, type CoreSeat } from './core-batch.ts'
import { Deadlines } from './deadlines.ts'
import { overloaded, TARGET_DENIED } from '../judge/judgement.ts'
import { unlink } from '../linked-list.ts'
import { ProjectTable } from '../share/project-share.ts'
import type { SchedulerOptions } from './scheduler-options.ts'
import { TimerWheel } from './timer-wheel.ts'
import { Turns } from '../share/turns.ts'

export interface ProbeLoopEvents {
  /** A probe has ended, or the target policy forbids it; the check is planned nowhere. */
  onEnded(check: Check, result: ProbeResult, nowMs: number): void
  /** The same for a probe that a core made and that passed: it is result number `i` of the core of this seat. */
  onPassed(seat: CoreSeat, i: number, nowMs: number): void
  /** A probe of an old configuration has ended; the check is planned nowhere. */
  onObsolete(check: Check, nowMs: number): void
}

export class ProbeLoop {
  readonly #options: SchedulerOptions
  readonly #events: ProbeLoopEvents
  readonly #now: () => number
  readonly #wheel: TimerWheel<Check>
  readonly #deadlines = new Deadlines()
  readonly #projects = new ProjectTable<Check>()
  readonly #addresses: AddressTable<Check>
  /** Of projects with checks that are ready. */
  readonly #turns = new Turns<Check>()
  readonly #batches: CoreBatches
  #inFlight = 0
  #queued = 0
  #lastTickMs: number
  /** When the last stall was noticed: whatever was in flight then may not fail. */
  #stalledMs = Number.NEGATIVE_INFINITY

  constructor(options: SchedulerOptions, now: () => number, events: ProbeLoopEvents) {
    this.#options = options
    this.#events = events
    this.#now = now
    this.#lastTickMs = now()
    this.#wheel = new TimerWheel(WHEEL_TICK_MS, WHEEL_SLOTS, this.#lastTickMs)
    this.#addresses = new AddressTable({
      slots: IN_FLIGHT_PER_ADDRESS_MAX,
      startsPerSecond: options.probesPerSecondPerAddress ?? 0,
      nowMs: this.#lastTickMs,
      onAdmitted: (check) => this.#ready(check),
    })
    const coreEvents = {
      onEnded: (seat: CoreSeat, i: number, nowMs: number) => this.#onCoreEnded(seat, i, nowMs),
      onStopped: (seat: CoreSeat, result: ProbeResult) => this.#onDone(seat, result),
      onDedicated: (type: MonitorType) => options.metrics.probeDedicated(type),
    }
    this.#batches = new CoreBatches(now, coreEvents, options.dedicatedCoreOf)
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /** Checks that are due and wait, at their address or for the turn of their project. */
  get queued(): number {
    return this.#queued
  }

  /** What a check of this configuration shares with others, until `letGo`. */
  hold({ projectId, target }: CheckConfig): AddressShare<Check> {
    return this.#addresses.hold(target.address, this.#projects.hold(projectId))
  }

  /** Gives a check a seat in the core of its target, where there is one, instead of the seat that it had. */
  seat(check: Check): void {
    this.#leaveSeat(check)
    const core = this.#options.coreOf?.(check.config.target)
    if (core !== undefined) check.seat = this.#batches.of(core).seat(check)
  }

  #leaveSeat(check: Check): void {
    check.seat?.leave()
    check.seat = undefined
    check.steadyMicroseconds = -1
  }

  /** No probe has run until now: the time before was no stall. */
  begin(nowMs: number): void {
    this.#lastTickMs = nowMs
  }

  /** Makes a waiting check due at `dueMs`, wherever it was planned before. */
  plan(check: Check, dueMs: number): void {
    this.#wheel.schedule(check, dueMs)
  }

  /** Makes a waiting check due never. */
  unplan(check: Check): void {
    this.#wheel.cancel(check)
  }

  /** The timeout of a check has changed while its probe is in flight. */
  moveDeadline(check: Check): void {
    this.#wheel.schedule(check, check.startedMs + check.config.target.timeoutMs)
  }

  /** Ends the probe that is in flight, because its configuration is old. */
  abandon(check: Check): void {
    if (check.attempt === undefined) return
    check.attempt.isObsolete = true
    check.attempt.cancel?.('shutdown')
  }

  /** Probes of `check` go to the address of its configuration from now on; one that is under way keeps its slot. */
  readdress(check: Check): void {
    const wasDue = this.#withdraw(check)
    const { share } = check
    check.share = this.hold(check.config)
    this.#letGo(share)
    if (wasDue) this.#request(check)
  }

  /** Ends the probing of `check`, in whichever place it is. */
  remove(check: Check): void {
    this.#withdraw(check)
    const wasInFlight = check.phase === 'in_flight'
    check.phase = 'removed'
    if (wasInFlight) check.attempt?.cancel?.('shutdown')
    else unlink(check)
    this.#leaveSeat(check)
    this.#letGo(check.share)
  }

  /** Ends the attempt of `check`, if there is one, and starts no other. */
  stop(check: Check): void {
    if (check.phase === 'in_flight') check.attempt?.cancel?.('shutdown')
    unlink(check)
  }

  noticeTime(nowMs: number): void {
    if (nowMs - this.#lastTickMs > WHEEL_SLEEP_MAX_MS + STALL_MS) this.#stalledMs = nowMs
  }

  tick(): void {
    const nowMs = this.#now()
    this.noticeTime(nowMs)
    if (this.#stalledMs === nowMs) {
      const facts = { stalled_ms: Math.round(nowMs - this.#lastTickMs), in_flight: this.#inFlight }
      this.#options.log.warn(facts, 'the event loop was stalled: probes in flight cannot fail')
    }
    this.#lastTickMs = nowMs
    this.#batches.collect(nowMs)
    this.#deadlines.judge()
    this.#batches.report(nowMs)
    this.#wheel.advance(nowMs, this.#onDue)
    this.#addresses.advance(nowMs)
    this.#startReady()
    if (!this.#deadlines.isEmpty) this.#options.wake(0)
  }

  /** When the next tick is wanted. */
  sleepMs(): number {
    const next = this.#wheel.nextMs(WHEEL_SLEEP_MAX_MS)
    const nextAtAddress = this.#addresses.nextMs(WHEEL_SLEEP_MAX_MS)
    const nextLookMs = this.#batches.inFlight > 0 ? BATCH_LOOK_MS : WHEEL_SLEEP_MAX_MS
    if (next === undefined && nextAtAddress === undefined) return nextLookMs
    const soonestMs = Math.min(next ?? Number.POSITIVE_INFINITY, nextAtAddress ?? Number.POSITIVE_INFINITY)
    return Math.min(nextLookMs, Math.max(1, soonestMs - this.#now()))
  }

  readonly #onDue = (check: Check): void => {
    if (check.phase === 'in_flight') this.#deadlines.expire(check)
    else if (!check.isGone) this.#request(check)
  }

  /** Asks for a slot of the address of a check that is due. */
  #request(check: Check): void {
    this.#queued++
    check.isReserved = false
    const admission = this.#addresses.request(check.share, check, this.#lastTickMs)
    if (admission === 'admitted') this.#ready(check)
    else check.phase = 'queued'
    if (admission === 'delayed') this.#options.metrics.probesDelayed(1)
  }

  #ready(check: Check): void {
    check.phase = 'ready'
    this.#turns.queue(check.share.project, check)
  }

  /** Takes a check that is due out of its queue, with its slot; false = it is not due. */
  #withdraw(check: Check): boolean {
    if (check.phase !== 'queued' && check.phase !== 'ready') return false
    this.#queued--
    if (check.phase === 'queued') this.#addresses.leave(check.share, check)
    else {
      this.#turns.leave(check.share.project, check)
      this.#addresses.giveBack(check.share, this.#lastTickMs)
    }
    return true
  }

  #letGo(share: AddressShare<Check>): void {
    this.#addresses.release(share)
    this.#projects.release(share.project)
  }

  #startReady(): void {
    this.#turns.reconsider()
    const isDone = this.#startSome(this.#now())
    this.#batches.start(this.#now())
    if (!isDone && !this.#turns.isEmpty) this.#options.wake(0)
  }

  /** As many as one turn of the event loop starts; true = no check may start now. */
  #startSome(nowMs: number): boolean {
    const { budget, inFlightPerProject } = this.#options
    for (let single = 0, batched = 0; single < STARTS_PER_TURN && batched < BATCH_MESSAGES; ) {
      const check = this.#turns.next(budget - this.#inFlight, inFlightPerProject)
      if (check === undefined) return true
      if (check.seat === undefined) single++
      else batched++
      this.#start(check, check.seat === undefined ? this.#now() : nowMs)
    }
    return false
  }

  #start(check: Check, nowMs: number): void {
    if (check.isGone) {
      this.#queued--
      check.phase = 'waiting'
      this.#addresses.giveBack(check.share, nowMs)
      return
    }
    const { seat } = check
    const lateMs = nowMs - check.dueMs
    this.#options.metrics.probeStarted(lateMs)
    if (lateMs >= INTERVAL_FLOOR_MS) this.#countSkipped(check, lateMs)
    this.#queued--
    check.startedMs = nowMs
    if (check.denied !== undefined) {
      check.phase = 'waiting'
      this.#addresses.giveBack(check.share, nowMs)
      this.#events.onEnded(check, TARGET_DENIED, nowMs)
      return
    }
    check.phase = 'in_flight'
    check.share.project.held++
    this.#inFlight++
    if (seat !== undefined) {
      this.#wheel.schedule(check, nowMs + seat.timeoutMs)
      seat.start()
      return
    }
    const { target } = check.config
    this.#wheel.schedule(check, nowMs + target.timeoutMs)
    const attempt = new Attempt(check, this.#onDone)
    check.attempt = attempt
    attempt.cancel = this.#options.probers[target.type](target, attempt.done)
  }

  /** Planned times that have passed. */
  #countSkipped({ config: { policy } }: Check, lateMs: number): void {
    const skipped = Math.floor(lateMs / Math.max(INTERVAL_FLOOR_MS, policy.intervals.online))
    if (skipped > 0) this.#options.metrics.probesSkipped(skipped)
  }

  readonly #onDone = (attempt: Attempt | CoreSeat, result: ProbeResult): void => {
    const nowMs = this.#now()
    this.noticeTime(nowMs)
    if (this.#land(attempt, nowMs)) this.#report(attempt.check, result, nowMs)
  }

  #onCoreEnded(seat: CoreSeat, i: number, nowMs: number): void {
    if (!this.#land(seat, nowMs)) return
    const { core } = seat
    // What is read of the check later is read of its first seat.
    if (core.ended.hasPassed(i) && seat.standsFor === undefined) this.#events.onPassed(seat, i, nowMs)
    else this.#report(seat.check, core.resultOf(i), nowMs)
  }

  #report(check: Check, result: ProbeResult, nowMs: number): void {
    const wasStalled = result.outcome === 'failed' && check.startedMs <= this.#stalledMs
    this.#events.onEnded(check, wasStalled ? overloaded(result) : result, nowMs)
  }

  /** Takes an attempt that has ended out of flight. False: its result does not count. */
  #land(attempt: Attempt | CoreSeat, nowMs: number): boolean {
    const { check, share } = attempt
    this.#wheel.cancel(check)
    check.attempt = undefined
    this.#inFlight--
    this.#projects.giveBack(share.project)
    this.#addresses.giveBack(share, nowMs)
    if (this.#turns.isWanted) this.#options.wake(0)
    if (check.phase === 'removed') return false
    check.phase = 'waiting'
    if (check.isGone) return false
    if (!attempt.isObsolete) return true
    this.#events.onObsolete(check, nowMs)
    return false
  }
}
