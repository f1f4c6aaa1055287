/**
 * Checks that go on passing. Where one more result that passes changes nothing, a core's result is not judged: it is
 * counted, and the next probe is planned. Whether that is so is noted once, after a result was judged. Until the next
 * one that is, only a change of the configuration or of staleness makes it untrue (`notSteady`).
 */
import { INTERVAL_FLOOR_MS } from '../../domain/limits.ts'
import type { ProbeResult } from '../../domain/result/probe-result.ts'
import { step } from '../../domain/status/state-machine.ts'
import { nextIntervalMs } from '../../domain/timing/probe-times.ts'
import type { Check } from './check.ts'

/** Notes what one more result that passes would mean, after `result` was judged. */
export function noteSteadiness(check: Check, result: ProbeResult): void {
  const { policy } = check.config
  check.isSteady = isSteadyPass(check, result)
  const isPlain = check.isSteady && policy.anchor !== 'start' && policy.jitter === undefined
  check.steadyEveryMs = isPlain ? Math.max(INTERVAL_FLOOR_MS, nextIntervalMs(policy, check.state) ?? 0) : 0
}

/**
 * Whether one more result that passes, as `last` did, changes nothing of its check: no status, no counter, nothing that
 * is to be written. `step` says so: it gives back the state that it was given.
 *
 * Nobody reconsiders such a result either: the check depends on nothing, the breaker doubts failures only, and our own
 * network could only explain a silence that would make the member ONLINE. Flap damping counts every result.
 */
function isSteadyPass(check: Check, last: ProbeResult): boolean {
  const { state, verdict } = check
  const { policy, dependsOn } = check.config
  if (last.outcome !== 'passed' || last.flag !== undefined || check.isStale) return false
  if (dependsOn !== undefined || policy.invert === true || policy.flap !== undefined) return false
  if (state.status !== 'ONLINE' || verdict?.status !== 'ONLINE' || check.withheld !== undefined) return false
  return check.pendingRun === check.writtenRun && step(policy, state, 'passed') === state
}
