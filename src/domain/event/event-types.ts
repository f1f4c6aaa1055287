/** The types of events. */

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
