/** A core that starts so many probes a second, evenly over its targets, and gives each its deadline: a scheduler without state. */
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'
import { BATCH_MESSAGES, IN_FLIGHT_MAX } from '../src/domain/limits.ts'
import type { ProbeTarget } from '../src/domain/target/probe-target.ts'
import type { BatchCore } from '../src/probe/batch/core.ts'

/** Probes that start in one iteration of the event loop, when it is behind. */
const STARTS_PER_TURN = 16 * BATCH_MESSAGES
const SHOWN_EVERY_MS = 500

export interface Pace {
  /** Probes a second. */
  readonly rate: number
  readonly deadlineMs: number
}

export interface Paced {
  readonly sent: number
  /** Reason → probes. Their sum is `sent` when every probe has its result. */
  readonly results: Readonly<Record<string, number>>
  /** From the first start to the last. */
  readonly seconds: number
  /** How long a start was due at most. */
  readonly latestStartMs: number
}

export class PacedCore {
  readonly #core: BatchCore
  readonly #pace: Pace
  readonly #slots: Int32Array
  /** By position in `#slots`. */
  readonly #startedAtMs: Float64Array
  /** By slot: 1 = in flight. */
  readonly #inFlight: Uint8Array
  readonly #results: Record<string, number> = {}
  /** Probes since the beginning: started, and looked at for their deadlines. The position is the rest by all targets. */
  #sent = 0
  #judged = 0
  #latestStartMs = 0

  /** `targets`: more than are in flight within a deadline. Throws when the core does not take one of them. */
  constructor(core: BatchCore, targets: readonly ProbeTarget[], pace: Pace) {
    this.#core = core
    this.#pace = pace
    this.#slots = Int32Array.from(targets, (target) => core.hold(target))
    if (this.#slots.some((slot) => slot < 0)) throw new Error('the core does not take a target')
    this.#startedAtMs = new Float64Array(targets.length)
    this.#inFlight = new Uint8Array(this.#slots.reduce((most, slot) => Math.max(most, slot), 0) + 1)
  }

  /** Starts for so long, then waits until every probe has its result. */
  async run(seconds: number, show: (text: string) => void): Promise<Paced> {
    const startMs = performance.now()
    const total = Math.round(seconds * this.#pace.rate)
    let shownMs = startMs
    while (this.#sent < total) {
      const nowMs = performance.now()
      this.#startDue(total, startMs, nowMs)
      this.#collect(nowMs)
      if (nowMs - shownMs > SHOWN_EVERY_MS) {
        show(`${((nowMs - startMs) / 1000).toFixed(0)} of ${seconds} s, ${this.#sent} probes`)
        shownMs = nowMs
      }
      await (this.#dueAt(nowMs - startMs) > this.#sent ? turn() : wait(1))
    }
    const lastMs = performance.now()
    while (this.#judged < this.#sent) {
      await wait(1)
      this.#collect(performance.now())
    }
    return {
      sent: this.#sent,
      results: this.#results,
      seconds: (lastMs - startMs) / 1000,
      latestStartMs: this.#latestStartMs,
    }
  }

  /** Probes that are to have started after so many milliseconds. */
  #dueAt(elapsedMs: number): number {
    return Math.floor((elapsedMs * this.#pace.rate) / 1000) + 1
  }

  #startDue(total: number, startMs: number, nowMs: number): void {
    const due = Math.min(total, this.#dueAt(nowMs - startMs), this.#sent + STARTS_PER_TURN)
    if (due > this.#sent)
      this.#latestStartMs = Math.max(
        this.#latestStartMs,
        nowMs - startMs - (this.#sent * 1000) / this.#pace.rate,
      )
    while (this.#sent < due) {
      const at = this.#sent % this.#slots.length
      const free = Math.min(
        IN_FLIGHT_MAX - this.#core.inFlight,
        this.#slots.length - (this.#sent - this.#judged),
      )
      const count = Math.min(due - this.#sent, BATCH_MESSAGES, free, this.#slots.length - at)
      if (count <= 0) return
      const batch = this.#slots.subarray(at, at + count)
      for (const slot of batch) this.#inFlight[slot] = 1
      this.#startedAtMs.fill(nowMs, at, at + count)
      this.#core.start(batch, count, nowMs)
      this.#sent += count
      this.#take()
    }
  }

  /** Reads answers, then judges deadlines. */
  #collect(nowMs: number): void {
    this.#core.collect(nowMs)
    this.#take()
    for (; this.#judged < this.#sent; this.#judged++) {
      const at = this.#judged % this.#slots.length
      const slot = this.#slots[at]!
      if (this.#inFlight[slot] === 0) continue
      if (this.#startedAtMs[at]! + this.#pace.deadlineMs > nowMs) break
      this.#core.expire(slot, nowMs)
      this.#take()
    }
  }

  #take(): void {
    const { ended } = this.#core
    for (let i = 0; i < ended.count; i++) {
      const slot = ended.slotOf(i)
      const reason = ended.reasonOf(i)
      // A second result of one probe would hide the loss of another's.
      if (this.#inFlight[slot] === 0) throw new Error(`a second result of a probe: ${reason}`)
      this.#inFlight[slot] = 0
      this.#results[reason] = (this.#results[reason] ?? 0) + 1
    }
    ended.clear()
  }
}
