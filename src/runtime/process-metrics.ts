/** Metrics that every process of the service has about itself. */
import { Gauge, type Registry } from 'prom-client'
import { METRICS } from './metric-table.ts'
import type { TlsIdentity } from './tls-identity.ts'

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
  const registers = [registry]
  new Gauge({
    name: 'hm_build_info',
    help: METRICS.hm_build_info.help,
    labelNames: METRICS.hm_build_info.labels,
    registers,
    aggregator: 'max',
  }).set({ version, node: process.version, process: name }, 1)
  const reload = new Gauge({
    name: 'hm_last_reload_successful',
    help: METRICS.hm_last_reload_successful.help,
    registers,
    // Of several processes, the one that could not.
    aggregator: 'min',
  })
  reload.set(1)
  if (identity !== undefined) certificateGauge(registry, identity)
  return { reloaded: (isSuccessful) => reload.set(isSuccessful ? 1 : 0) }
}

function certificateGauge(registry: Registry, identity: () => TlsIdentity): void {
  const gauge = new Gauge({
    name: 'hm_listener_certificate_expiry_timestamp_seconds',
    help: METRICS.hm_listener_certificate_expiry_timestamp_seconds.help,
    registers: [registry],
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
    name: 'process_start_time_seconds',
    help: METRICS.process_start_time_seconds.help,
    labelNames: METRICS.process_start_time_seconds.labels,
    registers: [registry],
    aggregator: 'first',
  }).set({ process: name }, Math.round((Date.now() - 1000 * process.uptime()) / 1000))
}
