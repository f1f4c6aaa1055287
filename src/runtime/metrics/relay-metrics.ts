/** Metrics that only a relay has, by site. */
import { Counter, Gauge, type Registry } from 'prom-client'
import { described } from './described.ts'

/** What is counted for one site. */
export interface SiteSeries {
  relayed(kind: string, count: number): void
  relayedRows(what: string, count: number): void
  snapshotSent(bytes: number): void
  waiting(messages: number): void
  working(isWorking: boolean): void
}

export interface RelaySeries {
  of(site: string): SiteSeries
}

/** Called once per registry. */
export function relayMetrics(registry: Registry): RelaySeries {
  const active = new Gauge({ ...described(registry, 'hm_relay_active'), labelNames: ['site'] })
  const waiting = new Gauge({ ...described(registry, 'hm_relay_waiting_messages'), labelNames: ['site'] })
  const messages = new Counter({
    ...described(registry, 'hm_relay_messages_total'),
    labelNames: ['site', 'kind'],
  })
  const rows = new Counter({ ...described(registry, 'hm_relay_rows_total'), labelNames: ['site', 'what'] })
  const bytes = new Counter({ ...described(registry, 'hm_relay_snapshot_bytes_total'), labelNames: ['site'] })
  return {
    of: (site) => {
      active.set({ site }, 0)
      return {
        relayed: (kind, count) => messages.inc({ site, kind }, count),
        relayedRows: (what, count) => rows.inc({ site, what }, count),
        snapshotSent: (count) => bytes.inc({ site }, count),
        waiting: (count) => waiting.set({ site }, count),
        working: (isWorking) => {
          active.set({ site }, isWorking ? 1 : 0)
          // Only the relay that works knows.
          if (!isWorking) waiting.remove({ site })
        },
      }
    },
  }
}
