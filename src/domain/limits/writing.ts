/** Shards, their configuration, what is written of them, and for how long it is kept. */
import type { Range } from '../range.ts'

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
/** Milliseconds a decision waits for others to be written with, and rows of one statement. */
export const FLUSH_WITHIN_MS = 100
export const FLUSH_ROWS_MAX = 1000
/** Milliseconds: back-off of the result writer while PostgreSQL is away. */
export const FLUSH_RETRY_MS: Range = { min: 100, max: 5000 }
/** Milliseconds that a graceful stop of a prober spends on its writes and on giving its shards back. */
export const HAND_OVER_WITHIN_MS = 5000
/** Pools whose checks are loaded by one statement. */
export const CONFIG_POOLS_PER_LOAD = 500
/** Milliseconds: back-off of the connection that listens for changes of the configuration. */
export const LISTEN_RETRY_MS: Range = { min: 200, max: 10_000 }
/** Milliseconds: shortest time between two checkpoints of one shard; shards written by one statement. */
export const CHECKPOINT_SOONEST_MS = 1000
export const CHECKPOINT_SHARDS_PER_STATEMENT = 16

// Retention.
/** Transitions are kept this many days, and this many of one member; purged in batches of rows. */
export const TRANSITION_DAYS = 30
export const TRANSITIONS_PER_MEMBER = 1000
export const PURGE_BATCH_ROWS = 5000
export const PURGE_EVERY_MS = 60_000
