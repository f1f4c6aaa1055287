/** One notifier, put together: what `healthmonitor notifier` and the child of `serve` run. */
import { NOTIFIER_LEASE_MS, NOTIFIER_SESSION_MS } from '../../domain/limits.ts'
import type { AmqpSettings } from '../../domain/types.ts'
import { Notifier, type NotifierParts } from '../../notify/notifier.ts'
import type { Receiver } from '../../notify/receiver.ts'
import type { Metrics } from '../../runtime/metrics/metrics.ts'
import { notifierMetrics } from '../../runtime/metrics/notifier-metrics.ts'
import type { Log } from '../../schedule/log.ts'
import type { DatabaseUrl } from '../../store/connection/connection-url.ts'
import type { Database } from '../../store/connection/database.ts'
import { openLease } from '../../store/connection/lease.ts'
import { LOCK_KEYS } from '../../store/connection/lock-keys.ts'
import { advanceReceiver, readReceiverLags, receiverPosition } from '../../store/event/deliveries.ts'
import { EVENTS_CHANNEL, WEBHOOKS_CHANNEL } from '../../store/event/event-channels.ts'
import { readEventBounds, readOutboxLag } from '../../store/event/events.ts'
import { readWebhookLag } from '../../store/event/webhook-queue.ts'
import { amqpReceivers } from './amqp.ts'
import { eventListener, makeEventUpkeep } from './event-upkeep.ts'
import { readAllEvents } from './events.ts'
import { makeWebhooks, type WebhookSettings } from './webhooks.ts'

export interface NotifierDeps {
  readonly databaseUrl: DatabaseUrl
  readonly db: Database
  readonly log: Log
  readonly metrics: Pick<Metrics, 'registry'>
  readonly webhooks: WebhookSettings
  /** Absent: nothing is published on a message bus. */
  readonly amqp?: AmqpSettings | undefined
  /** Instead of the URLs of `amqp`. */
  readonly amqpUrls?: () => readonly string[] | undefined
}

/** A running notifier. */
export interface RunningNotifier {
  readonly isActive: boolean
  /** Releases the lease and ends the deliveries in progress. */
  close(): Promise<void>
}

/** Starts a notifier. Without PostgreSQL it waits and logs that. */
export function startNotifier(deps: NotifierDeps): RunningNotifier {
  const { db, databaseUrl, log, metrics } = deps
  const counted = notifierMetrics(metrics.registry, {
    isActive: () => notifier.isActive,
    lags: () => readLags(db, receivers),
    webhooks: () => readWebhookLag(db),
  })
  const webhooks = makeWebhooks(deps, {
    mayDeliver: () => notifier.isActive,
    countDeliveries: counted.countDeliveries,
  })
  const receivers: readonly Receiver[] = [webhooks, ...amqpReceivers(deps.amqp, log, deps.amqpUrls)]
  const notifier: Notifier = new Notifier({
    receivers,
    openLease: (onEnd) => openNotifierLease(databaseUrl, onEnd),
    source: eventSourceOf(db),
    log,
  })
  const upkeep = makeEventUpkeep(db, databaseUrl, log)
  const onEvents = (payload: string) => {
    upkeep.noteEvents(payload)
    notifier.notify()
  }
  const parts = [
    eventListener({ databaseUrl, log, channel: EVENTS_CHANNEL, onPayload: onEvents }),
    eventListener({ databaseUrl, log, channel: WEBHOOKS_CHANNEL, onPayload: webhooks.look }),
    upkeep,
    notifier,
  ]
  for (const part of parts) part.start()
  return {
    get isActive() {
      return notifier.isActive
    },
    close: async () => {
      await Promise.all(parts.map((part) => part.close()))
    },
  }
}

function eventSourceOf(db: Database): NotifierParts['source'] {
  return {
    read: (after, limit) => readAllEvents(db, after, limit),
    purgedTo: async () => (await readEventBounds(db)).purgedTo,
    position: (receiver) => receiverPosition(db, receiver),
    advance: (receiver, position) => advanceReceiver(db, receiver, position),
  }
}

function openNotifierLease(databaseUrl: DatabaseUrl, onEnd: () => void) {
  const settings = {
    url: databaseUrl,
    applicationName: 'healthmonitor notifier lease',
    key: LOCK_KEYS.notifier,
    sessionMs: NOTIFIER_SESSION_MS,
    answerMs: NOTIFIER_LEASE_MS,
  }
  return openLease(settings, onEnd)
}

/**
 * The lags of the present receivers. A receiver that was switched off keeps its position, but it does not count as
 * behind.
 */
async function readLags(db: Database, receivers: readonly Receiver[]) {
  const [outbox, lags] = await Promise.all([readOutboxLag(db), readReceiverLags(db)])
  const names = new Set(receivers.map(({ name }) => name))
  return [
    { receiver: 'outbox', events: outbox.rows, seconds: outbox.oldestMs / 1000 },
    ...lags.filter(({ receiver }) => names.has(receiver)),
  ]
}
