/** A prober's observation of itself, and dependencies. */
import type { Range } from './range.ts'

/** Recent results of a check that are kept, of those that passed and of those that did not; milliseconds of their clock. */
export const RECENT_RESULTS_OF_A_KIND = 8
export const RECENT_TICK_MS = 10
/** Checks whose recent results are in one slab of memory. */
export const RING_SLAB_CHECKS = 512
/**
 * Pools, and networks (IPv4 /24, IPv6 /64), below which the failure of most targets is no sign of a fault of the
 * prober.
 */
export const MASS_FAILURE_POOLS_MIN = 8
export const MASS_FAILURE_NETWORKS_MIN = 8
/** Milliseconds between two counts of failing targets: each walks over all checks of the prober. */
export const MASS_FAILURE_LOOK_EVERY_MS = 50
/** A count that took d milliseconds is made again after this many times d at the earliest: at most 5 % of a prober's time. */
export const MASS_FAILURE_LOOK_SHARE = 20
/** Canaries of a prober (HM_CANARY); milliseconds that they have to answer, and between two rounds of asking them. */
export const CANARIES_MAX = 16
export const CANARY_TIMEOUT_MS = 1000
export const CANARY_ROUND_EVERY_MS: Range = { min: 100, max: 1000 }
/** Milliseconds between looks at the prober's own devices and routes, while probes fail; routes above which they are not read. */
export const OWN_NETWORK_LOOK_EVERY_MS = 100
export const OWN_ROUTES_MAX = 1000
/**
 * A look from before a probe says nothing of it, so there is another one; after a look that took d milliseconds, after this many
 * times d at the earliest: at most 5 % of a prober's time.
 */
export const OWN_NETWORK_LOOK_SHARE = 20
/** The same while nothing fails, so that the prober knows a route before it is lost. */
export const OWN_NETWORK_LEARN_EVERY_MS = 10_000
/** Networks (a /24 or /64) whose route or device was down, as many as a prober remembers; the oldest are forgotten. */
export const OWN_WAYS_DOWN_MAX = 4096
/**
 * Ids that a member or a pool may depend on, and the depth of dependencies; milliseconds between readings of their
 * status.
 */
export const DEPENDS_ON_MAX = 8
export const DEPENDENCY_DEPTH_MAX = 8
export const DEPENDENCY_POLL_MS = 1000
/**
 * Milliseconds that the reading of one project's parents may take: in turn with those of others, and in the lane of those for
 * which that was not enough, where a project then rests for so many times what it took.
 */
export const DEPENDENCY_QUICK_MS = 250
export const DEPENDENCY_SLOW_MS = 2000
export const DEPENDENCY_REST_SHARE = 4
/** Milliseconds of failed readings of a project after which its members are judged without their parents. */
export const DEPENDENCY_BLIND_MS = 10_000
/** Connections that a prober reads dependencies by: one for each lane. */
export const DEPENDENCY_CONNECTIONS = 2
/** Milliseconds that a verdict of another prober takes to the database: a flush, twice. */
export const DEPENDENCY_SETTLE_MS = 200
/** Milliseconds between two log lines on one reason for inconclusive results. */
export const INCONCLUSIVE_LOG_EVERY_MS = 60_000
/** Milliseconds between two log lines about stale checks. */
export const STALE_LOG_EVERY_MS = 1000
/** Probers of one answer of `GET /v1/probers`, which has no pages. */
export const PROBERS_SHOWN_MAX = 1000
