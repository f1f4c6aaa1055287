/**
 * `GET /v1/events`: what has happened, by pages, by long poll, and as a stream of Server-Sent Events
 * (`Accept: text/event-stream`). All three have the same filters and the same ids. A reader that continues after an id
 * misses nothing.
 */
import { DomainError } from '../../domain/errors.ts'
import type { ServiceEvent } from '../../domain/event/event.ts'
import type { EventFilter } from '../../domain/event/event-filter.ts'
import { isEventType } from '../../domain/event/event-types.ts'
import {
  EVENT_PAGE,
  EVENT_PAGE_DEFAULT,
  EVENT_PAGE_POSITIONS,
  EVENT_WAIT_SECONDS,
  STREAM_BATCH,
} from '../../domain/limits.ts'
import { readEventBounds, readEvents } from '../../store/event/events.ts'
import { clientAddress } from '../http/client-address.ts'
import type { ApiContext, ApiDependencies, Route } from '../http/context.ts'
import { JsonItems } from '../http/json-body.ts'
import { invalidQuery, type Parameters } from '../http/query.ts'
import { admitted, onceGone, takePlace } from '../http/waiting.ts'
import type { EventStream } from './event-streams.ts'
import { idOf, inRange, knownParameters, numberOf, projectOf } from './parameters.ts'
import { eventText } from './render-event.ts'

export function eventRoutes(deps: ApiDependencies): Route[] {
  return [
    {
      method: 'get',
      paths: ['/v1/events'],
      admitsItself: true,
      handler: (ctx) => {
        const accepted = ctx.accepts('application/json', 'text/event-stream')
        ctx.vary('Accept')
        if (accepted === false) {
          throw new DomainError('NOT_ACCEPTABLE', 'Events come as application/json or as text/event-stream.')
        }
        return accepted === 'text/event-stream' ? stream(ctx, deps) : page(ctx, deps)
      },
    },
  ]
}

const REPEATABLE = ['type', 'to']
const FILTERS = ['loadbalancer_id', 'pool_id', 'member_id', 'project_id']
const PAGING = ['after', 'before', 'limit', 'wait']

/** Throws INVALID_QUERY. */
function parametersOf(ctx: ApiContext): Parameters {
  return knownParameters(ctx, [...FILTERS, ...PAGING], REPEATABLE)
}

/** The filter of a request. Throws INVALID_QUERY, FORBIDDEN. */
function filterOf(ctx: ApiContext, parameters: Parameters): EventFilter {
  const types = parameters.getAll('type')
  const unknown = types.find((type) => !isEventType(type))
  if (unknown !== undefined) throw invalidQuery(`There is no event type ${unknown.slice(0, 64)}.`)
  const to = parameters.getAll('to')
  const projectId = projectOf(ctx, parameters)
  const loadBalancerId = idOf(parameters, 'loadbalancer_id')
  const poolId = idOf(parameters, 'pool_id')
  const memberId = idOf(parameters, 'member_id')
  return {
    ...(projectId === undefined ? {} : { projectId }),
    ...(types.length === 0 ? {} : { types: new Set(types) }),
    ...(to.length === 0 ? {} : { to: new Set(to) }),
    ...(loadBalancerId === undefined ? {} : { loadBalancerId }),
    ...(poolId === undefined ? {} : { poolId }),
    ...(memberId === undefined ? {} : { memberId }),
  }
}

/**
 * Events after `after`, oldest first, or before `before` (or the newest ones), newest first. The next request continues
 * with `after` of the answer, also when no event of the page matched the filter.
 */
async function page(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const parameters = parametersOf(ctx)
  const filter = filterOf(ctx, parameters)
  const limit = inRange(numberOf(parameters, 'limit') ?? EVENT_PAGE_DEFAULT, 'limit', EVENT_PAGE)
  const waitSeconds = inRange(numberOf(parameters, 'wait') ?? 0, 'wait', EVENT_WAIT_SECONDS)
  const [after, before] = [numberOf(parameters, 'after'), numberOf(parameters, 'before')]
  if (after !== undefined && before !== undefined)
    throw invalidQuery('A page is after an event, or before one.')
  if (after === undefined) {
    const newest = await admitted(ctx, () => newestEvents(deps, { before, limit, filter }))
    ctx.body = newest
    return
  }
  const found = await admitted(ctx, () => eventsAfter(deps, { after, limit, filter }))
  if (found.events.length > 0 || waitSeconds === 0 || found.isMore) return answer(ctx, found)
  const giveBack = takePlace(ctx, deps)
  try {
    answer(ctx, await waited(ctx, deps, { ...found, filter, limit, waitMs: waitSeconds * 1000 }))
  } finally {
    giveBack()
  }
}

interface Found {
  readonly events: readonly ServiceEvent[]
  /** The position after which the next page begins. */
  readonly after: number
  /** There are more events that were not examined. */
  readonly isMore: boolean
  /** Events after the requested position that were deleted. */
  readonly gap?: { readonly from: number; readonly to: number }
}

function answer(ctx: ApiContext, { events, after, gap }: Found): void {
  ctx.body = {
    events: new JsonItems(events.map(eventText)),
    after: String(after),
    ...(gap === undefined ? {} : { gap: { from: String(gap.from), to: String(gap.to) } }),
  }
}

async function eventsAfter(
  deps: ApiDependencies,
  { after, limit, filter }: { readonly after: number; readonly limit: number; readonly filter: EventFilter },
): Promise<Found> {
  const { last, purgedTo } = await readEventBounds(deps.db)
  // The database was restored since then, and its positions began again.
  if (after > last) return { events: [], after: last, isMore: false, gap: { from: after, to: last } }
  const from = Math.max(after, purgedTo)
  const upTo = Math.min(last, from + EVENT_PAGE_POSITIONS)
  const events = await readEvents(deps.db, { after: from, upTo, limit, filter })
  const reached = events.length === limit ? (events.at(-1)?.position ?? upTo) : Math.max(from, upTo)
  return {
    events,
    after: reached,
    isMore: reached < last,
    ...(after < purgedTo ? { gap: { from: after, to: purgedTo } } : {}),
  }
}

