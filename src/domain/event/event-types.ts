/** The types of events. */

/** type → what has happened. */
export const EVENT_TYPES = {
  'member.status': 'the check of a member has a new verdict: ONLINE or OFFLINE',
  'pool.status': 'the status of a pool, rolled up from its members, has changed',
  'pool.effective_members':
    'who should get the traffic of a pool with options is decided in another way: it fails open, or no longer',
  'loadbalancer.status': 'the status of a load balancer, rolled up from its pools, has changed',
  'member.stale':
    'the status of a member, or of all members of a pool, is too old to trust (STALE), or no longer (FRESH)',
  'certificate.expiring': 'the certificate that a member shows over TLS ends soon',
  'certificate.expired': 'it has ended',
  'maintenance.begun': 'a maintenance of a member, a pool or a monitor lasts from now on',
  'maintenance.ended': 'it is over, or was removed, or its object was deleted',
  'config.changed': 'a request changed the configuration: who, which object, which fields',
  'prober.joined': 'a prober began its work, or is there again after it was lost',
  'prober.left': 'a prober ended its work and gave its shards back',
  'prober.lost': 'a prober sends no heartbeat; others take its shards over',
  'breaker.held':
    'most targets of a prober fail at once, and the canaries too or other sites see them ONLINE: it holds failures back',
  'breaker.released': 'it no longer does',
} as const
export type EventType = keyof typeof EVENT_TYPES

export function isEventType(word: string): word is EventType {
  return Object.hasOwn(EVENT_TYPES, word)
}
