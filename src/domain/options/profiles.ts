/**
 * From a health monitor to how its results become a status (docs/state-machine.md): its options win over its preset, and
 * its preset over its plain fields. Without a preset, its profile counts: the dialect that created it, which is stored
 * with it and never changed by another dialect's PUT.
 */
import { ENGINE_FLOOR_MS, OPTION_INTERVAL_MS } from '../limits.ts'
import type { Preset } from './monitor-options.ts'
import { isSent } from './plain-fields.ts'
import { presetPolicy } from './presets.ts'
import type { Intervals } from '../timing/intervals.ts'
import type { StatePolicy } from '../status/state-machine.ts'
import type { HealthMonitor } from '../health-monitor.ts'

/** The fields of a monitor that decide when and how it is judged; some presets depend on `type`. */
export type JudgedMonitor = Pick<
  HealthMonitor,
  'profile' | 'rise' | 'fall' | 'delaySeconds' | 'timeoutSeconds'
> &
  Partial<Pick<HealthMonitor, 'type' | 'options' | 'sentFields'>>

/** The preset of a monitor: the one in its options, or the one of its profile. */
export function presetOf({ profile, options }: Pick<JudgedMonitor, 'profile' | 'options'>): Preset {
  return options?.preset ?? profile
}

/** Whether traffic counts as seen: it is assumed where the options do not say that it is reported. */
export function isTrafficAssumed({ options }: Pick<JudgedMonitor, 'options'>): boolean {
  return options?.no_traffic?.reported !== true
}

/** The state policy of a monitor; `trafficSeen`: traffic has reached its pool. */
export function statePolicy(monitor: JudgedMonitor, trafficSeen = false): StatePolicy {
  const { type = 'TCP', rise, fall, options } = monitor
  const plain = {
    type,
    rise,
    fall,
    intervalMs: delayMs(monitor),
    trafficSeen: trafficSeen || isTrafficAssumed(monitor),
    isRiseUnsent: !isSent(monitor, 'rise'),
  }
  const policy = presetPolicy(presetOf(monitor), plain, options ?? {})
  return options?.preset === undefined ? policy : { ...policy, intervals: withFloor(policy.intervals) }
}

/** Contrail's preset may have an interval of 0. */
function withFloor(intervals: Intervals): Intervals {
  const floored = Object.entries(intervals).map(([key, ms]: [string, number]) => [
    key,
    Math.max(OPTION_INTERVAL_MS.min, ms),
  ])
  return Object.fromEntries(floored) as Intervals
}

/** Milliseconds from one probe to the next; plain fields allow at most one probe a second. */
export function delayMs({ delaySeconds, options }: Pick<JudgedMonitor, 'delaySeconds' | 'options'>): number {
  return options?.interval_ms ?? Math.max(ENGINE_FLOOR_MS, delaySeconds * 1000)
}

/** Milliseconds that one probe may take. */
export function timeoutMs({
  timeoutSeconds,
  options,
}: Pick<JudgedMonitor, 'timeoutSeconds' | 'options'>): number {
  return options?.timeout_ms ?? Math.max(ENGINE_FLOOR_MS, timeoutSeconds * 1000)
}
