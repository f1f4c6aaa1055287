/** A core as a prober: one attempt at a time or many, so that the tests of probers run over it. */
import type { ProbeResult } from '../../src/domain/result/probe-result.ts'
import type { ProbeTarget } from '../../src/domain/target/probe-target.ts'
import { type BatchCore, NO_SLOT } from '../../src/probe/batch/core.ts'
import type { Probe } from '../../src/probe/probe.ts'
import { result } from '../../src/probe/result.ts'

/** A core as a prober that keeps the slots of its targets, as a scheduler does. */
export interface HoldingProbe extends Probe {
  /** Looks at the sockets, as each tick of a scheduler does. */
  look(): void
  /** This target will not be probed again; without one: none will. */
  letGo(target?: ProbeTarget): void
}

/** The probe over `coreOf`; targets that the core does not take are probed by `other`. A slot serves one attempt. */
export function probeByCore(coreOf: (target: ProbeTarget) => BatchCore | undefined, other: Probe): Probe {
  return makeProbe(coreOf, other)
}

/** The same, with one slot for all attempts of a target, one after the other. */
export function probeByHolding(
  coreOf: (target: ProbeTarget) => BatchCore | undefined,
  other: Probe,
): HoldingProbe {
  const held = new Map<ProbeTarget, readonly [core: BatchCore, slot: number]>()
  return Object.assign(makeProbe(coreOf, other, held), {
    look: () => {
      for (const [core] of held.values()) core.collect(performance.now())
    },
    letGo: (target?: ProbeTarget) => {
      for (const [each, [core, slot]] of held) {
        if (target !== undefined && each !== target) continue
        held.delete(each)
        core.release(slot)
      }
    },
  })
}

function makeProbe(
  coreOf: (target: ProbeTarget) => BatchCore | undefined,
  other: Probe,
  held?: Map<ProbeTarget, readonly [core: BatchCore, slot: number]>,
): Probe {
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
    if (held === undefined) core.release(slot)
    done?.(given)
  }

  return (target, done) => {
    const core = coreOf(target)
    const slot = held?.get(target)?.[1] ?? core?.hold(target) ?? NO_SLOT
    if (core === undefined || slot === NO_SLOT) return other(target, done)
    held?.set(target, [core, slot])
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
      // What has ended already is reported by its slot, which is given to the next attempt.
      tell(core)
      if (isEnded) return
      core.drop(slot)
      end(core, slot, result('PROBER_STOPPING', 'stopped while connecting', { totalMs: 0 }))
    }
  }
}
