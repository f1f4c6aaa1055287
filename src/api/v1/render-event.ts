/** Events on the wire, in neutral words. */
import type { ServiceEvent } from '../../domain/event/event.ts'
import { eventDocument } from '../../domain/event/event-document.ts'

const texts = new WeakMap<ServiceEvent, string>()

/** An event as JSON text, which is made once for all readers. */
export function eventText(event: ServiceEvent): string {
  const known = texts.get(event)
  if (known !== undefined) return known
  const text = JSON.stringify(eventDocument(event))
  texts.set(event, text)
  return text
}
