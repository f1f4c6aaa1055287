/**
 * What is due of a webhook. A look costs as much as it finds, however much is held back: a delivery whose subject has a
 * row in `webhook_hold` is marked by the look that finds it first, and from then on read by its subject, when that may
 * be tried again.
 */
import type { ServiceEvent } from '../../domain/event/event.ts'
import { type Db, query } from '../connection/database.ts'
import { type EventRow, toEvent } from './events.ts'

/** SQL: lets these subjects of webhook $1 be tried at once. Their holds stay while something of them waits. */
export function freed(subjects: string): string {
  return `update webhook_hold set failures = 0, idle = false, retry_at = clock_timestamp()
          where webhook_id = $1 and subject = any(${subjects})`
}

export interface Delivery {
  readonly subject: string
  readonly event: ServiceEvent
}

/** What is due of a webhook. */
export interface Due {
  /** The oldest whose subjects are not held back, in the order of their positions; empty while none is due. */
  readonly deliveries: readonly Delivery[]
  /** Milliseconds until more can be due; undefined = nothing waits. */
  readonly nextInMs: number | undefined
}

/** One by one, by its index: a merge would read the events of all projects. */
const WITH_EVENT = `webhook_delivery d
  left join lateral (select e.* from event e where e.position = d.position limit 1) e on true`
const HAS_EVENT = '(d.event is not null or e.position is not null)'
const EVENT = 'coalesce(d.event, to_jsonb(e)) as event'

/** It locks the holds whose deliveries it marks: a hold is removed before, or its removal unmarks them. */
const DUE = `
with fresh as materialized (
  select d.position, d.subject, ${EVENT} from ${WITH_EVENT}
  where d.webhook_id = $1 and not d.held and ${HAS_EVENT}
  order by d.position limit $2
), holding as materialized (
  select h.subject from webhook_hold h
  where h.webhook_id = $1 and h.subject in (select f.subject from fresh f) order by h.subject for key share
), marked as (
  update webhook_delivery d set held = true from fresh f join holding h on h.subject = f.subject
  where d.webhook_id = $1 and d.position = f.position
  returning 1
), waiting as (
  update webhook_hold h set idle = false from holding
  where h.webhook_id = $1 and h.subject = holding.subject and h.idle
), again as materialized (
  select d.* from (
    select h.subject from webhook_hold h
    where h.webhook_id = $1 and not h.idle and h.retry_at <= statement_timestamp()
    order by h.retry_at limit $2
  ) h cross join lateral (
    select d.position, d.subject, ${EVENT} from ${WITH_EVENT}
    where d.webhook_id = $1 and d.subject = h.subject and ${HAS_EVENT}
    order by d.position limit $2
  ) d limit $2
)
select due.subject, due.event, (select count(*) from marked) as marked
from (select) one left join (
  select * from again
  union all
  select * from fresh f where f.subject not in (select h.subject from holding h)
  order by position limit $2
) due on true
order by due.position`

interface DueRow {
  /** Null: nothing is due. */
  readonly subject: string | null
  readonly event: Omit<EventRow, 'at'> & { at: string }
  readonly marked: number
}

export async function readDue(db: Db, webhookId: string, limit: number): Promise<Due> {
  const [state] = await query<{ wait_ms: number }>(
    db,
    `select greatest(0, extract(epoch from retry_at - clock_timestamp()) * 1000)::float8 as wait_ms
     from webhook_state where webhook_id = $1 and retry_at > clock_timestamp()`,
    [webhookId],
  )
  if (state !== undefined) return { deliveries: [], nextInMs: state.wait_ms }
  const rows = await query<DueRow>(db, DUE, [webhookId, limit])
  const deliveries = rows.flatMap(({ subject, event }) =>
    subject === null ? [] : [{ subject, event: toEvent(event) }],
  )
  // Behind as many as were looked at there may be more.
  const goesOn = deliveries.length > 0 || rows.some(({ marked }) => marked >= limit)
  return { deliveries, nextInMs: goesOn ? 0 : await nextTryMs(db, webhookId, limit) }
}

/**
 * When everything is held back; undefined = nothing waits. Holds that are over and of which nothing waits are removed,
 * or become idle where an alert is sent again, which then counts its failures on.
 */
async function nextTryMs(db: Db, webhookId: string, limit: number): Promise<number | undefined> {
  const [next] = await query<{ ms: number | null }>(
    db,
    `with over as materialized (
       select h.subject, h.failures > 0 and exists (
         select from webhook_alert a where a.webhook_id = $1 and a.subject = h.subject
       ) as is_kept, exists (
         select from (
           select from ${WITH_EVENT} where d.webhook_id = $1 and d.subject = h.subject and ${HAS_EVENT} limit 1
         ) first_one
       ) as waits
       from webhook_hold h
       where h.webhook_id = $1 and not h.idle and h.retry_at <= statement_timestamp() order by h.retry_at limit $2
     ), removed as (
       delete from webhook_hold h using over
       where h.webhook_id = $1 and h.subject = over.subject and not over.waits and not over.is_kept
     ), idle as (
       update webhook_hold h set idle = true from over
       where h.webhook_id = $1 and h.subject = over.subject and not over.waits and over.is_kept
     )
     select (extract(epoch from h.retry_at - clock_timestamp()) * 1000)::float8 as ms from webhook_hold h
     where h.webhook_id = $1 and not h.idle
       and h.subject not in (select over.subject from over where not over.waits)
     order by h.retry_at limit 1`,
    [webhookId, limit],
  )
  // `greatest` of SQL ignores nulls, so the bound of 0 is not in the statement.
  const ms = next?.ms ?? undefined
  return ms === undefined ? undefined : Math.max(0, ms)
}
