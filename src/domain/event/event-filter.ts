/** A filter of events. */
import type { ServiceEvent } from './event.ts'

/** Every field that is there must match; absent = any value. */
export interface EventFilter {
  readonly projectId?: string
  readonly types?: ReadonlySet<string>
  readonly loadBalancerId?: string
  readonly poolId?: string
  readonly memberId?: string
  readonly to?: ReadonlySet<string>
}

export function matchesFilter(event: ServiceEvent, filter: EventFilter): boolean {
  return (
    (filter.projectId === undefined || filter.projectId === event.projectId) &&
    (filter.types === undefined || filter.types.has(event.type)) &&
    (filter.loadBalancerId === undefined || filter.loadBalancerId === event.loadBalancer?.id) &&
    (filter.poolId === undefined || filter.poolId === event.pool?.id) &&
    (filter.memberId === undefined || filter.memberId === event.member?.id) &&
    (filter.to === undefined || filter.to.has(event.to ?? ''))
  )
}
