/**
 * Cores: what makes probes by the batch. A prober (probe.ts) has a function, an object and a result per attempt; a core
 * has arrays. Between the scheduler and a core go slots, numbers of targets that were given to the core.
 *
 *   hold(target) → slot;  start(slots) … collect() … expire(slot);  what has ended is in `ended`, until it is cleared
 *
 * A probe makes no object, closure, promise, immediate or timer. Text is made when somebody reads a result
 * (`resultOf`). The scheduler gives the time, once per batch; a core has none of its own, as a prober has none.
 */
import { IN_FLIGHT_MAX } from '../../domain/limits.ts'
import { numberOf, reasonOfNumber } from '../../domain/result/recent-results.ts'
import type { Reason } from '../../domain/result/reasons.ts'
import type { Phases, ProbeResult } from '../../domain/result/probe-result.ts'
import type { ProbeTarget } from '../../domain/target/probe-target.ts'

/** `hold` for a target that is not for this core. */
export const NO_SLOT = -1

export interface BatchCore {
  /** Probes that have ended since it was last cleared. Only `start`, `collect` and `expire` add to it. */
  readonly ended: EndedProbes
  /** Probes in flight. */
  readonly inFlight: number
  /** A slot for probes of this target, until `release`; NO_SLOT where this core cannot make them. */
  hold(target: ProbeTarget): number
  /** No probe of it is in flight. */
  release(slot: number): void
  /** Starts one probe of each of the first `count` slots, none of which has one in flight. */
  start(slots: Int32Array, count: number, nowMs: number): void
  /** Reads all answers that have arrived. Never later than the deadlines of the probes are judged. */
  collect(nowMs: number): void
  /** The deadline of this probe has passed: it ends. */
  expire(slot: number, nowMs: number): void
  /** Ends this probe without a result. */
  drop(slot: number): void
  /** The result number `i` of `ended`, with its text. */
  resultOf(i: number): ProbeResult
  /** The phases of the last probe of this slot, which passed within `microseconds`. */
  phasesOf(microseconds: number, slot: number): Phases
  close(): void
}

/** Results as numbers. Room for every probe that can be in flight. */
export class EndedProbes {
  count = 0
  readonly slots = new Int32Array(IN_FLIGHT_MAX)
  /** Numbers of reasons (domain/result/recent-results.ts). */
  readonly reasons = new Uint8Array(IN_FLIGHT_MAX)
  readonly microseconds = new Float64Array(IN_FLIGHT_MAX)
  /** What the core needs to make the text of a result. */
  readonly details = new Int32Array(IN_FLIGHT_MAX)
  /** 1 = it has other words than the probe of its slot before, although it passed. */
  readonly areOther = new Uint8Array(IN_FLIGHT_MAX)

  /** Adds a result; its duration and its detail are 0 until they are set. */
  add(slot: number, reason: Reason): number {
    const i = this.count++
    this.slots[i] = slot
    this.reasons[i] = numberOf(reason)
    this.microseconds[i] = 0
    this.details[i] = 0
    this.areOther[i] = 0
    return i
  }

  slotOf(i: number): number {
    return this.slots[i] ?? NO_SLOT
  }

  reasonOf(i: number): Reason {
    const reason = reasonOfNumber(this.reasons[i] ?? 0)
    if (reason === undefined) throw new RangeError(`there is no result ${i}`)
    return reason
  }

  /** Whether it passed in the words of the probe of its slot before. */
  hasPassed(i: number): boolean {
    return this.reasons[i] === PASSED && this.areOther[i] === 0
  }

  clear(): void {
    this.count = 0
  }
}

const PASSED = numberOf('PASSED')
