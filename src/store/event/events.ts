/** Statements on events: the outbox, the events in the order of their positions, and their retention. */
import type { EventMember, EventObject, EventPool, ServiceEvent } from '../../domain/event/event.ts'
import type { EventFilter } from '../../domain/event/event-filter.ts'
import { CERTIFICATES_PER_RUN, UNOWNED_GRACE_MS } from '../../domain/limits.ts'
import { collectBindings } from '../connection/bindings.ts'
import { type Db, query } from '../connection/database.ts'
import { LOCK_KEYS } from '../connection/lock-keys.ts'

/** Rows got positions up to `last`; there was no row without one; or another transaction gives positions at this moment. */
export type Sequenced = { readonly last: number } | 'none' | 'busy'

/**
 * Gives positions to about `max` rows of the outbox. One transaction at a time does, and this never waits for another one:
 * `busy` says that there may be rows which that one does not see.
 */
export async function sequenceEvents(db: Db, max: number): Promise<Sequenced> {
  const [row] = await query<{ is_free: boolean; last: number | null }>(
    db,
    // The function takes the same lock, which this transaction has then.
    `select is_free, case when is_free then sequence_events($2) end as last
     from (select pg_try_advisory_xact_lock($1) as is_free offset 0) tried`,
    [LOCK_KEYS.sequencer, max],
  )
  if (row?.is_free !== true) return 'busy'
  return row.last === null ? 'none' : { last: row.last }
}

/** Writes events of what time alone has changed since the last call of any process: migrations 0022 and 0025. */
export async function observeClock(db: Db): Promise<void> {
  await query(
    db,
    `select observe_clock(), observe_certificates($1), observe_owners($2 * interval '1 millisecond')`,
    [CERTIFICATES_PER_RUN, UNOWNED_GRACE_MS],
  )
}

/** The newest position (0 = there never was an event), and the greatest one that was deleted. */
export interface EventBounds {
  readonly last: number
  readonly purgedTo: number
}

export async function readEventBounds(db: Db): Promise<EventBounds> {
  const [row] = await query<{ last: number; purged_to: number }>(
    db,
    `select greatest(coalesce((select max(position) from event), 0), purged_to) as last, purged_to from event_retention`,
  )
  if (row === undefined) throw new Error('event_retention has no row')
  return { last: row.last, purgedTo: row.purged_to }
}

export interface EventRow {
  position: number
  type: string
  at: Date
  project_id: string | null
  from_status: string | null
  to_status: string | null
  data: Readonly<Record<string, unknown>>
}

/**
 * At most `limit` events after a position and up to another one (inclusive), in their order. `upTo` bounds how many rows are
 * looked at for a filter that few match. Newest first: the last ones of that range.
 */
export async function readEvents(
  db: Db,
  {
    after,
    upTo,
    limit,
    filter,
    isNewestFirst = false,
  }: {
    readonly after: number
    readonly upTo: number
    readonly limit: number
    readonly filter: EventFilter
    readonly isNewestFirst?: boolean
  },
): Promise<readonly ServiceEvent[]> {
  const { values, bind } = collectBindings()
  const where = [`position > ${bind(after)} and position <= ${bind(upTo)}`]
  const only = (column: string, value: string | undefined, type: 'text' | 'uuid') => {
    if (value !== undefined) where.push(`${column} = ${bind(value)}::${type}`)
  }
  only('project_id', filter.projectId, 'text')
  only('load_balancer_id', filter.loadBalancerId, 'uuid')
  only('pool_id', filter.poolId, 'uuid')
  only('member_id', filter.memberId, 'uuid')
  if (filter.types !== undefined) where.push(`type = any(${bind([...filter.types])}::text[])`)
  if (filter.to !== undefined) where.push(`to_status = any(${bind([...filter.to])}::text[])`)
  const rows = await query<EventRow>(
    db,
    `select position, type, at, project_id, from_status, to_status, data from event
     where ${where.join(' and ')} order by position ${isNewestFirst ? 'desc' : 'asc'} limit ${bind(limit)}`,
    values,
  )
  return rows.map(toEvent)
}

/** Also of a row that was kept as JSON: `at` is a text there. */
export function toEvent(row: EventRow | (Omit<EventRow, 'at'> & { at: string })): ServiceEvent {
  const { loadbalancer, pool, member, ...data } = row.data as {
    loadbalancer?: EventObject
    pool?: EventPool
    member?: EventObject & { address?: string; protocol_port?: number }
  }
  return {
    position: row.position,
    type: row.type,
    at: new Date(row.at),
    projectId: row.project_id,
    from: row.from_status,
    to: row.to_status,
    data,
    ...(loadbalancer === undefined ? {} : { loadBalancer: loadbalancer }),
    ...(pool === undefined ? {} : { pool }),
    ...(member === undefined ? {} : { member: toMember(member) }),
  }
}

function toMember(member: EventObject & { address?: string; protocol_port?: number }): EventMember {
  const { protocol_port: protocolPort, ...rest } = member
  return { ...rest, ...(protocolPort === undefined ? {} : { protocolPort }) }
}

/**
 * Deletes at most `batch` events older than `days`, the oldest first, and notes how far; returns how many. Those that a webhook
 * waits for stay.
 */
export async function purgeOldEvents(db: Db, days: number, batch: number): Promise<number> {
  const [row] = await query<{ n: number }>(
    db,
    `with gone as (
       delete from event where position in (
         select position from event
         where at < now() - $1 * interval '1 day'
           and not exists (select from webhook_delivery d where d.position = event.position and d.event is null)
         order by at limit $2
       ) returning position
     ), noted as (
       update event_retention set purged_to = greatest(purged_to, (select max(position) from gone))
       where exists (select from gone) returning 1
     ) select count(*) as n from gone`,
    [days, batch],
  )
  return row?.n ?? 0
}

/** Rows without a position, and the age of the oldest in milliseconds (0 = there is none). */
export async function readOutboxLag(db: Db): Promise<{ readonly rows: number; readonly oldestMs: number }> {
  const [row] = await query<{ rows: number; oldest_ms: number }>(
    db,
    `select count(*) as rows, coalesce(extract(epoch from clock_timestamp() - min(at)) * 1000, 0)::float8 as oldest_ms
     from event_outbox`,
  )
  return { rows: row?.rows ?? 0, oldestMs: Math.max(0, row?.oldest_ms ?? 0) }
}