async function newestEvents(
  deps: ApiDependencies,
  {
    before,
    limit,
    filter,
  }: { readonly before: number | undefined; readonly limit: number; readonly filter: EventFilter },
): Promise<object> {
  const { last, purgedTo } = await readEventBounds(deps.db)
  const upTo = Math.min(last, (before ?? last + 1) - 1)
  const after = Math.max(purgedTo, upTo - EVENT_PAGE_POSITIONS)
  const events = await readEvents(deps.db, { after, upTo, limit, filter, isNewestFirst: true })
  const reached = events.length === limit ? (events.at(-1)?.position ?? after + 1) : after + 1
  return {
    events: new JsonItems(events.map(eventText)),
    before: String(reached),
    after: String(last),
  }
}

/** The first new events that match, or none when the time is over or this process ends. */
async function waited(
  ctx: ApiContext,
  deps: ApiDependencies,
  wait: Found & { readonly filter: EventFilter; readonly limit: number; readonly waitMs: number },
): Promise<Found> {
  const position = await deps.events.feed.position()
  const missed = deps.events.feed.keptAfter(wait.after, wait.filter)
  if (missed === undefined) {
    // The feed has begun, or gone on, after the page was read: what is between the two is in the database.
    const found = await admitted(ctx, () => eventsAfter(deps, wait))
    const isEnough = found.events.length > 0 || found.isMore || found.gap !== undefined
    return isEnough ? found : await waited(ctx, deps, { ...wait, after: found.after })
  }
  if (missed.length > 0) return foundInFeed(missed.slice(0, wait.limit), position)
  return await new Promise<Found>((resolve) => {
    const end = (found: Found) => {
      unsubscribe()
      forget()
      clearTimeout(timer)
      ctx.res.off('close', gone)
      resolve(found)
    }
    const unsubscribe = deps.events.feed.subscribe(wait.filter, (events) => {
      end(foundInFeed(events.slice(0, wait.limit), position))
    })
    const gone = () => end({ ...wait, events: [] })
    const none = () => end({ ...wait, events: [], after: Math.max(wait.after, position) })
    const timer = setTimeout(none, wait.waitMs)
    const forget = deps.events.streams.onClose(none)
    onceGone(ctx, gone)
  })
}

/** A page of events from the feed. Without events, the next page begins after `position`. */
function foundInFeed(events: readonly ServiceEvent[], position: number): Found {
  return { events, after: events.at(-1)?.position ?? position, isMore: false }
}

/** Sends events after Last-Event-ID or `after`; without them, only new events. */
async function stream(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const parameters = parametersOf(ctx)
  const filter = filterOf(ctx, parameters)
  const lastReceived = lastEventOf(ctx, parameters)
  const now = await deps.events.feed.position()
  takePlace(ctx, deps)
  const { res, headers } = ctx
  if (res.destroyed) return
  const address = clientAddress(ctx, deps.settings.trustedProxies)
  let unsubscribe = (): void => undefined
  res.once('close', () => unsubscribe())
  ctx.respond = false
  ctx.status = 200
  const opened = deps.events.streams.open(res, {
    identify: async () => await deps.identify(headers, address),
    endsAtMs: ctx.state.identity.tokenEndsAtMs,
  })
  // The response has begun, so an error can only end the stream: the reader reconnects.
  try {
    const position = await catchUp(ctx, deps, { opened, filter, after: lastReceived ?? now })
    if (opened.isOpen) unsubscribe = follow(deps, { opened, filter, position })
  } catch {
    opened.end()
  }
}

/** Last-Event-ID wins over `after`: browsers send it when they reconnect, with the same URL as before. */
function lastEventOf(ctx: ApiContext, parameters: Parameters): number | undefined {
  const header = ctx.get('last-event-id')
  if (header === '') return numberOf(parameters, 'after')
  return numberOf(new URLSearchParams({ 'Last-Event-ID': header }), 'Last-Event-ID')
}

interface Followed {
  readonly opened: EventStream
  readonly filter: EventFilter
}

/** Sends the events after a position, as fast as the reader accepts them, until the feed has the few that are left. */
async function catchUp(
  ctx: ApiContext,
  deps: ApiDependencies,
  { opened, filter, after }: Followed & { readonly after: number },
): Promise<number> {
  let position = after
  while (opened.isOpen) {
    const kept = deps.events.feed.keptAfter(position, filter)
    if (kept !== undefined && kept.length <= STREAM_BATCH) return position
    const from = position
    const found =
      kept === undefined
        ? await admitted(ctx, () => eventsAfter(deps, { after: from, limit: STREAM_BATCH, filter }))
        : foundInFeed(kept.slice(0, STREAM_BATCH), position)
    if (found.gap !== undefined) opened.sendGap(found.gap.from, found.gap.to)
    opened.send(found.events)
    await opened.drained()
    position = found.after
  }
  return position
}

/** Sends what the feed has and subscribes, without a pause between the two. The database may have been ahead of the feed. */
function follow(
  deps: ApiDependencies,
  { opened, filter, position }: Followed & { readonly position: number },
): () => void {
  const { feed } = deps.events
  opened.send(feed.keptAfter(position, filter) ?? [])
  return feed.subscribe(filter, (events) => {
    const isNew = (events[0]?.position ?? 0) > position
    opened.send(isNew ? events : events.filter((event) => event.position > position))
  })
}
