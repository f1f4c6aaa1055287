/** Webhooks, put together: for the notifier, and for the test of one that the API sends. */
import { randomUUID } from 'node:crypto'
import type { TargetPolicy } from '../../domain/address/target-policy.ts'
import type { ServiceEvent } from '../../domain/event/event.ts'
import { WEBHOOK_TESTS } from '../../domain/limits.ts'
import { FairShare } from '../../domain/share/fair-share.ts'
import { messageOf, type Origin } from '../../domain/webhook/message.ts'
import type { Outcome } from '../../domain/webhook/outcome.ts'
import type { WebhookTarget } from '../../domain/webhook/webhook.ts'
import type { NotifyLog } from '../../notify/log.ts'
import { projectKeyOf, WebhookClient } from '../../notify/webhook/client.ts'
import type { LaneStore } from '../../notify/webhook/lane.ts'
import {
  Webhooks,
  WEBHOOKS_RECEIVER,
  type WebhooksParts,
  type WebhookStore,
} from '../../notify/webhook/webhooks.ts'
import type { Config } from '../../runtime/config/config.ts'
import type { Database } from '../../store/connection/database.ts'
import { readEventBounds } from '../../store/event/events.ts'
import { dueAlerts, noteAlerts, noteResent, webhooksWithDueAlerts } from '../../store/event/webhook-alerts.ts'
import { readDue } from '../../store/event/webhook-due.ts'
import {
  boundQueue,
  countWaiting,
  enabledWebhooks,
  noteDelivered,
  noteRefused,
  noteUnreachable,
  queueDeliveries,
  receiverFailures,
  subjectFailures,
  waitingWebhooks,
  webhookVersion,
} from '../../store/event/webhook-queue.ts'
import { webhookPolicyOf } from './target-policy.ts'

export interface WebhookSettings {
  /** Which addresses may be called. */
  readonly policy: TargetPolicy
  readonly origin: Origin
}

export async function webhookSettingsOf(config: Config, databaseUrl: string): Promise<WebhookSettings> {
  const { publicUrl } = config
  return {
    policy: await webhookPolicyOf(config, databaseUrl),
    origin:
      publicUrl === undefined ? { source: 'urn:healthmonitor' } : { source: publicUrl, base: publicUrl },
  }
}

export function makeWebhooks(
  {
    db,
    log,
    webhooks,
  }: {
    readonly db: Database
    readonly log: NotifyLog
    readonly webhooks: WebhookSettings
  },
  parts: Pick<WebhooksParts, 'mayDeliver' | 'countDeliveries'>,
): Webhooks {
  return new Webhooks({
    store: storeOf(db),
    client: new WebhookClient({ policy: webhooks.policy }),
    origin: webhooks.origin,
    log,
    ...parts,
  })
}

function storeOf(db: Database): WebhookStore {
  return {
    version: () => webhookVersion(db),
    enabled: () => enabledWebhooks(db),
    newest: async () => (await readEventBounds(db)).last,
    queue: (deliveries, position) => queueDeliveries(db, deliveries, { name: WEBHOOKS_RECEIVER, position }),
    withWaiting: () => waitingWebhooks(db),
    countWaiting: (id, most) => countWaiting(db, id, most),
    bound: (id, max) => boundQueue(db, id, max),
    withDueAlerts: () => webhooksWithDueAlerts(db),
    lane: (id) => laneStoreOf(db, id),
  }
}

function laneStoreOf(db: Database, webhookId: string): LaneStore {
  return {
    due: (limit) => readDue(db, webhookId, limit),
    delivered: (positions, subjects) => noteDelivered(db, { webhookId, positions, subjects }),
    subjectFailures: (subjects) => subjectFailures(db, webhookId, subjects),
    refused: (error, held) => noteRefused(db, webhookId, error, held),
    unreachable: (error, failures, retryMs) => noteUnreachable(db, webhookId, { error, failures, retryMs }),
    failures: () => receiverFailures(db, webhookId),
    noteAlerts: (alerts) => noteAlerts(db, webhookId, alerts),
    dueAlerts: (limit) => dueAlerts(db, webhookId, limit),
    resent: (alerts) => noteResent(db, webhookId, alerts),
  }
}

/** Sends tests of webhooks for the API; the requests in flight are shared between projects. */
export function testSender({ policy, origin }: WebhookSettings): WebhookTests {
  const client = new WebhookClient({ policy })
  const ending = new AbortController()
  const places = new FairShare(WEBHOOK_TESTS)
  const underWay = new Set<string>()
  return {
    send: async (webhook) => {
      const key = projectKeyOf(webhook)
      if (!places.take(key)) return undefined
      underWay.add(key)
      try {
        const event = testEvent(webhook)
        const message = messageOf(webhook, [event], { origin, nowMs: event.at.getTime() })
        return await client.send(webhook, { ...message, id: `test_${randomUUID()}` }, ending.signal)
      } finally {
        places.give(key)
        if (places.held(key) === 0) underWay.delete(key)
        // Tests are rare: what is kept for the next one would stay for each project that ever sent one.
        client.keepOnly(underWay)
      }
    },
    close: async () => {
      ending.abort()
      await client.close()
    },
  }
}

export interface WebhookTests {
  /** Sends an event of type webhook.test now; undefined = the project has too many tests under way. */
  readonly send: (webhook: WebhookTarget) => Promise<Outcome | undefined>
  close(): Promise<void>
}

function testEvent({ projectId }: WebhookTarget): ServiceEvent {
  const at = new Date()
  return {
    position: at.getTime(),
    type: 'webhook.test',
    at,
    projectId,
    from: null,
    to: null,
    data: { reason: 'TEST', detail: 'a test of this webhook was requested' },
  }
}
