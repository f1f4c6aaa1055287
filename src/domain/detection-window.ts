/**
 * How long a change of the target takes to show as a change of its status: from the moment the target dies (or comes
 * back) to the result that decides. Bounds for timers that run from the end of a probe:
 * fastest: a probe starts at once and every one ends at once, `delay * (n - 1)`;
 * slowest: a probe just ended, and every one takes its whole timeout, `delay + timeout * n + delay * (n - 1)`.
 * The OTC manual's window (umn health_check: 2 x 3 + 4 x 2 = 14 s) is the slowest without the first wait.
 */
import { delayMs, timeoutMs } from './profiles.ts'
import type { HealthMonitor } from './types.ts'

export interface Window {
  readonly minSeconds: number
  readonly maxSeconds: number
}

type Timing = Pick<HealthMonitor, 'delaySeconds' | 'timeoutSeconds' | 'rise' | 'fall'>

export function detectionWindow(monitor: Timing): { readonly down: Window; readonly up: Window } {
  return { down: window(monitor, monitor.fall), up: window(monitor, monitor.rise) }
}

function window(monitor: Timing, threshold: number): Window {
  const delay = delayMs(monitor) / 1000
  const timeout = timeoutMs(monitor) / 1000
  const between = delay * (threshold - 1)
  return { minSeconds: between, maxSeconds: delay + timeout * threshold + between }
}
