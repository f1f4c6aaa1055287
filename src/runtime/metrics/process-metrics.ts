/** Metrics that every process of the service has about itself. */
import { Gauge, type Registry } from 'prom-client'
import type { TlsIdentity } from '../listener/tls-identity.ts'
import { described } from './described.ts'
import { METRICS } from './metric-table.ts'

export interface ProcessFacts {
  /** `api`, `prober-1` … */
  readonly name: string
  /** Of this program. */
  readonly version: string
  /** The certificate in use; absent where the process has none. */
  readonly identity?: () => TlsIdentity
}

export interface ProcessMetrics {
  /** Files were read anew, all of them or not. */
  readonly reloaded: (isSuccessful: boolean) => void
}

/** Called once per registry. */
export function processMetrics(
  registry: Registry,
  { name, version, identity }: ProcessFacts,
): ProcessMetrics {
  new Gauge({
    ...described(registry, 'hm_build_info'),
    labelNames: METRICS.hm_build_info.labels,
    aggregator: 'max',
  }).set({ version, node: process.version, process: name }, 1)
  const reload = new Gauge({
    ...described(registry, 'hm_last_reload_successful'),
    // Of several processes, the one that could not.
    aggregator: 'min',
  })
  reload.set(1)
  if (identity !== undefined) certificateGauge(registry, identity)
  return { reloaded: (isSuccessful) => reload.set(isSuccessful ? 1 : 0) }
}

function certificateGauge(registry: Registry, identity: () => TlsIdentity): void {
  const gauge = new Gauge({
    ...described(registry, 'hm_listener_certificate_expiry_timestamp_seconds'),
    aggregator: 'min',
    collect: () => {
      gauge.set(identity().notAfter.getTime() / 1000)
    },
  })
}

/**
 * prom-client's start time disappears when the metrics of several processes are merged; this one has the process as a
 * label. It replaces the one that is registered.
 */
export function startTimeGauge(registry: Registry, name: string): void {
  registry.removeSingleMetric('process_start_time_seconds')
  new Gauge({
    ...described(registry, 'process_start_time_seconds'),
    labelNames: METRICS.process_start_time_seconds.labels,
    aggregator: 'first',
  }).set({ process: name }, Math.round((Date.now() - 1000 * process.uptime()) / 1000))
}
