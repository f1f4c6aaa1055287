/**
 * What a prober observes of itself, beside its metrics: how late its probes started since the last reading, and how
 * many were inconclusive. It sits between the scheduler and the metrics, and costs two additions per probe.
 */
import { INCONCLUSIVE_LOG_EVERY_MS, LATENESS_SECONDS_BUCKETS } from '../domain/limits.ts'
import { type Reason, REASONS } from '../domain/result/reasons.ts'
import type { ProbeResult } from '../domain/result/probe-result.ts'
import type { MonitorType } from '../domain/types.ts'
import type { Metrics } from '../runtime/metrics/metrics.ts'
import type { Log } from './log.ts'

type ProbeMetrics = Pick<
  Metrics,
  'probeStarted' | 'probeEnded' | 'probePassed' | 'probesSkipped' | 'probesDelayed' | 'probeDedicated'
>

export class SelfObservation implements ProbeMetrics {
  readonly #metrics: ProbeMetrics
  readonly #inconclusive: Partial<Record<Reason, number>> = {}
  readonly #last: Partial<Record<Reason, string>> = {}
  readonly #lateness = new Uint32Array(LATENESS_SECONDS_BUCKETS.length + 1)
  readonly #logged = new Map<string, { readonly count: number; readonly atMs: number }>()
  #maxMs = 0

  constructor(metrics: ProbeMetrics) {
    this.#metrics = metrics
  }

  readonly probeStarted: ProbeMetrics['probeStarted'] = (latenessMs) => {
    if (latenessMs > this.#maxMs) this.#maxMs = latenessMs
    let i = 0
    while (i < LATENESS_SECONDS_BUCKETS.length && latenessMs > (LATENESS_SECONDS_BUCKETS[i] ?? 0) * 1000) i++
    this.#lateness[i]! += 1
    this.#metrics.probeStarted(latenessMs)
  }

  readonly probeEnded = (
    type: MonitorType,
    result: Pick<ProbeResult, 'outcome' | 'reason' | 'detail' | 'phases'>,
  ): void => {
    if (result.outcome === 'inconclusive') {
      this.#inconclusive[result.reason] = (this.#inconclusive[result.reason] ?? 0) + 1
      this.#last[result.reason] = result.detail
    }
    this.#metrics.probeEnded(type, result)
  }

  readonly probePassed: ProbeMetrics['probePassed'] = (type, totalMs) =>
    this.#metrics.probePassed(type, totalMs)
  readonly probesSkipped: ProbeMetrics['probesSkipped'] = (count) => this.#metrics.probesSkipped(count)
  readonly probesDelayed: ProbeMetrics['probesDelayed'] = (count) => this.#metrics.probesDelayed(count)
  readonly probeDedicated: ProbeMetrics['probeDedicated'] = (type) => this.#metrics.probeDedicated(type)

  /**
   * Logs the reasons of inconclusive results: each when it first occurs, then once in INCONCLUSIVE_LOG_EVERY_MS while
   * it lasts.
   */
  report(log: Log, nowMs: number): void {
    for (const [reason, count] of Object.entries(this.#inconclusive)) {
      const logged = this.#logged.get(reason)
      const probes = count - (logged?.count ?? 0)
      if (probes === 0 || reason === 'PROBER_STOPPING') continue
      if (logged !== undefined && nowMs - logged.atMs < INCONCLUSIVE_LOG_EVERY_MS) continue
      this.#logged.set(reason, { count, atMs: nowMs })
      const { sentence } = REASONS[reason as Reason]
      const last = this.#last[reason as Reason]
      log.warn({ reason, probes, sentence, last }, 'probes were inconclusive')
    }
  }

  /** Inconclusive results since the start, by reason. */
  get inconclusive(): Readonly<Partial<Record<Reason, number>>> {
    return { ...this.#inconclusive }
  }

  /** The detail of the last of them, by reason. */
  get inconclusiveLast(): Readonly<Partial<Record<Reason, string>>> {
    return { ...this.#last }
  }

  /** Milliseconds of lateness since the last call: the maximum and the 99th percentile. */
  takeLag(): { readonly p99Ms: number; readonly maxMs: number } {
    const maxMs = Math.round(this.#maxMs)
    const total = this.#lateness.reduce((sum, count) => sum + count, 0)
    let seen = 0
    let i = 0
    while (i < this.#lateness.length && (seen += this.#lateness[i] ?? 0) < total * 0.99) i++
    const boundMs = (LATENESS_SECONDS_BUCKETS[i] ?? Number.POSITIVE_INFINITY) * 1000
    this.#lateness.fill(0)
    this.#maxMs = 0
    return { p99Ms: Math.min(maxMs, boundMs), maxMs }
  }
}
