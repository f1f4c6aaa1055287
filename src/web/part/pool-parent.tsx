/** What a pool belongs to: its load balancer, or the door that keeps it with the scope that it has there. */
import type { Pool } from '../net/types.ts'
import { linkTo } from '../route.ts'
import { nameOf } from '../words/name.ts'

export function PoolParent({ pool: { loadbalancer, door } }: { readonly pool: Pool }) {
  if (loadbalancer !== null) return <a href={linkTo.loadBalancer(loadbalancer.id)}>{nameOf(loadbalancer)}</a>
  return door === null ? null : <span>{`${door.name}: ${door.scope}`}</span>
}

/** In words. */
export function poolParentName({ loadbalancer, door }: Pool): string {
  if (loadbalancer !== null) return loadbalancer.name
  return door === null ? '' : `${door.name}: ${door.scope}`
}
