/** Alerts that were sent to a webhook of format alertmanager and are not resolved: they are sent again in intervals. */
import type { ServiceEvent } from '../../domain/event/event.ts'
import { ALERT_RESEND_MS } from '../../domain/limits.ts'
import { FIRING } from '../../domain/webhook/alert.ts'
import { type Db, query } from '../connection/database.ts'
import { type EventRow, toEvent } from './events.ts'
import { freed } from './webhook-due.ts'
import { LOCKED_WEBHOOK } from './webhook-queue.ts'

/** An event of a subject that was sent. */
interface Told {
  readonly subject: string
  readonly position: number
}

/**
 * SQL: the status of which the last event of the object of `event` tells, a row of the table event as JSON; null = none.
 * A member has its last transition, and a pool and a load balancer their roll-up: each change of them writes an event.
 */
const presentStatus = (event: string): string => `case ${event}->>'type'
  when 'member.status' then (
    select t.to_state from member_transition t where t.member_id = (${event}->>'member_id')::uuid
    order by t.epoch desc, t.sequence desc limit 1
  )
  when 'pool.status' then (
    select r.operating_status from pool_roll_up r where r.pool_id = (${event}->>'pool_id')::uuid
  )
  when 'loadbalancer.status' then (
    select r.operating_status from load_balancer_roll_up r
    where r.load_balancer_id = (${event}->>'load_balancer_id')::uuid
  )
end`

const IS_NEWER = `(a.event->>'position')::bigint > t.position`

/**
 * Stores what was sent to a webhook: alerts that fire, by the position of their event, and their ends. A dead letter that
 * is sent again may be older than what was sent before. Then the newer alert stays, or the alert that the letter started
 * is over already: it is due at once, so that the receiver gets the present status.
 */
export async function noteAlerts(
  db: Db,
  webhookId: string,
  { firing, resolved }: { readonly firing: readonly Told[]; readonly resolved: readonly Told[] },
): Promise<void> {
  await query(
    db,
    `with ended as (
       delete from webhook_alert a using unnest($2::text[], $3::bigint[]) t (subject, position)
       where a.webhook_id = $1 and a.subject = t.subject and not ${IS_NEWER}
     ), contradicted as (
       update webhook_alert a set sent_at = '-infinity' from unnest($2::text[], $3::bigint[]) t (subject, position)
       where a.webhook_id = $1 and a.subject = t.subject and ${IS_NEWER}
     ), fired as (
       select w.id, f.subject, coalesce(d.event, to_jsonb(e)) as event
       from unnest($4::text[], $5::bigint[]) f (subject, position)
       left join event e on e.position = f.position
       left join webhook_delivery d on d.webhook_id = $1 and d.position = f.position
       join ${LOCKED_WEBHOOK} on true
     )
     insert into webhook_alert as a (webhook_id, subject, event, sent_at)
     select id, subject, event,
       case when ${presentStatus('event')} <> all ($6::text[]) then '-infinity' else clock_timestamp() end
     from fired where event is not null
     on conflict (webhook_id, subject) do update set
       event = case when (a.event->>'position')::bigint > (excluded.event->>'position')::bigint then a.event
         else excluded.event end,
       sent_at = case when (a.event->>'position')::bigint > (excluded.event->>'position')::bigint then '-infinity'
         else excluded.sent_at end`,
    [
      webhookId,
      resolved.map(({ subject }) => subject),
      resolved.map(({ position }) => position),
      firing.map(({ subject }) => subject),
      firing.map(({ position }) => position),
      [...FIRING],
    ],
  )
}

export interface OpenAlert {
  readonly subject: string
  readonly event: ServiceEvent
  /**
   * The status that ends the alert, as no event will do: its object was deleted, or is well again and the delivery that
   * told so was given up, or is to come. Undefined: it still fires.
   */
  readonly endsWith: string | undefined
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
    status: string | null
  }>(
    db,
    `select a.subject, a.event, case
       when a.event->>'member_id' is not null
         then not exists (select from member where id = (a.event->>'member_id')::uuid)
       when a.event->>'pool_id' is not null
         then not exists (select from pool where id = (a.event->>'pool_id')::uuid)
       else not exists (select from load_balancer where id = (a.event->>'load_balancer_id')::uuid)
     end as is_gone, ${presentStatus('a.event')} as status
     from (
       select * from webhook_alert a where a.webhook_id = $2 and ${IS_DUE} order by a.sent_at limit $3
     ) a order by a.sent_at`,
    [ALERT_RESEND_MS, webhookId, limit],
  )
  return rows.map(({ subject, event, is_gone: isGone, status }) => ({
    subject,
    event: toEvent(event),
    endsWith: isGone ? 'NO_MONITOR' : status === null || FIRING.has(status) ? undefined : status,
  }))
}

/** Stores that the receiver accepted these again; alerts that ended are removed. */
export async function noteResent(db: Db, webhookId: string, alerts: readonly OpenAlert[]): Promise<void> {
  await query(
    db,
    `with ended as (delete from webhook_alert where webhook_id = $1 and subject = any($2::text[])),
       freed as (${freed('$2::text[] || $3::text[]')}),
       sent as (
         update webhook_alert set sent_at = clock_timestamp() where webhook_id = $1 and subject = any($3::text[])
       )
     insert into webhook_state (webhook_id, last_success_at) select id, clock_timestamp() from ${LOCKED_WEBHOOK}
     on conflict (webhook_id) do update set last_success_at = excluded.last_success_at, failures = 0, retry_at = null`,
    [
      webhookId,
      alerts.filter(({ endsWith }) => endsWith !== undefined).map(({ subject }) => subject),
      alerts.filter(({ endsWith }) => endsWith === undefined).map(({ subject }) => subject),
    ],
  )
}
