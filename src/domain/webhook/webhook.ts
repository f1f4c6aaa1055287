/** Webhooks: their receivers, filters and formats. */
import type { ServiceEvent } from '../event/event.ts'
import { type EventFilter, matchesFilter } from '../event/event-filter.ts'

export const WEBHOOK_FORMATS = ['cloudevents', 'slack', 'alertmanager'] as const
export type WebhookFormat = (typeof WEBHOOK_FORMATS)[number]

/** Which events a webhook gets; absent = any. As it is stored and shown. */
export interface WebhookFilter {
  readonly types?: readonly string[]
  /** New statuses. */
  readonly to?: readonly string[]
  readonly loadbalancer_id?: string
  readonly pool_id?: string
  readonly member_id?: string
}

/** What is needed to send something. */
export interface WebhookTarget {
  readonly id: string
  /** Null: of administrators, for the events of all projects. */
  readonly projectId: string | null
  readonly url: string
  readonly format: WebhookFormat
  /** One or two; each signs. The first is the newest. */
  readonly secrets: readonly string[]
}

export interface Webhook extends WebhookTarget {
  readonly name: string
  readonly filter: WebhookFilter
  readonly enabled: boolean
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** An enabled webhook, which gets events after a position. */
export interface EnabledWebhook extends WebhookTarget {
  readonly filter: EventFilter
  readonly afterPosition: number
}

/** The filter of a webhook for events, those of its own project only. */
export function eventFilterOf(projectId: string | null, filter: WebhookFilter): EventFilter {
  return {
    ...(projectId === null ? {} : { projectId }),
    ...(filter.types === undefined ? {} : { types: new Set(filter.types) }),
    ...(filter.to === undefined ? {} : { to: new Set(filter.to) }),
    ...(filter.loadbalancer_id === undefined ? {} : { loadBalancerId: filter.loadbalancer_id }),
    ...(filter.pool_id === undefined ? {} : { poolId: filter.pool_id }),
    ...(filter.member_id === undefined ? {} : { memberId: filter.member_id }),
  }
}

/** Whether a webhook gets an event. Alertmanager gets only changes of status. */
export function receivesEvent(webhook: EnabledWebhook, event: ServiceEvent): boolean {
  return (
    event.position > webhook.afterPosition &&
    matchesFilter(event, webhook.filter) &&
    (webhook.format !== 'alertmanager' || event.type.endsWith('.status'))
  )
}

/** What an event is about: events of one subject arrive in their order. */
export function subjectOf({ member, pool, loadBalancer, type, projectId }: ServiceEvent): string {
  if (member !== undefined) return `member/${member.id}`
  if (pool !== undefined) return `pool/${pool.id}`
  if (loadBalancer !== undefined) return `loadbalancer/${loadBalancer.id}`
  return `${type}/${projectId ?? ''}`
}

/** The URL as it is shown. Parts that may be a secret of the receiver are hidden: the query, and for Slack the path. */
export function shownUrl({ url, format }: Pick<WebhookTarget, 'url' | 'format'>): string {
  const { origin, pathname, search } = new URL(url)
  if (format === 'slack') return `${origin}/***`
  return `${origin}${pathname}${search === '' ? '' : '?***'}`
}
