/** Sites: the places from which members are probed (docs/sites.md). */

/** The site of a prober and of a monitor that name none. */
export const LOCAL_SITE = 'local'
/** Characters of the name of a site: so that sixteen of them fit into a line of a log. DNS allows 63 in a label (RFC 1035). */
export const SITE_NAME_MAX = 32
/** Sites of one monitor. Each makes all its probes, so they multiply what the monitor costs. */
export const SITES_PER_MONITOR_MAX = 16
/**
 * Milliseconds without a living owner of a shard after which the votes of its site do not count any more: a prober that was
 * restarted, or whose shards others take over, is back by then. The lease has ended before.
 */
export const SITE_LOST_AFTER_MS = 4000
/** Milliseconds between looks for such shards; after a pause of as many looks as this, what was seen before does not count. */
export const SITE_LOOK_EVERY_MS = 1000
export const SITE_LOOKS_MISSED_MAX = 3
/** Milliseconds between them while no monitor has sites that vote: a loss is known that much later for the first one. */
export const SITE_LOOK_IDLE_MS = 10_000
/** Shards of a site whose members one process decides anew at a time, for how long nobody else does, and members of a transaction. */
export const SITE_RECOUNT_SHARDS = 16
export const SITE_RECOUNT_MS = 30_000
export const SITE_RECOUNT_MEMBERS = 500
/** More members of a pool than this that become stale at once are one event, as in those of migration 0025. */
export const STALE_MEMBERS_TOLD_ONE_BY_ONE = 100
/** Bytes of the sentence that says what each site sees, as of every detail of a result. */
export const SITE_SENTENCE_MAX_BYTES = 128
/** Members about which other sites are asked when most fail here: a sample is enough. */
export const WITNESS_MEMBERS_ASKED = 200
/** Milliseconds between two times that they are asked, while this site is the suspect: a heartbeat brings what they report. */
export const WITNESSES_ASKED_EVERY_MS = 1000
