/** Alerts that were sent to a webhook of format alertmanager and are not resolved: they are sent again in intervals. */
import type { ServiceEvent } from '../../domain/event/event.ts'
import { ALERT_RESEND_MS } from '../../domain/limits.ts'
import { type Db, query } from '../connection/database.ts'
import { type EventRow, toEvent } from './events.ts'
import { LOCKED_WEBHOOK } from './webhook-queue.ts'

/** Stores what was sent to a webhook: alerts that fire, by the position of their event, and resolved subjects. */
export async function noteAlerts(
  db: Db,
  webhookId: string,
  {
    firing,
    resolved,
  }: {
    readonly firing: readonly { readonly subject: string; readonly position: number }[]
    readonly resolved: readonly string[]
  },
): Promise<void> {
  await query(
    db,
    `with ended as (
       delete from webhook_alert where webhook_id = $1 and subject = any($2::text[])
     )
     insert into webhook_alert (webhook_id, subject, event, sent_at)
     select w.id, f.subject, to_jsonb(e), clock_timestamp()
     from unnest($3::text[], $4::bigint[]) f (subject, position)
     join event e on e.position = f.position join ${LOCKED_WEBHOOK} on true
     on conflict (webhook_id, subject) do update set event = excluded.event, sent_at = excluded.sent_at`,
    [webhookId, resolved, firing.map(({ subject }) => subject), firing.map(({ position }) => position)],
  )
}

export interface OpenAlert {
  readonly subject: string
  readonly event: ServiceEvent
  /** Its object was deleted, so no event will end the alert. */
  readonly isGone: boolean
}

/**
 * SQL: the alert `a` is to be sent again: $1 milliseconds have passed, and neither its webhook nor its subject waits after a
 * failure.
 */
const IS_DUE = `a.sent_at < clock_timestamp() - $1 * interval '1 ms'
  and not exists (
    select from webhook_state s where s.webhook_id = a.webhook_id and s.retry_at > clock_timestamp()
  )
  and not exists (
    select from webhook_hold h
    where h.webhook_id = a.webhook_id and h.subject = a.subject and h.retry_at > clock_timestamp()
  )`

/** Webhooks with alerts that are to be sent again. */
export async function webhooksWithDueAlerts(db: Db): Promise<readonly string[]> {
  const rows = await query<{ id: string }>(
    db,
    `select distinct webhook_id as id from webhook_alert a join webhook w on w.id = a.webhook_id and w.enabled
     where ${IS_DUE}`,
    [ALERT_RESEND_MS],
  )
  return rows.map(({ id }) => id)
}

/** At most `limit` alerts of a webhook that are to be sent again, the oldest first. */
export async function dueAlerts(db: Db, webhookId: string, limit: number): Promise<readonly OpenAlert[]> {
  const rows = await query<{
    subject: string
    event: Omit<EventRow, 'at'> & { at: string }
    is_gone: boolean
  }>(
    db,
    `select a.subject, a.event, case
       when a.event->>'member_id' is not null
         then not exists (select from member where id = (a.event->>'member_id')::uuid)
       when a.event->>'pool_id' is not null
         then not exists (select from pool where id = (a.event->>'pool_id')::uuid)
       else not exists (select from load_balancer where id = (a.event->>'load_balancer_id')::uuid)
     end as is_gone
     from (
       select * from webhook_alert a where a.webhook_id = $2 and ${IS_DUE} order by a.sent_at limit $3
     ) a order by a.sent_at`,
    [ALERT_RESEND_MS, webhookId, limit],
  )
  return rows.map((row) => ({ subject: row.subject, event: toEvent(row.event), isGone: row.is_gone }))
}

/** Stores that the receiver accepted these again; alerts of deleted objects are removed. */
export async function noteResent(db: Db, webhookId: string, alerts: readonly OpenAlert[]): Promise<void> {
  await query(
    db,
    `with ended as (delete from webhook_alert where webhook_id = $1 and subject = any($2::text[])),
       freed as (delete from webhook_hold where webhook_id = $1 and subject = any($2::text[] || $3::text[])),
       sent as (
         update webhook_alert set sent_at = clock_timestamp() where webhook_id = $1 and subject = any($3::text[])
       )
     insert into webhook_state (webhook_id, last_success_at) select id, clock_timestamp() from ${LOCKED_WEBHOOK}
     on conflict (webhook_id) do update set last_success_at = excluded.last_success_at, failures = 0, retry_at = null`,
    [
      webhookId,
      alerts.filter(({ isGone }) => isGone).map(({ subject }) => subject),
      alerts.filter(({ isGone }) => !isGone).map(({ subject }) => subject),
    ],
  )
}
