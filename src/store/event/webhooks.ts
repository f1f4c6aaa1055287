/** Statements of the API on webhooks. */
import { WEBHOOK_COUNTED_MAX, WEBHOOK_PAGE } from '../../domain/limits.ts'
import type { Webhook, WebhookFilter, WebhookFormat } from '../../domain/webhook/webhook.ts'
import { type AgedObjects, findAged, listAged, lockAged } from '../configuration/oldest-first.ts'
import { type Db, query, type Tx } from '../connection/database.ts'

interface WebhookRow {
  id: string
  project_id: string | null
  name: string
  url: string
  format: WebhookFormat
  filter: WebhookFilter
  secrets: readonly string[]
  enabled: boolean
  created_at: Date
  updated_at: Date
}

/** The state of its deliveries. */
export interface WebhookHealth {
  readonly lastSuccessAt: Date | null
  readonly lastError: string | null
  readonly lastErrorAt: Date | null
  /** Failures in a row of the receiver as a whole. */
  readonly failures: number
  readonly retryAt: Date | null
  /** Events that wait, counted up to one more than WEBHOOK_COUNTED_MAX; seconds since the oldest of them was queued. */
  readonly waiting: number
  readonly waitingSeconds: number
  /** Counted up to one more than WEBHOOK_COUNTED_MAX. */
  readonly deadLetters: number
  readonly deadLettersDropped: number
}

export interface WebhookRecord extends Webhook {
  readonly health: WebhookHealth
}

interface HealthRow {
  last_success_at: Date | null
  last_error: string | null
  last_error_at: Date | null
  failures: number | null
  retry_at: Date | null
  waiting: number
  waiting_seconds: number
  dead_letters: number
  dead_letters_dropped: number | null
}

/** SQL: rows of the webhook `w` in a table. The limit bounds the cost of a page of webhooks. */
const countedOf = (table: string): string => `(
  select count(*) from (select from ${table} where webhook_id = w.id limit ${WEBHOOK_COUNTED_MAX + 1}) counted
)`

const WEBHOOKS: AgedObjects = {
  select: `
    select w.*, s.last_success_at, s.last_error, s.last_error_at, s.failures, s.retry_at, s.dead_letters_dropped,
      ${countedOf('webhook_delivery')} as waiting,
      coalesce((select extract(epoch from clock_timestamp() - d.queued_at)
        from webhook_delivery d where d.webhook_id = w.id order by d.position limit 1), 0)::float8 as waiting_seconds,
      ${countedOf('webhook_dead_letter')} as dead_letters
    from webhook w left join webhook_state s on s.webhook_id = w.id`,
  table: 'webhook',
  alias: 'w',
  pageSize: WEBHOOK_PAGE,
}

function toRecord(row: WebhookRow & HealthRow): WebhookRecord {
  return {
    id: row.id,
    projectId: row.project_id,
    name: row.name,
    url: row.url,
    format: row.format,
    filter: row.filter,
    secrets: row.secrets,
    enabled: row.enabled,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    health: {
      lastSuccessAt: row.last_success_at,
      lastError: row.last_error,
      lastErrorAt: row.last_error_at,
      failures: row.failures ?? 0,
      retryAt: row.retry_at,
      waiting: row.waiting,
      waitingSeconds: Math.max(0, row.waiting_seconds),
      deadLetters: row.dead_letters,
      deadLettersDropped: row.dead_letters_dropped ?? 0,
    },
  }
}

/**
 * Of a project; undefined = of all, and those of administrators. Oldest first, behind `marker`. Undefined: there is no
 * such marker.
 */
export async function listWebhooks(
  db: Db,
  projectId: string | undefined,
  marker: string | undefined,
): Promise<readonly WebhookRecord[] | undefined> {
  return (await listAged<WebhookRow & HealthRow>(db, WEBHOOKS, projectId, marker))?.map(toRecord)
}

/** A webhook by its id; of one project only where one is given. */
export async function findWebhook(
  db: Db,
  id: string,
  projectId: string | undefined,
): Promise<WebhookRecord | undefined> {
  const row = await findAged<WebhookRow & HealthRow>(db, WEBHOOKS, id, projectId)
  return row && toRecord(row)
}

/** As `findWebhook`, with a lock until commit. */
export async function lockWebhook(
  tx: Tx,
  id: string,
  projectId: string | undefined,
): Promise<WebhookRecord | undefined> {
  const row = await lockAged<WebhookRow & HealthRow>(tx, WEBHOOKS, id, projectId)
  return row && toRecord(row)
}

/** How many webhooks a project has; a lock prevents others from creating one until commit. */
export async function countWebhooksLocked(tx: Tx, projectId: string | null): Promise<number> {
  await query(tx, 'select from webhook_version for update')
  const [row] = await query<{ n: number }>(
    tx,
    'select count(*) as n from webhook where project_id is not distinct from $1',
    [projectId],
  )
  return row?.n ?? 0
}

export type WebhookFields = Pick<
  Webhook,
  'id' | 'projectId' | 'name' | 'url' | 'format' | 'filter' | 'secrets' | 'enabled'
>

/** The position of the newest event. */
const NEWEST =
  'greatest((select coalesce(max(position), 0) from event), (select purged_to from event_retention))'

/** Creates a webhook; it gets the events after the present one. */
export async function insertWebhook(tx: Tx, webhook: WebhookFields): Promise<void> {
  await query(
    tx,
    `insert into webhook (id, project_id, name, url, format, filter, secrets, enabled, after_position)
     values ($1, $2, $3, $4, $5, $6, $7, $8, ${NEWEST})`,
    bindingsOf(webhook),
  )
}

/**
 * Writes all fields. Deliveries that were held back because of failures are tried again now. Disabling a webhook
 * empties its queue; it does not get the events that happen until it is enabled.
 */
export async function updateWebhook(tx: Tx, webhook: WebhookFields): Promise<void> {
  await query(
    tx,
    `with forgotten as (delete from webhook_delivery where webhook_id = $1 and not $8),
       freed as (delete from webhook_hold where webhook_id = $1),
       soon as (update webhook_state set retry_at = null, failures = 0 where webhook_id = $1),
       quiet as (delete from webhook_alert where webhook_id = $1 and (not $8 or $5 <> 'alertmanager'))
     update webhook set project_id = $2, name = $3, url = $4, format = $5, filter = $6, secrets = $7, enabled = $8,
       after_position = case when $8 and not enabled then ${NEWEST} else after_position end, updated_at = now()
     where id = $1`,
    bindingsOf(webhook),
  )
}

function bindingsOf({
  id,
  projectId,
  name,
  url,
  format,
  filter,
  secrets,
  enabled,
}: WebhookFields): unknown[] {
  return [id, projectId, name, url, format, JSON.stringify(filter), secrets, enabled]
}

/** Deletes a webhook and its queue. */
export async function deleteWebhook(tx: Tx, id: string): Promise<void> {
  await query(tx, 'delete from webhook where id = $1', [id])
}
