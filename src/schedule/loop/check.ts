/** A check while a prober runs it: one node that waits in the wheel or in a queue, or is in flight with its deadline. */
import type { CheckConfig, CheckpointEntry, Evidence, StoredVerdict } from '../../domain/prober/check.ts'
import { STALE_WINDOWS } from '../../domain/limits.ts'
import { longestIntervalMs } from '../../domain/timing/probe-times.ts'
import type { Reason } from '../../domain/result/reasons.ts'
import type { Phases, ProbeResult } from '../../domain/result/probe-result.ts'
import {
  type CheckState,
  type CheckStatus,
  initialState,
  isHalted,
  restoredState,
} from '../../domain/status/state-machine.ts'
import type { MonitorType } from '../../domain/types.ts'
import type { BatchCore } from '../../probe/batch/core.ts'
import type { AddressShare } from '../share/address-slots.ts'
import type { ListNode } from '../linked-list.ts'
import type { WheelNode } from './timer-wheel.ts'

/** Where it is (probe-loop.ts): `queued` at its address, `ready` in its project. */
export type CheckPhase = 'waiting' | 'queued' | 'ready' | 'in_flight' | 'removed'

/** What ended as the last verdict: kept so that a change of counters alone repeats the reason of the status. */
export interface Verdict {
  readonly status: 'ONLINE' | 'OFFLINE'
  readonly since: number
  readonly reason: Reason
  readonly detail: string
  readonly evidence: Evidence
}

/** A probe in flight, as far as its check ends it. */
export interface InFlight {
  /** Ends it; undefined until the prober has returned. */
  cancel: ((why: 'timeout' | 'shutdown') => void) | undefined
  /** It began with an old configuration: its result does not count. */
  isObsolete: boolean
}

/** The place of a check in a core (core-batch.ts), which is its attempt while its probe is in flight. */
export interface Seat extends InFlight {
  readonly core: BatchCore
  readonly slot: number
  /** Of its target, which has a seat of its own for each change. */
  readonly type: MonitorType
  readonly timeoutMs: number
  /** Its probe starts with the next batch. */
  start(): void
  /** Gives its slot back, now or when its probe has ended. */
  leave(): void
}

/**
 * Mutable on purpose: every field is set in the constructor, so that all checks share one shape. The fields of the first
 * group are those that a probe by the batch needs which changes nothing, and V8 keeps fields in this order: with many
 * checks each of them is read from memory, and few lines of it are quick.
 */
export class Check implements WheelNode {
  previous: ListNode = this
  next: ListNode = this
  dueTick = 0
  phase: CheckPhase = 'waiting'
  readonly pool: { readonly isGone: boolean }
  /** What it shares with other checks: its address and, through it, its project. */
  share: AddressShare<Check>
  /** Why the target policy forbids this target; undefined = it may be probed. */
  denied: string | undefined
  /** The attempt in flight; there is at most one at a time. */
  attempt: InFlight | undefined
  /** Its place in a core; undefined = a prober makes its probes. */
  seat: Seat | undefined
  /** One more result that passes changes nothing (steadiness.ts); false until the last result was judged. */
  isSteady = false
  /** Milliseconds from the end of a probe to the next one while it is steady, where no grid and no chance count; 0 = see its policy. */
  steadyEveryMs = 0
  /** Monotonic milliseconds. */
  dueMs = 0
  /** `dueMs` is a moment that its project's `newStarts` keep for it. */
  isReserved = false
  /** `dueMs` is the time of a missed probe that is made late: the next one is on schedule again, at `gridMs`. */
  isCatchingUp = false
  /** What `dueMs` would be without jitter: intervals that count from the start of a probe count from here. */
  gridMs = 0
  startedMs = 0
  endedMs = 0
  /** When the probe of the last result started. */
  probedMs = 0
  conclusiveMs: number
  /**
   * How long the last probe took, where a core made it, it passed as `lastResult` did, and changed nothing: then
   * `lastResult` is an earlier one. -1 = it is the last one.
   */
  steadyMicroseconds = -1
  /** Where its recent results are (result-rings.ts); -1 = it has none. */
  ring = -1

  config: CheckConfig
  state: CheckState
  /** Of this generation. */
  verdict: Verdict | undefined
  /** The verdict of an older generation, which is published until there is one of this generation. */
  oldVerdict: Pick<Verdict, 'status' | 'since'> | undefined
  /** The status that results have led to, while a maintenance keeps it from being published. */
  withheld: Verdict | undefined
  /** Run of the row in `member_state`: `badRun` while ONLINE, `okRun` while OFFLINE; -1 = nothing was written. */
  writtenRun: number
  isStale = false
  lastResult: ProbeResult | undefined
  /** What is known of its last probe elsewhere, until its first result here. */
  checkpoint: CheckpointEntry | undefined

