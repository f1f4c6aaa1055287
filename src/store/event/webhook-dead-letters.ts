/** Dead letters: deliveries that were given up. They contain a copy of their event, which may be deleted. */
import type { ServiceEvent } from '../../domain/event/event.ts'
import { DEAD_LETTERS_MAX } from '../../domain/limits.ts'
import { type Db, query, type Tx } from '../connection/database.ts'
import { WEBHOOKS_CHANNEL } from './event-channels.ts'
import { type EventRow, toEvent } from './events.ts'
import { freed } from './webhook-due.ts'

export interface DeadLetter {
  readonly id: number
  readonly at: Date
  readonly reason: string
  readonly event: ServiceEvent
}

type StoredEvent = Omit<EventRow, 'at'> & { at: string }

/** Of one webhook, newest first, before an id. */
export async function listDeadLetters(
  db: Db,
  webhookId: string,
  { before, limit }: { readonly before: number | undefined; readonly limit: number },
): Promise<readonly DeadLetter[]> {
  const rows = await query<{ id: number; at: Date; reason: string; event: StoredEvent }>(
    db,
    `select id, at, reason, event from webhook_dead_letter
     where webhook_id = $1 and ($2::bigint is null or id < $2) order by id desc limit $3`,
    [webhookId, before ?? null, limit],
  )
  return rows.map(({ event, ...row }) => ({ ...row, event: toEvent(event) }))
}

/** Puts a dead letter back into the queue of its webhook. Returns whether it existed. */
export async function resendDeadLetter(tx: Tx, webhookId: string, id: number): Promise<boolean> {
  const rows = await query(
    tx,
    `with back as (
       delete from webhook_dead_letter where webhook_id = $1 and id = $2 returning *
     ), queued as (
       insert into webhook_delivery (webhook_id, position, subject, event)
       select webhook_id, position, subject, event from back on conflict do nothing
     ), freed as (
       ${freed('array(select back.subject from back)')}
     ), told as (select pg_notify('${WEBHOOKS_CHANNEL}', '') from back)
     select from told`,
    [webhookId, id],
  )
  return rows.length > 0
}

/** Whose deliveries are given up: all of a webhook, or those of some subjects. */
export interface GivenUp {
  readonly webhookId: string
  readonly reason: string
  /** Only deliveries that are in the queue for so long. */
  readonly hours: number
  /** Absent = all. */
  readonly subjects?: readonly string[]
}

const LETTERS = `
  insert into webhook_dead_letter (webhook_id, position, subject, event, reason)
  select g.webhook_id, g.position, g.subject, coalesce(g.event, to_jsonb(e)), $2
  from gone g left join event e on e.position = g.position
  where g.event is not null or e.position is not null
  order by g.position
  on conflict (webhook_id, position) do update set reason = excluded.reason, at = excluded.at
  returning 1`

/** Makes dead letters of deliveries that were queued too long ago; returns how many. */
export async function giveUpOld(tx: Tx, { webhookId, reason, hours, subjects }: GivenUp): Promise<number> {
  const [row] = await query<{ n: number }>(
    tx,
    `with gone as (
       delete from webhook_delivery
       where webhook_id = $1 and queued_at < now() - $3 * interval '1 hour' and ($4::text[] is null or subject = any($4))
       returning *
     ), made as (${LETTERS}) select count(*) as n from made`,
    [webhookId, reason, hours, subjects ?? null],
  )
  return await countedAndTrimmed(tx, webhookId, row?.n ?? 0)
}

/** Makes dead letters of the oldest deliveries of a webhook beyond `max`; returns how many. */
export async function giveUpExcess(
  tx: Tx,
  { webhookId, max, reason }: { readonly webhookId: string; readonly max: number; readonly reason: string },
): Promise<number> {
  const [row] = await query<{ n: number }>(
    tx,
    `with gone as (
       delete from webhook_delivery where webhook_id = $1 and position <= (
         select position from webhook_delivery where webhook_id = $1 order by position desc offset $3 limit 1
       ) returning *
     ), made as (${LETTERS}) select count(*) as n from made`,
    [webhookId, reason, max],
  )
  return await countedAndTrimmed(tx, webhookId, row?.n ?? 0)
}

/** Keeps the newest dead letters, and counts those that it deletes. */
async function countedAndTrimmed(tx: Tx, webhookId: string, made: number): Promise<number> {
  if (made === 0) return 0
  await query(
    tx,
    `with dropped as (
       delete from webhook_dead_letter where webhook_id = $1 and id <= (
         select id from webhook_dead_letter where webhook_id = $1 order by id desc offset $2 limit 1
       ) returning 1
     )
     insert into webhook_state (webhook_id, dead_letters_dropped)
     select w.id, (select count(*) from dropped) from webhook w where w.id = $1 and exists (select from dropped)
     on conflict (webhook_id)
     do update set dead_letters_dropped = webhook_state.dead_letters_dropped + excluded.dead_letters_dropped`,
    [webhookId, DEAD_LETTERS_MAX],
  )
  return made
}
