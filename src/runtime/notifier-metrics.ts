/** Metrics that only a notifier has. */
import { Counter, Gauge, type Registry } from 'prom-client'

/** `queue`: the rows without a position; else the name of a receiver. */
export interface EventLag {
  readonly receiver: string
  readonly events: number
  readonly seconds: number
}

export interface NotifierMetrics {
  /** Deliveries to webhooks that were tried. `dead`: they are given up. */
  webhookTried(result: 'delivered' | 'failed' | 'dead', events: number): void
}

/** Called once per registry. `isActive` and `lags` are asked at every scrape; lags only of the notifier that delivers. */
export function notifierMetrics(
  registry: Registry,
  { isActive, lags }: { readonly isActive: () => boolean; readonly lags: () => Promise<readonly EventLag[]> },
): NotifierMetrics {
  const registers = [registry]
  const active: Gauge = new Gauge({
    name: 'hm_notifier_active',
    help: 'Notifiers that deliver; of the whole service one does',
    registers,
    collect: () => active.set(isActive() ? 1 : 0),
  })
  const seconds = new Gauge({
    name: 'hm_events_lag_seconds',
    help: 'Seconds since the oldest event that a receiver was not given yet',
    labelNames: ['receiver'],
    registers,
  })
  const events: Gauge<'receiver'> = new Gauge({
    name: 'hm_events_lag',
    help: 'Events that a receiver was not given yet; receiver outbox: that have no position yet',
    labelNames: ['receiver'],
    registers,
    collect: async () => {
      events.reset()
      seconds.reset()
      if (!isActive()) return
      for (const lag of await lags().catch(() => [])) {
        events.set({ receiver: lag.receiver }, lag.events)
        seconds.set({ receiver: lag.receiver }, lag.seconds)
      }
    },
  })
  const deliveries = new Counter({
    name: 'hm_webhook_deliveries_total',
    help: 'Events for webhooks, by what became of a delivery: delivered, failed (it is tried again), dead (given up)',
    labelNames: ['result'],
    registers,
  })
  return { webhookTried: (result, count) => deliveries.inc({ result }, count) }
}
