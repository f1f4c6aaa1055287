/** Probes that somebody asks for (`POST …/members/{id}/probe`): how many, how often, and how long an answer may take. */

/** Requests that one API process has under way: divided by project, and of one project at most. */
export const PROBE_REQUESTS_MAX = 200
export const PROBE_REQUESTS_PER_PROJECT = 20
/** Requests a second of one project, per API process; and a second's worth of them that may come at once. */
export const PROBE_REQUESTS_PER_SECOND = 10
/** Projects whose rate an API process remembers; more are forgotten as soon as they have asked for nothing for a second. */
export const PROBE_RATES_SWEEP = 1024
/**
 * Milliseconds that an answer may take beside the timeout of the monitor: a changed configuration is loaded (a second), another
 * prober takes over the shard (a lease of 3 s), the probe waits for its turn.
 */
export const PROBE_REQUEST_WITHIN_MS = 10_000
/** Milliseconds that an answer may take in all, however long the timeout of the monitor is. */
export const PROBE_REQUEST_MAX_MS = 300_000
/** Milliseconds before that end at which the prober says why there is no result, so that the reason arrives in time. */
export const PROBE_REQUEST_REASON_LEAD_MS = 500
/** Milliseconds between two looks of a prober for requests, and of an API process for answers, when no notification came. */
export const PROBE_REQUEST_LOOK_MS = 1000
/** Requests that one prober has in hand: in all, and of one project. */
export const PROBE_REQUESTS_IN_HAND = 500
export const PROBE_REQUESTS_IN_HAND_PER_PROJECT = 50
/** Milliseconds that the answer to a counted probe waits for its verdict to be written, so that the next read shows it. */
export const PROBE_ANSWER_AFTER_VERDICT_MS = 1000
/** Milliseconds until an answer that could not be written is tried again. */
export const PROBE_ANSWER_RETRY_MS = 250
/** Milliseconds after its end at which a request is removed that its API process has left behind; and between two looks for such. */
export const PROBE_REQUEST_FORGOTTEN_MS = 60_000
/** Seconds after which a client that asked too often, or while a probe of the member was under way, may try again. */
export const PROBE_REQUEST_RETRY_AFTER_SECONDS = 1
