/**
 * Events: facts that others may want to hear of. Each has a position; who has read up to a position has missed none of the
 * events before it.
 */

/** type → what has happened. */
export const EVENT_TYPES = {
  'member.status': 'the check of a member has a new verdict: ONLINE or OFFLINE',
  'pool.status': 'the status of a pool, rolled up from its members, has changed',
  'loadbalancer.status': 'the status of a load balancer, rolled up from its pools, has changed',
} as const
export type EventType = keyof typeof EVENT_TYPES

export function isEventType(word: string): word is EventType {
  return Object.hasOwn(EVENT_TYPES, word)
}

/** An object that an event is about, as it was when the event was given its position; a deleted one has its id alone. */
export interface EventObject {
  readonly id: string
  readonly name?: string
}

export interface EventMember extends EventObject {
  readonly address?: string
  readonly protocolPort?: number
}

export interface ServiceEvent {
  /** From 1; events that are committed later have greater ones. */
  readonly position: number
  readonly type: string
  /** When it happened. */
  readonly at: Date
  /** Null: of the service itself, for administrators. */
  readonly projectId: string | null
  readonly loadBalancer?: EventObject
  readonly pool?: EventObject
  readonly member?: EventMember
  readonly from: string | null
  readonly to: string | null
  /** What this type has beside the rest: reason, detail and evidence of a verdict; counts of a pool. */
  readonly data: Readonly<Record<string, unknown>>
}

/** Which events somebody wants; absent = all. */
export interface EventFilter {
  readonly projectId?: string
  readonly types?: ReadonlySet<string>
  readonly loadBalancerId?: string
  readonly poolId?: string
  readonly memberId?: string
  readonly to?: ReadonlySet<string>
}

export function isWanted(event: ServiceEvent, filter: EventFilter): boolean {
  return (
    (filter.projectId === undefined || filter.projectId === event.projectId) &&
    (filter.types === undefined || filter.types.has(event.type)) &&
    (filter.loadBalancerId === undefined || filter.loadBalancerId === event.loadBalancer?.id) &&
    (filter.poolId === undefined || filter.poolId === event.pool?.id) &&
    (filter.memberId === undefined || filter.memberId === event.member?.id) &&
    (filter.to === undefined || filter.to.has(event.to ?? ''))
  )
}
