/** Webhooks in tests: rows of them, events for them, and a notifier that delivers. */
import { randomUUID } from 'node:crypto'
import { makeTargetPolicy } from '../../src/domain/address/target-policy.ts'
import type { WebhookFilter, WebhookFormat } from '../../src/domain/webhook/webhook.ts'
import { type RunningNotifier, startNotifier } from '../../src/bin/process/notifier.ts'
import { createMetrics, type Metrics } from '../../src/runtime/metrics/metrics.ts'
import { type Db, query, transaction } from '../../src/store/connection/database.ts'
import { insertWebhook } from '../../src/store/event/webhooks.ts'
import { eventually, PROJECT } from './configuration.ts'
import type { TestDatabase } from './database.ts'
import { keepingLog } from './prober.ts'

export interface WebhookOptions {
  readonly url: string
  readonly secret: string
  readonly projectId?: string | null
  readonly format?: WebhookFormat
  readonly filter?: WebhookFilter
}

/** Makes a webhook that gets what comes now; returns its id. */
export async function aWebhook(
  { db }: Pick<TestDatabase, 'db'>,
  { url, secret, projectId = PROJECT, format = 'cloudevents', filter = {} }: WebhookOptions,
): Promise<string> {
  const id = randomUUID()
  await transaction(db, (tx) =>
    insertWebhook(tx, { id, projectId, name: '', url, format, filter, secrets: [secret], enabled: true }),
  )
  return id
}

/** Publishes `rounds` changes of each member, round by round; `n` of an event's data counts from `from`. */
export async function tellOf(
  db: Db,
  members: readonly string[],
  {
    rounds = 1,
    from = 0,
    to = 'OFFLINE',
    projectId = PROJECT,
  }: {
    readonly rounds?: number
    readonly from?: number
    readonly to?: string
    readonly projectId?: string
  } = {},
): Promise<void> {
  await query(
    db,
    `insert into event_outbox (type, project_id, member_id, from_status, to_status, data)
     select 'member.status', $1, m.id, 'ONLINE', $2, jsonb_build_object('n', $3 + r.n)
     from generate_series(0, $4 - 1) r (n) cross join unnest($5::uuid[]) with ordinality m (id, place)
     order by r.n, m.place`,
    [projectId, to, from, rounds, members],
  )
}

export function memberIds(count: number): readonly string[] {
  return Array.from({ length: count }, () => randomUUID())
}

export interface TestNotifier extends RunningNotifier {
  readonly metrics: Metrics
  readonly log: ReturnType<typeof keepingLog>
}

/** A notifier that delivers, also to loopback; it is closed before the database goes. */
export async function aNotifier(database: TestDatabase): Promise<TestNotifier> {
  const metrics = createMetrics('notifier-test')
  const log = keepingLog()
  const policy = makeTargetPolicy({
    allow: [],
    deny: [],
    loopbackAllowed: true,
    ownListeners: [],
    localAddresses: [],
  })
  const running = startNotifier({
    databaseUrl: database.url,
    db: database.db,
    log,
    metrics,
    webhooks: { policy, origin: { source: 'urn:test', base: 'https://hm.example' } },
  })
  database.beforeDrop(() => running.close())
  await eventually('a notifier that delivers', () => running.isActive)
  await eventually('its receivers', async () => {
    const rows = await query(database.db, `select from delivery where receiver = 'webhooks'`)
    return rows.length === 1
  })
  return {
    get isActive() {
      return running.isActive
    },
    close: () => running.close(),
    metrics,
    log,
  }
}
