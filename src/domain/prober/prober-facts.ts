/**
 * The facts of a prober about itself: how late it is, what waits, and its inconclusive results. Stored with its
 * heartbeat.
 */
import type { Reason } from '../result/reasons.ts'

/**
 * `closed`: results count as they come. `suspicious`: failures wait for the canaries. `holding`: failures do not count.
 */
export type BreakerState = 'closed' | 'suspicious' | 'holding'

export interface BreakerFacts {
  readonly state: BreakerState
  /** Most unrelated targets failed at once, not long ago; other sites do not take this one for a witness then. */
  readonly massFailing: boolean
  /** Other sites see ONLINE what fails here: failures of what they probe too do not count. */
  readonly suspect: boolean
  /** How many are configured; without any the breaker only counts and warns. */
  readonly canaries: number
  /** Whether one of them answered when they were last probed; null = not probed yet. */
  readonly canariesAnswer: boolean | null
  /** Since the prober started: how often most targets failed at once, and how often that was held back. */
  readonly massFailures: number
  readonly trips: number
  /** Failures that wait for the canaries now. */
  readonly held: number
}

export interface ProberFacts {
  readonly checks: number
  /** What was gained and is not probed yet: shards, and members of those pools of them that are known. */
  readonly loading: { readonly shards: number; readonly checks: number }
  readonly inFlight: number
  /** Probes in flight at most. */
  readonly budget: number
  /** Checks that are due and wait for a slot. */
  readonly queue: number
  readonly stale: number
  /** Members whose verdict is not written yet. */
  readonly unwritten: number
  /** Milliseconds after they were due that probes started, since the heartbeat before. */
  readonly lag: { readonly p99Ms: number; readonly maxMs: number }
  /** Inconclusive results since the start, by reason. */
  readonly inconclusive: Readonly<Partial<Record<Reason, number>>>
  /** The detail of the last of them, which shows whether descriptors, source ports or memory lack: `connect EMFILE`. */
  readonly inconclusiveLast: Readonly<Partial<Record<Reason, string>>>
  /** Bytes of V8's old generation, and how many it may have (--max-old-space-size). */
  readonly heap: { readonly usedBytes: number; readonly limitBytes: number }
  readonly breaker: BreakerFacts
}
