/** A core as a prober: one attempt at a time or many, so that the tests of probers run over it. */
import type { ProbeResult } from '../../src/domain/result/probe-result.ts'
import type { ProbeTarget } from '../../src/domain/target/probe-target.ts'
import { type BatchCore, NO_SLOT } from '../../src/probe/batch/core.ts'
import type { Probe } from '../../src/probe/probe.ts'
import { result } from '../../src/probe/result.ts'

/** The probe over `coreOf`; targets that the core does not take are probed by `other`. */
export function probeByCore(coreOf: (target: ProbeTarget) => BatchCore | undefined, other: Probe): Probe {
  const attempts = new Map<number, (result: ProbeResult) => void>()
  let isPumping = false

  function pump(core: BatchCore): void {
    core.collect(performance.now())
    tell(core)
    isPumping = attempts.size > 0
    if (isPumping) setImmediate(pump, core)
  }

  function tell(core: BatchCore): void {
    const ended = Array.from(
      { length: core.ended.count },
      (_, i) => [core.ended.slotOf(i), core.resultOf(i)] as const,
    )
    core.ended.clear()
    for (const [slot, given] of ended) end(core, slot, given)
  }

  function end(core: BatchCore, slot: number, given: ProbeResult): void {
    const done = attempts.get(slot)
    attempts.delete(slot)
    core.release(slot)
    done?.(given)
  }

  return (target, done) => {
    const core = coreOf(target)
    const slot = core?.hold(target) ?? NO_SLOT
    if (core === undefined || slot === NO_SLOT) return other(target, done)
    let isEnded = false
    attempts.set(slot, (given) => {
      isEnded = true
      done(given)
    })
    core.start(Int32Array.of(slot), 1, performance.now())
    if (!isPumping) setImmediate(pump, core)
    isPumping = true
    return (why) => {
      if (isEnded) return
      if (why === 'timeout') {
        // As the scheduler does: what has arrived is read before a deadline is judged.
        core.collect(performance.now())
        core.expire(slot, performance.now())
        return tell(core)
      }
      // What has ended already is told by its slot, which is given to the next attempt.
      tell(core)
      if (isEnded) return
      core.drop(slot)
      end(core, slot, result('PROBER_STOPPING', 'stopped while connecting', { totalMs: 0 }))
    }
  }
}
