/**
 * How long a change of the target takes to change its status: from the moment the target fails (or recovers) to the
 * result that decides. `wait` is the interval before the run of results, `pending` the one during it; n results decide.
 * With timers that run from the end of a probe:
 *
 * - Fastest: `pending * (n - 1)`. A probe starts at once, and every probe ends at once. 0 where a hard failure decides.
 * - Slowest: `wait + timeout * n + pending * (n - 1)`. A probe has just ended, and every probe takes its whole timeout.
 *   Jitter makes every wait as long as it can.
 * - A kept connection that outlives its listener passes until it is replaced: `(freshEvery - 1) * (wait + timeout)` is
 *   added to the slowest.
 *
 * With timers that run from the start of a probe (anchor), an interval takes the place of interval and timeout, as often
 * as it takes for the probe to end. The window of the OTC manual (umn health_check: 2 x 3 + 4 x 2 = 14 s) is the slowest
 * without the first wait. Damped flapping is not in it.
 */
import { connectionReuse } from '../target/monitor-target.ts'
import { type JudgedMonitor, statePolicy, timeoutMs } from '../options/profiles.ts'
import type { StatePolicy } from '../status/state-machine.ts'

export interface Window {
  readonly minSeconds: number
  readonly maxSeconds: number
}

/** `up` is null when only a change of the monitor ends OFFLINE. */
export interface DetectionWindow {
  readonly down: Window
  readonly up: Window | null
}

export function detectionWindow(monitor: JudgedMonitor, trafficSeen = false): DetectionWindow {
  const policy = statePolicy(monitor, trafficSeen)
  const { intervals, hardFailures = [], recoveryExtra = 0 } = policy
  const { online, noTraffic } = intervals
  const timeout = timeoutMs(monitor)
  const reuse = connectionReuse({ ...monitor, type: monitor.type ?? 'TCP' })
  const steady = noTraffic === undefined ? online : (intervals.noTrafficHealthy ?? noTraffic)
  const down = windowOf(policy, {
    results: policy.fall,
    wait: steady,
    pending: noTraffic ?? intervals.onlinePending ?? online,
    timeout,
    hidden: (reuse?.freshEvery ?? 1) - 1,
  })
  const up = windowOf(policy, {
    results: policy.rise + recoveryExtra,
    wait: noTraffic ?? intervals.offline ?? online,
    pending: noTraffic ?? intervals.offlinePending ?? online,
    timeout,
    hidden: 0,
  })
  return {
    down: hardFailures.length === 0 ? down : { ...down, minSeconds: 0 },
    up: policy.haltWhenOffline === true ? null : up,
  }
}

interface Run {
  /** In a row. */
  readonly results: number
  /** Milliseconds: the interval that runs when the target changes, those of the run, the timeout. */
  readonly wait: number
  readonly pending: number
  readonly timeout: number
  /** Probes that may pass on an old connection before one opens a new connection. */
  readonly hidden: number
}

function windowOf(policy: StatePolicy, { results, wait, pending, timeout, hidden }: Run): Window {
  const { ms = 0, percent = 0, spreadPercent = 0 } = policy.jitter ?? {}
  const longest = (interval: number): number =>
    interval + Math.floor((interval * (percent + spreadPercent)) / 100) + ms
  const shortest = (interval: number): number => interval - Math.floor((interval * spreadPercent) / 100)
  /** From the start of a probe to the start of the next. */
  const step = (interval: number): number =>
    policy.anchor === 'start'
      ? longest(interval) + interval * (Math.max(1, Math.ceil(timeout / interval)) - 1)
      : longest(interval) + timeout
  const max = longest(wait) + hidden * step(wait) + timeout + (results - 1) * step(pending)
  return { minSeconds: (shortest(pending) * (results - 1)) / 1000, maxSeconds: max / 1000 }
}
