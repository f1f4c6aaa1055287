/** Which events somebody wants to hear of. */
import type { ServiceEvent } from './event.ts'

/** All that is there must match; absent = any. */
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
