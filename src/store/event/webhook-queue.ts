/** Statements of the notifier on webhooks: their queues, and the results of deliveries. */
import { WEBHOOK_GIVE_UP_HOURS } from '../../domain/limits.ts'
import {
  eventFilterOf,
  type EnabledWebhook,
  type WebhookFilter,
  type WebhookFormat,
} from '../../domain/webhook/webhook.ts'
import { type Database, type Db, query, transaction } from '../connection/database.ts'
import { giveUpExcess, giveUpOld } from './webhook-dead-letters.ts'
import { freed } from './webhook-due.ts'

/** SQL: the webhook $1, if it still exists. The lock prevents that it is deleted before this transaction commits. */
export const LOCKED_WEBHOOK = '(select id from webhook where id = $1 for key share) w'

/** Changes with every change of a webhook. */
export async function webhookVersion(db: Db): Promise<number> {
  const [row] = await query<{ version: number }>(db, 'select version from webhook_version')
  return row?.version ?? 0
}

/** Every webhook that is enabled. */
export async function enabledWebhooks(db: Db): Promise<readonly EnabledWebhook[]> {
  const rows = await query<{
    id: string
    project_id: string | null
    url: string
    format: WebhookFormat
    filter: WebhookFilter
    secrets: readonly string[]
    after_position: number
  }>(db, 'select id, project_id, url, format, filter, secrets, after_position from webhook where enabled')
  return rows.map((row) => ({
    id: row.id,
    projectId: row.project_id,
    url: row.url,
    format: row.format,
    secrets: row.secrets,
    filter: eventFilterOf(row.project_id, row.filter),
    afterPosition: row.after_position,
  }))
}

export interface Queued {
  readonly webhookId: string
  readonly position: number
  readonly subject: string
}

/** Queues deliveries and moves the position of the receiver, in one statement: both happen or neither. */
export async function queueDeliveries(
  db: Db,
  deliveries: readonly Queued[],
  receiver: { readonly name: string; readonly position: number },
): Promise<void> {
  await query(
    db,
    `with queued as (
       insert into webhook_delivery (webhook_id, position, subject)
       select q.webhook_id, q.position, q.subject
       from unnest($1::uuid[], $2::bigint[], $3::text[]) q (webhook_id, position, subject)
       join (select id from webhook where id = any($1::uuid[]) and enabled order by id for key share) w on w.id = q.webhook_id
       on conflict do nothing
     ) update delivery set position = $5 where receiver = $4 and position < $5`,
    [
      deliveries.map(({ webhookId }) => webhookId),
      deliveries.map(({ position }) => position),
      deliveries.map(({ subject }) => subject),
      receiver.name,
      receiver.position,
    ],
  )
}

/** The webhooks for which something waits. It looks at one row of each queue. */
export async function waitingWebhooks(db: Db): Promise<readonly string[]> {
  const rows = await query<{ id: string }>(
    db,
    `select w.id from webhook w
     where w.enabled and exists (select from webhook_delivery d where d.webhook_id = w.id)`,
  )
  return rows.map(({ id }) => id)
}

/** How many events wait for a webhook; it counts at most `most`. */
export async function countWaiting(db: Db, webhookId: string, most: number): Promise<number> {
  const [row] = await query<{ n: number }>(
    db,
    'select count(*) as n from (select from webhook_delivery where webhook_id = $1 limit $2) d',
    [webhookId, most],
  )
  return row?.n ?? 0
}

export interface Delivered {
  readonly webhookId: string
  readonly positions: readonly number[]
  readonly subjects: readonly string[]
}

/** Stores that the receiver accepted these. */
export async function noteDelivered(db: Db, { webhookId, positions, subjects }: Delivered): Promise<void> {
  await query(
    db,
    `with done as (delete from webhook_delivery where webhook_id = $1 and position = any($2::bigint[])),
       freed as (${freed('$3::text[]')})
     insert into webhook_state (webhook_id, last_success_at) select id, clock_timestamp() from ${LOCKED_WEBHOOK}
     on conflict (webhook_id) do update set last_success_at = excluded.last_success_at, failures = 0, retry_at = null`,
    [webhookId, positions, subjects],
  )
}

/** Failures in a row of some subjects of a webhook; those that have none are left out. */
export async function subjectFailures(
  db: Db,
  webhookId: string,
  subjects: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await query<{ subject: string; failures: number }>(
    db,
    'select subject, failures from webhook_hold where webhook_id = $1 and subject = any($2::text[])',
    [webhookId, subjects],
  )
  return new Map(rows.map(({ subject, failures }) => [subject, failures]))
}

