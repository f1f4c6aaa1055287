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
  readonly webhookTried: (result: 'delivered' | 'failed' | 'dead', events: number) => void
}

export interface NotifierReadings {
  readonly isActive: () => boolean
  readonly lags: () => Promise<readonly EventLag[]>
  readonly webhooks: () => Promise<{
    readonly seconds: number
    readonly behind: number
    readonly deadLetters: number
  }>
}

/** Called once per registry. `isActive` and `lags` are asked at every scrape; lags only of the notifier that delivers. */
export function notifierMetrics(
  registry: Registry,
  { isActive, lags, webhooks }: NotifierReadings,
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
  registerWebhooks(registers, { isActive, webhooks })
  const deliveries = new Counter({
    name: 'hm_webhook_deliveries_total',
    help: 'Events for webhooks, by what became of a delivery: delivered, failed (it is tried again), dead (given up)',
    labelNames: ['result'],
    registers,
  })
  return { webhookTried: (result, count) => deliveries.inc({ result }, count) }
}

function registerWebhooks(
  registers: Registry[],
  { isActive, webhooks }: Pick<NotifierReadings, 'isActive' | 'webhooks'>,
): void {
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers })
  const behind = gauge(
    'hm_webhooks_behind',
    'Webhooks for which an event has waited for longer than a minute',
  )
  const letters = gauge('hm_webhook_dead_letters', 'Deliveries that were given up and are kept')
  const lag: Gauge = new Gauge({
    name: 'hm_webhook_lag_seconds',
    help: 'Seconds since the oldest event that waits for a webhook was queued; 0 in notifiers that do not deliver',
    registers,
    collect: async () => {
      const known = isActive() ? await webhooks().catch(() => undefined) : undefined
      lag.set(known?.seconds ?? 0)
      behind.set(known?.behind ?? 0)
      letters.set(known?.deadLetters ?? 0)
    },
  })
}