  constructor(
    config: CheckConfig,
    stored: StoredVerdict | undefined,
    place: {
      readonly nowMs: number
      readonly pool: Check['pool']
      readonly share: AddressShare<Check>
      readonly denied: string | undefined
    },
  ) {
    this.config = config
    this.pool = place.pool
    this.share = place.share
    this.denied = place.denied
    this.attempt = undefined
    this.seat = undefined
    this.lastResult = undefined
    this.checkpoint = undefined
    this.conclusiveMs = place.nowMs
    const isOld = stored !== undefined && stored.generation < config.generation
    const verdict = isOld ? undefined : stored
    this.verdict = verdict
    this.oldVerdict = isOld ? stored : undefined
    this.state = stateOf(config, verdict)
    this.isStale = verdict?.isStale === true
    this.writtenRun =
      verdict === undefined ? -1 : verdict.status === 'ONLINE' ? verdict.badRun : verdict.okRun
  }

  /** What is published as far as probing goes; UNKNOWN: no verdict. */
  get publishedStatus(): CheckStatus {
    const verdict = this.verdict ?? this.oldVerdict
    return verdict?.status ?? (this.config.startsOnline === true ? 'ONLINE' : 'UNKNOWN')
  }

  /** The status that was decided by a result: a status that a profile only starts with is no verdict. */
  get decidedStatus(): CheckStatus {
    return this.state.decided ? this.state.status : 'UNKNOWN'
  }

  /** Probed no more: it was removed, or will be as soon as that is its turn. */
  get isGone(): boolean {
    return this.pool.isGone || this.phase === 'removed'
  }

  /** Probed no more until the configuration changes. */
  get isHalted(): boolean {
    return isHalted(this.config.policy, this.state)
  }

  /** Its probe has ended with a result that is judged. */
  noteEnded(nowMs: number): void {
    this.endedMs = nowMs
    this.probedMs = this.startedMs
    this.steadyMicroseconds = -1
    this.notSteady()
  }

  /** Its probe has passed, and changes nothing. */
  noteSteadyPass(microseconds: number, nowMs: number): void {
    this.endedMs = nowMs
    this.probedMs = this.startedMs
    this.conclusiveMs = nowMs
    this.steadyMicroseconds = microseconds
  }

  /** Its next result is judged, whatever it is. */
  notSteady(): void {
    this.isSteady = false
    this.steadyEveryMs = 0
  }

  /** Of the last probe. */
  get lastPhases(): Phases | undefined {
    if (this.steadyMicroseconds < 0 || this.seat === undefined) return this.lastResult?.phases
    return this.seat.core.phasesOf(this.steadyMicroseconds, this.seat.slot)
  }

  /** The counter of results towards the next transition. */
  get pendingRun(): number {
    return this.state.status === 'ONLINE' ? this.state.badRun : this.state.okRun
  }

  /*
   * What a change of the configuration resets:
   *
   *                 | counters | status of the state machine | verdict                                  | last result
   *   resetCounters | yes      | as the verdict              | stays                                    | stays
   *   resetState    | yes      | as at the beginning         | stays, until there is another            | stays
   *   resetAll      | yes      | as at the beginning         | is old: it may stay published, no more   | is forgotten
   *
   * A status that was withheld by a maintenance goes with the counters that led to it.
   */

  /** The verdict stays, and changes only after a whole threshold of new results. */
  resetCounters(): void {
    this.state = stateOf(this.config, this.state.decided ? this.verdict : undefined)
    this.withheld = undefined
  }

  /** The state machine starts as at the beginning; the last verdict stays published until there is another. */
  resetState(): void {
    this.state = initialState(this.config.policy)
    this.withheld = undefined
  }

  /** As never probed: after a change of generation from `old`. */
  resetAll(old: number, nowMs: number): void {
    this.resetState()
    const isPublished = old >= this.config.publishedFrom
    this.oldVerdict = isPublished ? (this.verdict ?? this.oldVerdict) : undefined
    this.verdict = undefined
    this.writtenRun = -1
    this.lastResult = undefined
    this.checkpoint = undefined
    this.conclusiveMs = nowMs
    this.isStale = false
  }

  /** Whether there has been no conclusive result for so long that the status cannot be trusted. */
  hasGoneStale(nowMs: number): boolean {
    const { policy, target } = this.config
    if (nowMs - this.conclusiveMs < STALE_WINDOWS * (policy.intervals.online + target.timeoutMs)) return false
    if (this.isHalted) return false
    return nowMs - this.conclusiveMs >= STALE_WINDOWS * (longestIntervalMs(policy) + target.timeoutMs)
  }
}

function stateOf({ policy }: CheckConfig, verdict: Pick<Verdict, 'status'> | undefined): CheckState {
  return verdict === undefined ? initialState(policy) : restoredState(verdict.status, policy)
}
