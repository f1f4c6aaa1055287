/** A core whose answers are those of the test. */
import type { Phases, ProbeResult } from '../../src/domain/result/probe-result.ts'
import { type Reason, REASONS } from '../../src/domain/result/reasons.ts'
import type { ProbeTarget } from '../../src/domain/target/probe-target.ts'
import { type BatchCore, EndedProbes } from '../../src/probe/batch/core.ts'

export class FakeCore implements BatchCore {
  readonly ended = new EndedProbes()
  /** Targets by slot; a slot that was given back has none. */
  readonly targets: (ProbeTarget | undefined)[] = []
  /** Slots of the batches that were started. */
  readonly batches: number[][] = []
  readonly flying = new Set<number>()
  readonly dropped: number[] = []
  readonly expired: number[] = []
  /** Called at each look, before what has arrived is read. */
  onCollect: () => void = () => undefined
  /** How often the text of a result was made. */
  told = 0
  /** What probes are answered with as soon as they have started; undefined = not. */
  immediately: readonly [reason: Reason, microseconds: number] | undefined
  /** Answers pass in other words than before. */
  hasOtherWords = false
  /** How probes end at their deadline. */
  expiresWith: Reason = 'CONNECT_TIMEOUT'
  readonly #arrived: (readonly [slot: number, reason: Reason, microseconds: number])[] = []

  get inFlight(): number {
    return this.flying.size
  }

  hold(target: ProbeTarget): number {
    return this.targets.push(target) - 1
  }

  release(slot: number): void {
    if (this.flying.has(slot)) throw new Error(`a probe of slot ${slot} is in flight`)
    this.targets[slot] = undefined
  }

  start(slots: Int32Array, count: number): void {
    const batch = [...slots.subarray(0, count)]
    this.batches.push(batch)
    for (const slot of batch) {
      if (this.flying.has(slot)) throw new Error(`slot ${slot} is in flight already`)
      this.flying.add(slot)
      if (this.immediately !== undefined) this.answer(slot, ...this.immediately)
    }
  }

  /** An answer that has arrived, and is read at the next look. */
  answer(slot: number, reason: Reason, microseconds = 1000): void {
    this.#arrived.push([slot, reason, microseconds])
  }

  collect(): void {
    this.onCollect()
    for (const [slot, reason, microseconds] of this.#arrived.splice(0)) this.#end(slot, reason, microseconds)
  }

  expire(slot: number): void {
    if (!this.flying.has(slot)) return
    this.expired.push(slot)
    this.#end(slot, this.expiresWith, 1000)
  }

  drop(slot: number): void {
    if (this.flying.delete(slot)) this.dropped.push(slot)
  }

  resultOf(i: number): ProbeResult {
    this.told++
    const reason = this.ended.reasonOf(i)
    const totalMs = (this.ended.microseconds[i] ?? 0) / 1000
    return { outcome: REASONS[reason].outcome, reason, detail: '', phases: { totalMs } }
  }

  phasesOf(microseconds: number): Phases {
    return { totalMs: microseconds / 1000 }
  }

  close(): void {
    this.flying.clear()
  }

  #end(slot: number, reason: Reason, microseconds: number): void {
    if (!this.flying.delete(slot)) return
    const i = this.ended.add(slot, reason)
    this.ended.microseconds[i] = microseconds
    this.ended.areOther[i] = this.hasOtherWords ? 1 : 0
  }
}
