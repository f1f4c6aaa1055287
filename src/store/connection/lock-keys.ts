/**
 * The advisory locks of the whole service, one key each: constants that no other application of the database uses. Locks of one
 * project are hashes of its id with a word before it, and cannot meet these.
 */
export const LOCK_KEYS = {
  /** Migrations: one process at a time. Of a session. */
  migration: 4_826_017_733,
  /** A pass of retention. Of a session. */
  retention: 4_826_017_734,
  /** Positions of events are given by one transaction at a time (`sequence_events`, migration 0020, has the number). */
  sequencer: 4_826_017_735,
  /** Sites that are lost are noted by one transaction at a time. */
  lostSites: 4_826_017_750,
  /** The notifier that delivers. Of a session. */
  notifier: 4_826_017_741,
} as const
