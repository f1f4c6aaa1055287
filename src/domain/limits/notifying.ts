/** The notifier: its lease, and how receivers are given events. */
import type { Range } from './range.ts'

/** Connections of a notifier to PostgreSQL, beside those of its lease and of its notifications. */
export const NOTIFIER_CONNECTIONS = 6
/** Milliseconds between looks at the lease: the holder shows that it lives, others try to get it. */
export const LEASE_EVERY_MS = 1000
/**
 * Milliseconds after its last sign of life for which a notifier acts as the holder, and those after which PostgreSQL (14 or
 * newer) ends its session, so that another one can be the holder. The second is longer, so two never act.
 */
export const NOTIFIER_LEASE_MS = 4000
export const NOTIFIER_SESSION_MS = 6000
/** Events that a receiver is given at once. */
export const RECEIVER_BATCH = 1000
/** Milliseconds between looks at new events when no notification came. */
export const RECEIVER_EVERY_MS = 1000
/** Milliseconds of back-off after a receiver, or PostgreSQL, did not take events. */
export const RECEIVER_RETRY_MS: Range = { min: 200, max: 10_000 }