export interface Held {
  readonly subject: string
  readonly failures: number
  readonly retryMs: number
}

/** Stores that the receiver refused events of these subjects. Gives up those that are too old; returns how many. */
export async function noteRefused(
  db: Database,
  webhookId: string,
  error: string,
  held: readonly Held[],
): Promise<number> {
  return await transaction(db, async (tx) => {
    await query(
      tx,
      `with noted as (
         insert into webhook_state (webhook_id, last_error, last_error_at)
         select id, $2, clock_timestamp() from ${LOCKED_WEBHOOK}
         on conflict (webhook_id)
         do update set last_error = excluded.last_error, last_error_at = excluded.last_error_at
       )
       insert into webhook_hold (webhook_id, subject, failures, retry_at)
       select w.id, h.subject, h.failures, clock_timestamp() + h.ms * interval '1 ms'
       from unnest($3::text[], $4::integer[], $5::float8[]) h (subject, failures, ms) join ${LOCKED_WEBHOOK} on true
       on conflict (webhook_id, subject)
       do update set failures = excluded.failures, retry_at = excluded.retry_at, idle = false`,
      [
        webhookId,
        error,
        held.map(({ subject }) => subject),
        held.map(({ failures }) => failures),
        held.map(({ retryMs }) => retryMs),
      ],
    )
    const subjects = held.map(({ subject }) => subject)
    return await giveUpOld(tx, { webhookId, reason: error, hours: WEBHOOK_GIVE_UP_HOURS, subjects })
  })
}

/** Failures in a row of the receiver as a whole. */
export async function receiverFailures(db: Db, webhookId: string): Promise<number> {
  const [row] = await query<{ failures: number }>(
    db,
    'select failures from webhook_state where webhook_id = $1',
    [webhookId],
  )
  return row?.failures ?? 0
}

/** Stores that the receiver is unreachable or overloaded. Gives up deliveries that are too old; returns how many. */
export async function noteUnreachable(
  db: Database,
  webhookId: string,
  {
    error,
    failures,
    retryMs,
  }: { readonly error: string; readonly failures: number; readonly retryMs: number },
): Promise<number> {
  return await transaction(db, async (tx) => {
    await query(
      tx,
      `insert into webhook_state (webhook_id, last_error, last_error_at, failures, retry_at)
       select id, $2, clock_timestamp(), $3, clock_timestamp() + $4::float8 * interval '1 ms' from ${LOCKED_WEBHOOK}
       on conflict (webhook_id) do update set last_error = excluded.last_error,
         last_error_at = excluded.last_error_at, failures = excluded.failures, retry_at = excluded.retry_at`,
      [webhookId, error, failures, retryMs],
    )
    return await giveUpOld(tx, { webhookId, reason: error, hours: WEBHOOK_GIVE_UP_HOURS })
  })
}

/** Keeps at most `max` deliveries of a webhook; the oldest ones beyond it become dead letters. Returns their number. */
export async function boundQueue(db: Database, webhookId: string, max: number): Promise<number> {
  const reason = `more than ${max} events waited`
  return await transaction(db, async (tx) => {
    await query(tx, `select from ${LOCKED_WEBHOOK}`, [webhookId])
    return await giveUpExcess(tx, { webhookId, max, reason })
  })
}

export interface WebhookLag {
  /** Seconds since the oldest event that waits for any webhook was queued. */
  readonly seconds: number
  /** Webhooks for which something has waited for longer than a minute. */
  readonly behind: number
  readonly deadLetters: number
}

export async function readWebhookLag(db: Db): Promise<WebhookLag> {
  const [row] = await query<{ seconds: number; behind: number; dead_letters: number }>(
    db,
    `select coalesce(max(lag.seconds), 0)::float8 as seconds, count(*) filter (where lag.seconds > 60) as behind,
       (select count(*) from webhook_dead_letter) as dead_letters
     from webhook w cross join lateral (
       select extract(epoch from clock_timestamp() - d.queued_at) as seconds
       from webhook_delivery d where d.webhook_id = w.id order by d.position limit 1
     ) lag where w.enabled`,
  )
  return {
    seconds: Math.max(0, row?.seconds ?? 0),
    behind: row?.behind ?? 0,
    deadLetters: row?.dead_letters ?? 0,
  }
}
