/** When a check is probed next, and which of its changes matter for that. */
import { isDeepStrictEqual } from 'node:util'
import type { CheckConfig } from '../../domain/prober/check.ts'
import { INTERVAL_FLOOR_MS } from '../../domain/limits.ts'
import type { ProbeTarget } from '../../domain/target/probe-target.ts'
import { jitterMs, nextIntervalMs, nextGridMs } from '../../domain/timing/probe-times.ts'
import type { Check } from './check.ts'

/** Sets when the check is due next, after a result; false = its probing has ended. */
export function planNext(check: Check, nowMs: number, random: () => number): boolean {
  if (check.steadyEveryMs > 0 && !check.isCatchingUp) {
    check.gridMs = nowMs + check.steadyEveryMs
    check.dueMs = check.gridMs
    return true
  }
  const { policy } = check.config
  const nominalMs = nextIntervalMs(policy, check.state)
  if (nominalMs === undefined) return false
  const intervalMs = Math.max(INTERVAL_FLOOR_MS, nominalMs)
  const isOnGrid = policy.anchor === 'start' || check.isCatchingUp
  const gridMs = isOnGrid ? nextGridMs(check.gridMs, intervalMs, nowMs) : nowMs + intervalMs
  const fromMs = policy.anchor === 'start' ? check.startedMs : nowMs
  const soonestMs = Math.max(nowMs, fromMs + INTERVAL_FLOOR_MS)
  check.isCatchingUp = false
  check.gridMs = gridMs
  check.dueMs = Math.max(soonestMs, gridMs + jitterMs(policy.jitter, intervalMs, random))
  return true
}

/**
 * Makes a check that waits for its due time due now, as soon as its last probe allows: one probe more, after which it is due
 * when it would have been without.
 */
export function advance(check: Check, nowMs: number): void {
  const { policy } = check.config
  const intervalMs = Math.max(
    INTERVAL_FLOOR_MS,
    nextIntervalMs(policy, check.state) ?? policy.intervals.online,
  )
  if (!check.isCatchingUp && check.gridMs > nowMs) check.gridMs -= intervalMs
  check.isCatchingUp = true
  check.dueMs = Math.max(nowMs, Math.min(check.dueMs, check.startedMs + INTERVAL_FLOOR_MS))
}

/** When a check is due that was probed elsewhere before, and the time on its grid from which later probes count. */
export interface Resumption {
  readonly dueMs: number
  readonly gridMs: number
}

/**
 * When a check is due here that already has a verdict, from another prober or from this one before a restart: it keeps
 * its schedule.
 *
 * The planned time (`nextMs`) is moved by whole intervals into the interval that begins now, so that each of many
 * checks keeps its place in it. Clocks of hosts that differ only change that place; without a plan the place is random.
 * A probe that was due less than an interval ago was missed while the owner changed: it is made within the time by which
 * it is already late, half an interval at most, so that missed probes come at about the planned rate. Then the check is
 * back in its place.
 */
export function resumption(
  { config: { policy }, state }: Check,
  { nowMs, nextMs }: { readonly nowMs: number; readonly nextMs: number | undefined },
  random: () => number,
): Resumption {
  const intervalMs = Math.max(INTERVAL_FLOOR_MS, nextIntervalMs(policy, state) ?? policy.intervals.online)
  const lateMs = nextMs === undefined ? -random() * intervalMs : nowMs - nextMs
  if (lateMs > 0 && lateMs < intervalMs) {
    const withinMs = Math.min(lateMs, intervalMs / 2)
    return { dueMs: nowMs + random() * withinMs, gridMs: nowMs - lateMs }
  }
  const aheadMs = -lateMs % intervalMs
  const dueMs = nowMs + (aheadMs < 0 ? aheadMs + intervalMs : aheadMs)
  return { dueMs, gridMs: dueMs }
}

/** The part of a policy that says when to probe, not how to judge. */
const TIMING = { intervals: 0, anchor: 0, jitter: 0 } as const

/** What a new configuration of a check changes: the request, the judgement, the schedule. */
export interface CheckChange {
  /** Earlier results mean nothing now. */
  readonly isNewGeneration: boolean
  readonly isOtherRequest: boolean
  readonly isOtherRule: boolean
  readonly isOtherTiming: boolean
}

export function changeOf(old: CheckConfig, config: CheckConfig): CheckChange {
  return {
    isNewGeneration: old.generation !== config.generation,
    isOtherRequest: !isDeepStrictEqual({ ...old.target, timeoutMs: 0 }, { ...config.target, timeoutMs: 0 }),
    isOtherRule: !isDeepStrictEqual({ ...old.policy, ...TIMING }, { ...config.policy, ...TIMING }),
    isOtherTiming: !isDeepStrictEqual(timingOf(old), timingOf(config)),
  }
}

function timingOf({ policy: { intervals, anchor, jitter } }: CheckConfig): object {
  return { intervals, anchor, jitter }
}

/**
 * The new configuration with the old target object if both are equal, since kept connections are found by its identity;
 * else `onTargetGone` is called with the old one.
 */
export function adopted(
  { target }: CheckConfig,
  config: CheckConfig,
  onTargetGone: ((target: ProbeTarget) => void) | undefined,
): CheckConfig {
  if (isDeepStrictEqual(target, config.target)) return { ...config, target }
  onTargetGone?.(target)
  return config
}
