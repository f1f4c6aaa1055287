/** Events as notifications of oslo.messaging: what a listener of an OpenStack cloud understands. */
import { createHash, randomUUID } from 'node:crypto'
import type { ServiceEvent } from '../../domain/event/event.ts'
import { eventDocument } from '../../domain/event/event-document.ts'

/** A message for the exchange: the same for all topics. */
export interface AmqpNotification {
  /** The same when the event is sent again, so that a listener can detect the repetition. */
  readonly messageId: string
  readonly body: Buffer
}

/** The action of an event `config.changed` → Octavia's word: docs/peers/oslo-messaging.md 6. */
const ACTIONS: Readonly<Record<string, string>> = { created: 'create', changed: 'update', deleted: 'delete' }

/** Types that Octavia does not have; they are named in Octavia's form. */
const STATUS_TYPES: ReadonlySet<string> = new Set(['member.status', 'pool.status', 'loadbalancer.status'])

/**
 * The oslo.messaging event type: `octavia.…` for load balancers and statuses, `healthmonitor.…` for everything else.
 */
export function notificationType(event: ServiceEvent): string {
  if (STATUS_TYPES.has(event.type)) return `octavia.${event.type}`
  const action = lifecycleAction(event)
  return action === undefined ? `healthmonitor.${event.type}` : `octavia.loadbalancer.${action}.end`
}

/** What was done to a load balancer, in Octavia's word; undefined when the event says something else. */
function lifecycleAction({ type, data }: ServiceEvent): string | undefined {
  if (type !== 'config.changed' || data['object'] !== 'loadbalancer') return undefined
  return ACTIONS[String(data['action'])]
}

/** The whole message: docs/peers/oslo-messaging.md 1 to 3. */
export function amqpNotification(event: ServiceEvent, publisherId: string): AmqpNotification {
  const messageId = messageIdOf(event)
  const notification = {
    message_id: messageId,
    publisher_id: publisherId,
    event_type: notificationType(event),
    priority: 'INFO',
    payload: payloadOf(event),
    timestamp: timestampOf(event.at),
    // New for each message: a listener drops a message with an id that it knows and does not
    // acknowledge it (docs/peers/oslo-messaging.md 4).
    _unique_id: randomUUID().replaceAll('-', ''),
    _context_project_id: event.projectId,
    _context_tenant: event.projectId,
  }
  const envelope = { 'oslo.version': '2.0', 'oslo.message': JSON.stringify(notification) }
  return { messageId, body: Buffer.from(JSON.stringify(envelope)) }
}

/**
 * The event as `GET /v1/events` gives it. Where Octavia sends the same notification, `id` and `name` are those of the
 * load balancer, as Octavia's listeners expect; the event's own id is always `event_id`.
 */
function payloadOf(event: ServiceEvent): Record<string, unknown> {
  const document = { ...eventDocument(event), event_id: String(event.position) }
  if (lifecycleAction(event) === undefined) return document
  const { loadBalancer, data } = event
  return {
    ...document,
    id: data['object_id'] ?? loadBalancer?.id ?? null,
    name: data['object_name'] ?? loadBalancer?.name ?? '',
  }
}

/**
 * A UUID (RFC 9562 section 5.8), computed from what identifies the event, also among other services on the same bus.
 */
function messageIdOf({ position, type, at, projectId, loadBalancer, pool, member }: ServiceEvent): string {
  const facts = [position, type, at.toISOString(), projectId, loadBalancer?.id, pool?.id, member?.id]
  const hash = createHash('sha256').update(JSON.stringify(facts)).digest()
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x80
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80
  const hex = hash.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  )
}

/** As Python's `str(utcnow())` writes it. */
function timestampOf(at: Date): string {
  return at.toISOString().replace('T', ' ').replace('Z', '000')
}
