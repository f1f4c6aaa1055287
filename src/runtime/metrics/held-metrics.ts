/** Metrics that only a prober has that reaches the service over NATS and holds on disk what it cannot send. */
import { Counter, Gauge, type Registry } from 'prom-client'
import { described } from './described.ts'

export interface HeldSeries {
  held(members: number): void
  damaged(pieces: number): void
  diskFailed(): void
}

/** Called once per registry. */
export function heldMetrics(registry: Registry): HeldSeries {
  const members = new Gauge(described(registry, 'hm_held_members'))
  const damaged = new Counter(described(registry, 'hm_held_damaged_total'))
  const failures = new Counter(described(registry, 'hm_held_disk_failures_total'))
  return {
    held: (count) => members.set(count),
    damaged: (pieces) => damaged.inc(pieces),
    diskFailed: () => failures.inc(),
  }
}
