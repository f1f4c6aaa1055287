/** Shards, their configuration, what is written of them, and for how long it is kept. */
import type { Range } from './range.ts'

export const SHARD_COUNT = 256
/** Milliseconds: lease of a prober (HM_SHARD_LEASE_MS), heartbeats per lease. */
export const SHARD_LEASE_MS_DEFAULT = 3000
export const SHARD_LEASE_MS: Range = { min: 500, max: 600_000 }
export const HEARTBEATS_PER_LEASE = 3
/** Milliseconds between checkpoints of a shard (HM_CHECKPOINT_MS). */
export const CHECKPOINT_MS_DEFAULT = 30_000
export const CHECKPOINT_MS: Range = { min: 1000, max: 3_600_000 }
/** Milliseconds: configuration is read this long after a NOTIFY, and this often without one. */
export const CONFIG_COALESCE_MS = 200
export const CONFIG_POLL_MS = 1000
/** Milliseconds that a verdict waits for others, to be written together; and rows of one statement. */
export const FLUSH_WITHIN_MS = 100
export const FLUSH_ROWS_MAX = 1000
/** Milliseconds: back-off of the result writer while PostgreSQL is away. */
export const FLUSH_RETRY_MS: Range = { min: 100, max: 5000 }
/** Milliseconds that a certificate waits for others, to be written together. */
export const CERTIFICATE_FLUSH_MS = 1000
/**
 * Milliseconds for which an earlier end of a certificate holds after it was last seen, where a later one came between: servers behind
 * one address that show different certificates in turn write nothing, and the one that ends first has the events.
 */
export const CERTIFICATE_HOLD_MS = 600_000
/** Milliseconds that a graceful stop of a prober spends on its writes and on releasing its shards. */
export const RELEASE_WITHIN_MS = 5000
/** Pools, and members of them, that are loaded by one statement; of a larger pool that many members at a time. */
export const CONFIG_POOLS_PER_LOAD = 500
export const CONFIG_CHECKS_PER_LOAD = 1000
/**
 * Loading shares the event loop with probing: after so many milliseconds of loading, other work gets the same time.
 * And: checks that are loaded between two looks at the clock.
 */
export const CONFIG_SLICE_MS = 5
export const CONFIG_CHECKS_PER_SLICE = 64
/** Milliseconds after which a pool that could not be loaded is tried again though it did not change. */
export const CONFIG_GIVEN_UP_MS = 60_000
/**
 * Shards that a prober takes, or releases, at once: it takes more when those are loaded, twice as many when that was quick
 * (milliseconds), half when it was slow. So probers that start together share the work, and none takes what it cannot load.
 */
export const SHARDS_AT_ONCE: Range = { min: 16, max: SHARD_COUNT }
export const SHARDS_AT_FIRST = 32
export const SHARDS_LOADED_WITHIN_MS: Range = { min: 1000, max: 3000 }
/** Milliseconds between looks for free shards while a prober has fewer than its share. */
export const CLAIM_RETRY_MS = 250
/** Milliseconds after the end of another prober's lease until a claim: the delay of one packet, by which clocks differ. */
export const CLAIM_AFTER_EXPIRY_MS = 20
/** Milliseconds: back-off of a connection that listens for notifications. */
export const LISTEN_RETRY_MS: Range = { min: 200, max: 10_000 }
/** Milliseconds: shortest time between two checkpoints of one shard; shards written by one statement. */
export const CHECKPOINT_SOONEST_MS = 1000
export const CHECKPOINT_SHARDS_PER_STATEMENT = 16
/** No other shard is added to a statement that has so many checks: making their rows takes some milliseconds. */
export const CHECKPOINT_CHECKS_PER_STATEMENT = 2000
/** How many checkpoints of a shard in a row may come before its turn; milliseconds until one more is allowed. */
export const CHECKPOINTS_SOON = 10
export const CHECKPOINT_SOON_AGAIN_MS = 10_000

// Retention.
/** Transitions are kept this many days (HM_TRANSITIONS_DAYS), and this many of one member (HM_TRANSITIONS_PER_MEMBER). */
export const TRANSITION_DAYS: Range = { min: 1, max: 3650 }
export const TRANSITION_DAYS_DEFAULT = 30
export const TRANSITIONS_PER_MEMBER: Range = { min: 1, max: 1_000_000 }
export const TRANSITIONS_PER_MEMBER_DEFAULT = 1000
/** Rows that one statement purges at most; milliseconds between passes, and between walks over all members. */
export const PURGE_BATCH_ROWS = 2000
export const PURGE_EVERY_MS = 60_000
/** Milliseconds from the start of a prober to its first purge: the start itself is the busiest moment. */
export const FIRST_PURGE_MS = 10_000
/** Leases without a heartbeat after which the row of a prober is removed. */
export const DEAD_PROBER_LEASES = 20
export const PURGE_WALK_EVERY_MS = 3_600_000
/** Members whose states one statement counts, about: 10 000 take 30 to 60 ms (2026-11-30). */
export const ROLL_UP_CHECK_MEMBERS = 10_000
/** Members that one statement trims: as many as take PURGE_STATEMENT_MS. */
export const PURGE_MEMBERS_PER_STATEMENT: Range = { min: 1, max: 512 }
export const PURGE_STATEMENT_MS = 100
/** Milliseconds: after a statement retention rests for as long as it took, at most so long. */
export const PURGE_REST_MAX_MS = 1000
