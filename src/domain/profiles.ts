/**
 * Profiles: the probing manners of each dialect, as a state policy made from a health monitor (probe-semantics 6.4).
 * The profile is stored with the monitor and is never changed by another dialect's PUT.
 */
import { ENGINE_FLOOR_MS } from './limits.ts'
import type { StatePolicy } from './state-machine.ts'
import type { HealthMonitor } from './types.ts'

type Thresholds = Pick<HealthMonitor, 'profile' | 'rise' | 'fall' | 'delaySeconds' | 'timeoutSeconds'>

/** The state policy of a monitor. */
export function statePolicy(monitor: Thresholds): StatePolicy {
  const intervals = { online: delayMs(monitor) }
  const { rise, fall } = monitor
  switch (monitor.profile) {
    case 'elb':
      // OTC elb_faq_0001: the first check alone makes a new member healthy; afterwards the thresholds.
      return { rise, fall, initialStatus: 'UNKNOWN', firstRise: 1, firstFall: 1, unknownFall: 1, intervals }
    case 'octavia':
      // HAProxy starts a server "up, but will fall down at first failure".
      return { rise, fall, initialStatus: 'ONLINE', firstRise: rise, firstFall: 1, unknownFall: 1, intervals }
  }
}

/** Milliseconds from the end of a probe to the start of the next; the engine probes at most once a second. */
export function delayMs(monitor: Pick<HealthMonitor, 'delaySeconds'>): number {
  return Math.max(ENGINE_FLOOR_MS, monitor.delaySeconds * 1000)
}

/** Milliseconds that one probe may take. */
export function timeoutMs(monitor: Pick<HealthMonitor, 'timeoutSeconds'>): number {
  return Math.max(ENGINE_FLOOR_MS, monitor.timeoutSeconds * 1000)
}
