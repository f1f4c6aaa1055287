/** Metrics that only a process that probes has: retention, and reading the status of dependencies. */
import { Counter, Gauge, type Registry } from 'prom-client'
import { METRICS } from './metric-table.ts'

export interface ProberMetrics {
  /** Old rows were deleted. */
  purged(rows: number): void
  /** A pass of retention has ended well. */
  retentionSucceeded(): void
  retentionFailed(): void
  /** Kept statuses below so many load balancers were wrong. */
  rollUpsRepaired(loadBalancers: number): void
  dependencyReadingFailed(): void
  dependenciesBlind(projects: number): void
}

/** Only a process that probes has them; called once per registry. */
export function proberMetrics(registry: Registry): ProberMetrics {
  const registers = [registry]
  const rows = new Counter({
    name: 'hm_retention_rows_total',
    help: METRICS.hm_retention_rows_total.help,
    registers,
  })
  const failures = new Counter({
    name: 'hm_retention_failures_total',
    help: METRICS.hm_retention_failures_total.help,
    registers,
  })
  const succeeded = new Gauge({
    name: 'hm_retention_last_success_timestamp_seconds',
    help: METRICS.hm_retention_last_success_timestamp_seconds.help,
    registers,
    // One process of all makes a pass.
    aggregator: 'max',
  })
  const repaired = new Counter({
    name: 'hm_roll_ups_repaired_total',
    help: METRICS.hm_roll_ups_repaired_total.help,
    registers,
  })
  const readings = new Counter({
    name: 'hm_dependency_reading_failures_total',
    help: METRICS.hm_dependency_reading_failures_total.help,
    registers,
  })
  const blind = new Gauge({
    name: 'hm_dependency_projects_blind',
    help: METRICS.hm_dependency_projects_blind.help,
    registers,
  })
  return {
    purged: (count) => rows.inc(count),
    retentionSucceeded: () => succeeded.setToCurrentTime(),
    retentionFailed: () => failures.inc(),
    rollUpsRepaired: (loadBalancers) => repaired.inc(loadBalancers),
    dependencyReadingFailed: () => readings.inc(),
    dependenciesBlind: (projects) => blind.set(projects),
  }
}
