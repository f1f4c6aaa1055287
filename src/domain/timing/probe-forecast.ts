/** How often a monitor probes, and when next, estimated outside of the prober. */
import { nextIntervalMs } from './probe-times.ts'
import { type CheckState, initialState, restoredState, type StatePolicy } from '../status/state-machine.ts'

/** Probes a second of one healthy check: from the end of a probe that takes no time, or from its start. */
export function checkRate({ intervals }: Pick<StatePolicy, 'intervals'>): number {
  const { online, noTraffic, noTrafficHealthy = noTraffic } = intervals
  return 1000 / (noTrafficHealthy ?? online)
}

/** The most probes a second that a check of this policy can make, in any state. */
export function highestCheckRate({ intervals }: Pick<StatePolicy, 'intervals'>): number {
  return 1000 / Math.min(...Object.values<number>({ ...intervals }))
}

/**
 * Probes that a check of this policy can have in flight on average, whatever its state, while its target does not answer: at most
 * one. An interval that counts from the end of a probe is added to what the probe takes.
 */
export function highestInFlight(
  { intervals, anchor }: Pick<StatePolicy, 'intervals' | 'anchor'>,
  timeoutMs: number,
): number {
  const intervalMs = Math.min(...Object.values<number>({ ...intervals }))
  return anchor === 'start' ? Math.min(1, timeoutMs / intervalMs) : timeoutMs / (timeoutMs + intervalMs)
}

/** What is known of a check. Times are milliseconds of the wall clock. */
export interface KnownCheck {
  readonly status: 'UNKNOWN' | 'ONLINE' | 'OFFLINE'
  readonly okRun: number
  readonly badRun: number
  /** When the checkpoint says that it is probed next. */
  readonly nextAt?: number
  /** When the last probe that is known of was made. */
  readonly lastAt?: number
  /** How long the last probe took. */
  readonly lastMs?: number
}

/**
 * The next probes of a check, if its results stay as they are and without jitter. Without a checkpoint the first is at
 * `now`: a check that nobody has probed yet is probed within a second.
 */
export function nextProbeTimes(
  policy: StatePolicy,
  known: KnownCheck,
  { now, count }: { readonly now: number; readonly count: number },
): readonly number[] {
  const intervalMs = nextIntervalMs(policy, stateOf(policy, known))
  if (intervalMs === undefined) return []
  const stepMs = intervalMs + (policy.anchor === 'start' ? 0 : (known.lastMs ?? 0))
  const planned = announced(known, stepMs) ?? now
  const first = planned >= now ? planned : planned + Math.ceil((now - planned) / stepMs) * stepMs
  return Array.from({ length: count }, (_, i) => Math.round(first + i * stepMs))
}

/** The time in the checkpoint is over when a later probe is known. */
function announced({ nextAt, lastAt }: KnownCheck, stepMs: number): number | undefined {
  if (lastAt === undefined || (nextAt !== undefined && nextAt > lastAt)) return nextAt
  return lastAt + stepMs
}

function stateOf(policy: StatePolicy, { status, okRun, badRun }: KnownCheck): CheckState {
  if (status === 'UNKNOWN') return { ...initialState(policy), badRun }
  return { ...restoredState(status, policy), okRun, badRun }
}
