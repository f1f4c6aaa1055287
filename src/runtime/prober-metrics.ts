/** Metrics that only a process that probes has: retention, and reading the status of dependencies. */
import { Counter, Gauge, type Registry } from 'prom-client'

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
  const repaired = new Counter({
    name: 'hm_roll_ups_repaired_total',
    help: 'Load balancers whose kept statuses, or those of their pools, were wrong; 0 unless there is a fault',
    registers,
  })
  const readings = new Counter({
    name: 'hm_dependency_reading_failures_total',
    help: 'Readings of what the members of a project depend on that failed',
    registers,
  })
  const blind = new Gauge({
    name: 'hm_dependency_projects_blind',
    help: 'Projects whose members are judged without what they depend on, because it could not be read for long',
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
