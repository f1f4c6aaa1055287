/** Metrics that only a process that probes has: retention, and reading the status of dependencies. */
import { Counter, Gauge, type Registry } from 'prom-client'
import { described } from './described.ts'

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

/** Called once per registry. */
export function proberMetrics(registry: Registry): ProberMetrics {
  const rows = new Counter(described(registry, 'hm_retention_rows_total'))
  const failures = new Counter(described(registry, 'hm_retention_failures_total'))
  const succeeded = new Gauge({
    ...described(registry, 'hm_retention_last_success_timestamp_seconds'),
    // One process of all makes a pass.
    aggregator: 'max',
  })
  const repaired = new Counter(described(registry, 'hm_roll_ups_repaired_total'))
  const readings = new Counter(described(registry, 'hm_dependency_reading_failures_total'))
  const blind = new Gauge(described(registry, 'hm_dependency_projects_blind'))
  return {
    purged: (count) => rows.inc(count),
    retentionSucceeded: () => succeeded.setToCurrentTime(),
    retentionFailed: () => failures.inc(),
    rollUpsRepaired: (loadBalancers) => repaired.inc(loadBalancers),
    dependencyReadingFailed: () => readings.inc(),
    dependenciesBlind: (projects) => blind.set(projects),
  }
}
