/** Events on the wire, in neutral words. */
import type { EventMember, EventObject, ServiceEvent } from '../../domain/event/event.ts'

/** An event as JSON: absent is what the event does not have. */
export function renderEvent(event: ServiceEvent): Record<string, unknown> {
  return {
    id: String(event.position),
    type: event.type,
    time: event.at.toISOString(),
    project_id: event.projectId,
    ...(event.loadBalancer === undefined ? {} : { loadbalancer: renderObject(event.loadBalancer) }),
    ...(event.pool === undefined ? {} : { pool: renderObject(event.pool) }),
    ...(event.member === undefined ? {} : { member: renderMember(event.member) }),
    ...(event.from === null ? {} : { from: event.from }),
    ...(event.to === null ? {} : { to: event.to }),
    ...event.data,
    ...linksOf(event),
  }
}

const texts = new WeakMap<ServiceEvent, string>()

/** The same text for all who hear of an event. */
export function eventText(event: ServiceEvent): string {
  const known = texts.get(event)
  if (known !== undefined) return known
  const text = JSON.stringify(renderEvent(event))
  texts.set(event, text)
  return text
}

function renderObject({ id, name }: EventObject): Record<string, unknown> {
  return { id, name: name ?? null }
}

function renderMember({ address, protocolPort, ...member }: EventMember): Record<string, unknown> {
  return { ...renderObject(member), address: address ?? null, protocol_port: protocolPort ?? null }
}

/** Where the present state is; paths, as one text goes to clients that know us by different names. */
function linksOf({ member, pool }: ServiceEvent): { readonly links?: Record<string, string> } {
  if (pool === undefined) return {}
  const ofPool = `/v2.0/lbaas/pools/${pool.id}`
  return {
    links: { health: member === undefined ? `${ofPool}/health` : `${ofPool}/members/${member.id}/health` },
  }
}
