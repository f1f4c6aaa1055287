/**
 * Probes that somebody asked for, beside the schedule. Both kinds take slots, turns and the target policy like every probe:
 *
 *   uncounted: a check of its own, made for one probe of the same target; the check that it is about notices nothing
 *   counted: the next probe of the check itself is made now; its result is judged like any other, and the schedule stays
 *
 * A counted request is answered by the first result of a probe that began after it: one that was in flight already says
 * nothing about now. A check that is probed no more (a halted one) is probed uncounted.
 */
import type { Evidence } from '../../domain/prober/check.ts'
import type { ProbeResult } from '../../domain/result/probe-result.ts'
import { Check } from '../loop/check.ts'
import { evidenceOf } from '../judge/judgement.ts'
import { isLinked } from '../linked-list.ts'
import type { ProbeLoop } from '../loop/probe-loop.ts'

export interface AskedResult {
  readonly result: ProbeResult
  readonly evidence: Evidence
  readonly counted: boolean
  /** Monotonic milliseconds. */
  readonly startedMs: number
}

/** Where the probe is: it waits for its turn, it is in flight, or its failure waits for the canaries. */
export type AskedStage = 'waiting' | 'in_flight' | 'held'

export interface AskedProbe {
  readonly stage: AskedStage
  /** Nobody wants the result any more: `onDone` is not called. An uncounted probe ends, a counted one goes on. */
  cancel(): void
}

export interface Asking {
  readonly counted: boolean
  /** Called once; undefined = the check is gone. */
  readonly onDone: (result: AskedResult | undefined) => void
}

interface Asked extends Pick<Asking, 'onDone'> {
  readonly check: Check
  /** Made for this probe; undefined = it is a probe of the check itself. */
  readonly extra: Check | undefined
  readonly askedMs: number
}

export interface AskedProbesOptions {
  readonly loop: Pick<ProbeLoop, 'plan' | 'remove' | 'hold'>
  /** Makes the next probe of a check that waits for its due time now; the times after it stay. */
  readonly hasten: (check: Check, nowMs: number) => void
  /** A result that does not count may still be a fault of our own network. */
  readonly reconsider: (check: Check, result: ProbeResult, nowMs: number) => ProbeResult
  /** A probe that does not count has ended: for the metrics. */
  readonly onEnded: (check: Check, result: ProbeResult) => void
}

export class AskedProbes {
  readonly #options: AskedProbesOptions
  /** By the check that was asked about. */
  readonly #byCheck = new Map<Check, Set<Asked>>()
  /** By the check that was made for it. */
  readonly #byExtra = new Map<Check, Asked>()

  constructor(options: AskedProbesOptions) {
    this.#options = options
  }

  /** Asks for a probe of `check` now. */
  ask(check: Check, { counted, onDone }: Asking, nowMs: number): AskedProbe {
    const extra = counted && !check.isHalted ? undefined : this.#extraOf(check, nowMs)
    const asked: Asked = { check, extra, askedMs: nowMs, onDone }
    this.#byCheck.set(check, (this.#byCheck.get(check) ?? new Set()).add(asked))
    if (extra === undefined) this.#options.hasten(check, nowMs)
    else {
      this.#byExtra.set(extra, asked)
      this.#options.loop.plan(extra, nowMs)
    }
    return {
      get stage() {
        return stageOf(asked)
      },
      cancel: () => this.#forget(asked),
    }
  }

  /** Whether this check was made for one probe: its results are no results of a member. */
  isExtra(check: Check): boolean {
    return this.#byExtra.size > 0 && this.#byExtra.has(check)
  }

  /** Whether somebody waits for a result of this check. */
  isAsked(check: Check): boolean {
    return this.#byCheck.size > 0 && this.#byCheck.has(check)
  }

  /** The probe of a check that was made for it has ended. */
  endExtra(extra: Check, result: ProbeResult, nowMs: number): void {
    const asked = this.#byExtra.get(extra)
    if (asked === undefined) return
    const found = this.#options.reconsider(extra, result, nowMs)
    this.#options.onEnded(extra, found)
    this.#forget(asked)
    asked.onDone({
      result: found,
      evidence: evidenceOf(extra, found),
      counted: false,
      startedMs: extra.startedMs,
    })
  }

  /** A result of `check` was judged, or was not to count; the next probe of it is planned. */
  settle(check: Check, result: ProbeResult, counted: boolean, nowMs: number): void {
    const askedOf = this.#byCheck.get(check)
    if (askedOf === undefined) return
    for (const asked of askedOf) {
      if (asked.extra !== undefined || check.startedMs < asked.askedMs) continue
      this.#forget(asked)
      asked.onDone({ result, evidence: evidenceOf(check, result), counted, startedMs: check.startedMs })
    }
    this.planAgain(check, nowMs)
  }

  /** The next probe of `check` was planned anew, as if nobody had asked. */
  planAgain(check: Check, nowMs: number): void {
    for (const { extra } of this.#byCheck.get(check) ?? []) {
      if (extra === undefined) this.#options.hasten(check, nowMs)
    }
  }

  /** `check` is removed. */
  remove(check: Check): void {
    for (const asked of this.#byCheck.get(check) ?? []) {
      this.#forget(asked)
      asked.onDone(undefined)
    }
  }

  /** Ends every probe that was made for a request, without a result. */
  stop(): void {
    for (const askedOf of this.#byCheck.values()) for (const asked of askedOf) this.#forget(asked)
  }

  /**
   * The check of one probe: it has the state and the target of `check`, and a connection of its own, so that a kept one still
   * serves the scheduled probes.
   */
  #extraOf(check: Check, nowMs: number): Check {
    const { reuse: _, ...target } = check.config.target
    // It has no interval, so a late start skips no planned probe.
    const policy = { ...check.config.policy, intervals: { online: Number.POSITIVE_INFINITY } }
    const extra = new Check({ ...check.config, target, policy }, undefined, {
      nowMs,
      pool: check.pool,
      share: this.#options.loop.hold(check.config),
      denied: check.denied,
    })
    extra.state = check.state
    extra.dueMs = nowMs
    return extra
  }

  #forget(asked: Asked): void {
    const { check, extra } = asked
    const askedOf = this.#byCheck.get(check)
    if (askedOf?.delete(asked) !== true) return
    if (askedOf.size === 0) this.#byCheck.delete(check)
    if (extra === undefined) return
    this.#byExtra.delete(extra)
    this.#options.loop.remove(extra)
  }
}

function stageOf({ check, extra, askedMs }: Asked): AskedStage {
  const { phase } = extra ?? check
  if (phase === 'in_flight') return 'in_flight'
  const isOver = phase === 'waiting' && !isLinked(extra ?? check) && (extra ?? check).startedMs >= askedMs
  return isOver ? 'held' : 'waiting'
}
