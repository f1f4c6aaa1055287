/**
 * When the next probe starts (docs/state-machine.md): the interval of the state, its jitter, and from when it counts.
 * Random numbers and clocks are arguments.
 */
import type { Jitter } from './intervals.ts'
import { type CheckState, isHalted, type StatePolicy } from '../status/state-machine.ts'

/**
 * The nominal interval, in milliseconds, from this probe to the next; undefined = the probing has ended. A failure seen
 * on traffic does not change the timer: do not call this for it.
 */
export function nextIntervalMs(policy: StatePolicy, state: CheckState): number | undefined {
  if (isHalted(policy, state)) return undefined
  const { intervals } = policy
  const { online } = intervals
  if (intervals.noTraffic !== undefined && !state.trafficSeen) {
    const isHealthy = state.status === 'ONLINE' && state.badRun === 0
    return isHealthy ? (intervals.noTrafficHealthy ?? intervals.noTraffic) : intervals.noTraffic
  }
  if (intervals.undecided !== undefined && !state.decided) return intervals.undecided
  switch (state.status) {
    case 'ONLINE':
      return state.badRun > 0 ? (intervals.onlinePending ?? online) : online
    case 'OFFLINE':
      return state.okRun > 0 ? (intervals.offlinePending ?? online) : (intervals.offline ?? online)
    case 'UNKNOWN':
      return state.badRun > 0 ? (intervals.onlinePending ?? online) : (intervals.offline ?? online)
  }
}

/** The longest interval of any state of this policy, in milliseconds. */
export function longestIntervalMs({ intervals }: Pick<StatePolicy, 'intervals'>): number {
  const { online, onlinePending = 0, offline = 0, offlinePending = 0 } = intervals
  const { undecided = 0, noTraffic = 0, noTrafficHealthy = 0 } = intervals
  return Math.max(online, onlinePending, offline, offlinePending, undecided, noTraffic, noTrafficHealthy)
}

/**
 * Envoy's interval with jitter (`HealthCheckerImplBase::interval`): per cent of the interval first, then milliseconds,
 * each U[0, span - 1]; at least 1. `random` numbers are in [0, 1).
 */
export function addedJitterMs(baseMs: number, jitter: Jitter, forPercent: number, forMs: number): number {
  const share = Math.floor(((jitter.percent ?? 0) * baseMs) / 100)
  return Math.floor(share * forPercent) + Math.floor((jitter.ms ?? 0) * forMs)
}

/** HAProxy's spread-checks: whole milliseconds in ± `spreadPercent` of the interval, both ends included. */
export function spreadMs(baseMs: number, spreadPercent: number, random: number): number {
  const reach = Math.floor((baseMs * spreadPercent) / 100)
  return reach - Math.floor((2 * reach + 1) * random)
}

/** What jitter adds to (or, with a spread, subtracts from) an interval, in milliseconds. */
export function jitterMs(jitter: Jitter | undefined, baseMs: number, random: () => number): number {
  if (jitter === undefined) return 0
  const { ms = 0, percent = 0, spreadPercent = 0 } = jitter
  const added = ms > 0 || percent > 0 ? addedJitterMs(baseMs, jitter, random(), random()) : 0
  return spreadPercent > 0 ? added + spreadMs(baseMs, spreadPercent, random()) : added
}

/**
 * The time after `gridMs` on a grid of `intervalMs` that is not over yet: times that passed while a probe ran are dropped,
 * never made up for (HAProxy, Go's ticker), so probes of one check neither burst nor drift.
 */
export function nextGridMs(gridMs: number, intervalMs: number, nowMs: number): number {
  const next = gridMs + intervalMs
  if (next >= nowMs) return next
  return next + Math.ceil((nowMs - next) / intervalMs) * intervalMs
}
