/** Events as documents, in neutral words: the same for everybody who gets them. */
import type { EventMember, EventObject, EventPool, ServiceEvent } from './event.ts'

/** An event as JSON. What the event does not have is absent. */
export function eventDocument(event: ServiceEvent): Record<string, unknown> {
  return {
    id: String(event.position),
    type: event.type,
    time: event.at.toISOString(),
    project_id: event.projectId,
    ...(event.loadBalancer === undefined ? {} : { loadbalancer: renderObject(event.loadBalancer) }),
    ...(event.pool === undefined ? {} : { pool: renderPool(event.pool) }),
    ...(event.member === undefined ? {} : { member: renderMember(event.member) }),
    ...(event.from === null ? {} : { from: event.from }),
    ...(event.to === null ? {} : { to: event.to }),
    ...event.data,
    ...linksOf(event),
  }
}

function renderObject({ id, name }: EventObject): Record<string, unknown> {
  return { id, name: name ?? null }
}

function renderPool({ door, ...pool }: EventPool): Record<string, unknown> {
  return { ...renderObject(pool), ...(door === undefined ? {} : { door }) }
}

function renderMember({ address, protocolPort, ...member }: EventMember): Record<string, unknown> {
  return { ...renderObject(member), address: address ?? null, protocol_port: protocolPort ?? null }
}

/** Path of the present state of what an event is about; undefined when there is none. */
export function healthPath({ member, pool }: ServiceEvent): string | undefined {
  if (pool === undefined) return undefined
  // No LBaaS dialect shows what a door keeps.
  if (pool.door !== undefined)
    return member === undefined ? `/v1/overview/pools/${pool.id}` : `/v1/overview/members/${member.id}`
  const ofPool = `/v2.0/lbaas/pools/${pool.id}`
  return member === undefined ? `${ofPool}/health` : `${ofPool}/members/${member.id}/health`
}

/** Links to the present state. They are paths, because clients may reach the service by different host names. */
function linksOf(event: ServiceEvent): { readonly links?: Record<string, string> } {
  const health = healthPath(event)
  return health === undefined ? {} : { links: { health } }
}
