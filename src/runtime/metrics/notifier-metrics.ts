/** Metrics that only a notifier has. */
import { Counter, Gauge, type Registry } from 'prom-client'
import { described } from './described.ts'
import type { MetricName } from './metric-table.ts'

/** `outbox`: the rows without a position; else the name of a receiver. */
export interface EventLag {
  readonly receiver: string
  readonly events: number
  readonly seconds: number
}

export interface NotifierReadings {
  /** Whether this is the notifier that delivers: only it reads the rest. */
  readonly isActive: () => boolean
  readonly lags: () => Promise<readonly EventLag[]>
  readonly webhooks: () => Promise<{
    readonly seconds: number
    readonly behind: number
    readonly deadLetters: number
  }>
}

export interface NotifierMetrics {
  /** Counts events for webhooks by the result of their request; `dead`: they were given up. */
  readonly countDeliveries: (result: 'delivered' | 'failed' | 'dead', events: number) => void
}

/** Called once per registry. What is read is read at every scrape. */
export function notifierMetrics(registry: Registry, readings: NotifierReadings): NotifierMetrics {
  registerEvents(registry, readings)
  registerWebhooks(registry, readings)
  const deliveries = new Counter({
    ...described(registry, 'hm_webhook_deliveries_total'),
    labelNames: ['result'],
  })
  return { countDeliveries: (result, count) => deliveries.inc({ result }, count) }
}

/** Gauges that are collected together read once. */
function together<Reading>(read: () => Promise<Reading>): () => Promise<Reading> {
  let running: Promise<Reading> | undefined
  return () =>
    (running ??= read().finally(() => {
      running = undefined
    }))
}

function registerEvents(registry: Registry, { isActive, lags }: NotifierReadings): void {
  const active: Gauge = new Gauge({
    ...described(registry, 'hm_notifier_active'),
    collect: () => active.set(isActive() ? 1 : 0),
  })
  const read = together(async () => (isActive() ? await lags().catch(() => []) : []))
  const register = (name: MetricName, valueOf: (lag: EventLag) => number): void => {
    const gauge: Gauge<'receiver'> = new Gauge({
      ...described(registry, name),
      labelNames: ['receiver'],
      collect: async () => {
        const known = await read()
        gauge.reset()
        for (const lag of known) gauge.set({ receiver: lag.receiver }, valueOf(lag))
      },
    })
  }
  register('hm_events_lag', ({ events }) => events)
  register('hm_events_lag_seconds', ({ seconds }) => seconds)
}

function registerWebhooks(registry: Registry, { isActive, webhooks }: NotifierReadings): void {
  const nothing = { seconds: 0, behind: 0, deadLetters: 0 }
  const read = together(async () => (isActive() ? await webhooks().catch(() => nothing) : nothing))
  const register = (name: MetricName, field: keyof typeof nothing): void => {
    const gauge: Gauge = new Gauge({
      ...described(registry, name),
      collect: async () => gauge.set((await read())[field]),
    })
  }
  register('hm_webhook_lag_seconds', 'seconds')
  register('hm_webhooks_behind', 'behind')
  register('hm_webhook_dead_letters', 'deadLetters')
}
