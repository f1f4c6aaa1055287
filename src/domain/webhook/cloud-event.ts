/** Events as CloudEvents 1.0 in JSON: one as it is, several as a batch (CloudEvents JSON format, sections 3 and 4). */
import type { ServiceEvent } from '../event/event.ts'
import { eventDocument } from '../event/event-document.ts'

export const CLOUD_EVENT = 'application/cloudevents+json; charset=utf-8'
export const CLOUD_EVENT_BATCH = 'application/cloudevents-batch+json; charset=utf-8'

/** `source`: where the service is. With `id` it names an event for ever. */
export function cloudEvent(event: ServiceEvent, source: string): Record<string, unknown> {
  const subject = pathOf(event)
  return {
    specversion: '1.0',
    id: String(event.position),
    source,
    type: `healthmonitor.${event.type}`,
    ...(subject === '' ? {} : { subject }),
    time: event.at.toISOString(),
    datacontenttype: 'application/json',
    data: eventDocument(event),
  }
}

/** From the outermost object to the one that the event is about. */
function pathOf({ loadBalancer, pool, member }: ServiceEvent): string {
  return [
    loadBalancer === undefined ? '' : `loadbalancers/${loadBalancer.id}`,
    pool === undefined ? '' : `pools/${pool.id}`,
    member === undefined ? '' : `members/${member.id}`,
  ]
    .filter((part) => part !== '')
    .join('/')
}
