/** Metrics of what a prober does beside probing: retention, and reading how dependencies stand. */
import { Counter, Gauge, type Registry } from 'prom-client'

export interface UpkeepMetrics {
  /** Old rows were deleted. */
  purged(rows: number): void
  /** A pass of retention has ended well. */
  retentionSucceeded(): void
  retentionFailed(): void
}

/** Only a process that probes has them; called once per registry. */
export function upkeepMetrics(registry: Registry): UpkeepMetrics {
  const registers = [registry]
  const rows = new Counter({
    name: 'hm_retention_rows_total',
    help: 'Rows that retention has deleted',
    registers,
  })
  const failures = new Counter({
    name: 'hm_retention_failures_total',
    help: 'Passes of retention that failed, wholly or in part; tables grow while they do',
    registers,
  })
  const succeeded = new Gauge({
    name: 'hm_retention_last_success_timestamp_seconds',
    help: 'When a pass of retention last ended well; 0 = not since the start',
    registers,
    // One process of all makes a pass.
    aggregator: 'max',
  })
  return {
    purged: (count) => rows.inc(count),
    retentionSucceeded: () => succeeded.setToCurrentTime(),
    retentionFailed: () => failures.inc(),
  }
}
