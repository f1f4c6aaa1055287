/** What the engine's bench counts in a prober process, beside the metrics that the process has anyway. */
import { PerformanceObserver } from 'node:perf_hooks'
import type { Metrics, ProberGauges } from '../src/runtime/metrics/metrics.ts'

export const LATENESS_STEP_MS = 0.25
const LATENESS_STEPS = 20_000

export class Counts {
  started = 0
  /** Since the process started. */
  gcMs = 0
  readonly outcomes: Record<string, number> = {}
  /** Starts by lateness, in steps of `LATENESS_STEP_MS`; the last one holds the rest. */
  readonly lateness = new Uint32Array(LATENESS_STEPS)
  gauges: () => Pick<ProberGauges, 'members' | 'inFlight'> = () => ({ members: {}, inFlight: 0 })

  constructor() {
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) this.gcMs += entry.duration
    }).observe({ entryTypes: ['gc'] })
  }

  /** The same metrics, listened to. */
  heard(metrics: Metrics): Metrics {
    return {
      ...metrics,
      probeStarted: (lateMs) => {
        this.started++
        const step = Math.min(LATENESS_STEPS - 1, Math.max(0, Math.floor(lateMs / LATENESS_STEP_MS)))
        this.lateness[step]! += 1
        metrics.probeStarted(lateMs)
      },
      probeEnded: (type, result) => {
        this.outcomes[result.reason] = (this.outcomes[result.reason] ?? 0) + 1
        metrics.probeEnded(type, result)
      },
      probePassed: (type, totalMs) => {
        this.outcomes['PASSED'] = (this.outcomes['PASSED'] ?? 0) + 1
        metrics.probePassed(type, totalMs)
      },
      readProber: (gauges) => {
        this.gauges = gauges
        metrics.readProber(gauges)
      },
    }
  }
}
