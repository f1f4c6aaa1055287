/** Metrics of sites that reach the service over NATS: those of the relay, and of their probers. */
import { HELD_GROUP, HOLDING } from './held-table.ts'
import type { MetricGroup } from './metric-row.ts'
import { RELAY_GROUP, RELAYING } from './relay-table.ts'

export const OF_SITES = { ...RELAYING, ...HOLDING } as const

/** In the order of docs/metrics.md. */
export const SITE_GROUPS: readonly MetricGroup[] = [RELAY_GROUP, HELD_GROUP]
