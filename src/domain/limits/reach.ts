/** Sites over NATS JetStream (docs/sites-nats.md). */

/** Milliseconds between PINGs to the server, and answers that may be missing: a frozen server is left after both. */
export const NATS_PING_EVERY_MS = 1000
export const NATS_PINGS_MISSED_MAX = 2
/** Milliseconds between attempts to connect, and that one may take. */
export const NATS_RECONNECT_MS = 500
export const NATS_CONNECT_WITHIN_MS = 3000
/** Milliseconds that one request to JetStream or to the relay may take. */
export const NATS_REQUEST_WITHIN_MS = 2000
/** Bytes of one message: the server's default is 1 MiB, of which headers take some. */
export const SITE_MESSAGE_MAX_BYTES = 900_000
/** Bytes that a message may have when it is unpacked: a small one must not fill the memory. */
export const SITE_UNPACKED_MAX_BYTES = 64 * 1024 * 1024
/** Checks in one part of a snapshot, and entries in one of a checkpoint: unpacking one is some milliseconds. */
export const SNAPSHOT_CHECKS_PER_PART = 1000
/** Verdicts or certificates in one message of results. */
export const RESULT_ROWS_PER_MESSAGE = 500
/** Messages that one process reads or publishes at a time. */
export const SITE_MESSAGES_AT_ONCE = 16
/** Unpacked parts of snapshots that a prober keeps while it loads. */
export const SNAPSHOT_PARTS_KEPT = 8
/** Milliseconds between attempts to read a snapshot that is being replaced, and how many there are. */
export const SNAPSHOT_READ_AGAIN_MS = 50
export const SNAPSHOT_READS_MAX = 20

/** Milliseconds in which every shard is sent whole once, changed or not: what was lost heals. */
export const SNAPSHOT_RESENT_WITHIN_MS = 45_000
/** Milliseconds between looks at which shards have changed, without a notification. */
export const SNAPSHOT_LOOK_EVERY_MS = 1000
/** Pools, and members of one pool, that one statement of the relay loads. */
export const RELAY_POOLS_PER_STATEMENT = 100
export const RELAY_MEMBERS_PER_STATEMENT = 1000
/** Messages of results, and rows of a statement, that the relay writes at a time. */
export const RELAY_MESSAGES_AT_ONCE = 256
export const RELAY_ROWS_PER_STATEMENT = 1000
/** Rows that wait because their pools are locked, above which the relay takes nothing more; milliseconds between attempts. */
export const RELAY_PUT_OFF_MAX = 10_000
export const RELAY_PUT_OFF_AGAIN_MS = 100
/** Milliseconds between notes of how far the relay is: what came after the last one is written twice, without effect. */
export const RELAY_POSITION_EVERY_MS = 1000
/** Milliseconds by which a site's clock may differ before its times are corrected: more than a message travels. */
export const SITE_CLOCK_TOLERANCE_MS = 2000
/** Milliseconds between comparisons of the leases with the database, and for which a lease must have stood. */
export const RELAY_LEASES_COMPARED_EVERY_MS = 30_000
export const RELAY_LEASE_STANDS_MS = 10_000
/** Milliseconds between attempts at something that failed. */
export const RELAY_RETRY_MS = 500
/** Milliseconds between writes of the heartbeats of a site's probers into the database. */
export const RELAY_BEATS_EVERY_MS = 500
/** Milliseconds for which the relay of a site is not heard before another one takes its place, and between its own beats. */
export const RELAY_LEASE_MS = 3000
export const RELAY_BEAT_EVERY_MS = 1000
/**
 * Bytes that the results of a site may have while no relay takes them; probers keep what comes then. The server reserves them.
 * The other streams keep the last message of each subject alone, so the configuration bounds them.
 */
export const RESULT_STREAM_MAX_BYTES = 64 * 1024 * 1024
/** Milliseconds between removals of results that every snapshot has. */
export const RESULTS_REMOVED_EVERY_MS = 5000
/** Milliseconds for which the server knows the id of a message that it has. */
export const RESULT_ID_KNOWN_MS = 120_000
/** Milliseconds after its lease for which the heartbeat of a prober that has ended is kept. */
export const PROBER_FORGOTTEN_MS = 60_000
/** Members whose verdicts a prober holds on disk; of more, they stay in its memory. */
export const SITE_HELD_MEMBERS_MAX = 200_000
/** Milliseconds between two times that held verdicts are brought to the disk: what a host that loses its power may lose. */
export const SITE_HELD_SYNC_EVERY_MS = 1000
/** Bytes from which a file of held verdicts is written anew, when it is twice as long as after the last time. */
export const SITE_HELD_REWRITE_BYTES = 8 * 1024 * 1024
/** Milliseconds between attempts at a disk that refuses. */
export const SITE_HELD_RETRY_MS = 5000
/** Servers of HM_NATS_URL. */
export const NATS_URLS_MAX = 8
/** Connections of a relay to the database: of all its sites, and those for heartbeats alone. */
export const RELAY_CONNECTIONS = 8
export const RELAY_LEASE_CONNECTIONS = 2
/** Sites of one relay. */
export const RELAY_SITES_MAX = 64
/** Probers that have ended whose keys the relay has not removed yet; the others are removed when they are seen again. */
export const PROBERS_GONE_MAX = 1000
