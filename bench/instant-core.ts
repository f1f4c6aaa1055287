/** A core that sends nothing, and whose probes pass as soon as they have started. */
import { type BatchCore, EndedProbes } from '../src/probe/batch/core.ts'
import { result } from '../src/probe/result.ts'
import type { ProbeResult } from '../src/domain/result/probe-result.ts'

export class InstantCore implements BatchCore {
  readonly ended = new EndedProbes()
  readonly inFlight = 0
  probes = 0
  #slots = 0

  hold(): number {
    return this.#slots++
  }

  release(): void {}

  start(slots: Int32Array, count: number): void {
    this.probes += count
    for (let i = 0; i < count; i++) this.ended.microseconds[this.ended.add(slots[i] ?? 0, 'PASSED')] = 1000
  }

  collect(): void {}

  expire(): void {}

  drop(): void {}

  resultOf(): ProbeResult {
    return result('PASSED', '', this.phasesOf(1000))
  }

  phasesOf(microseconds: number): ProbeResult['phases'] {
    return { totalMs: microseconds / 1000 }
  }

  close(): void {}
}
