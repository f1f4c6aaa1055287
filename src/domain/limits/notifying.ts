/** The notifier: its lease, and the delivery of events to receivers. */
import type { Range } from './range.ts'

/** Connections of a notifier to PostgreSQL, beside those of its lease and of its notifications. */
export const NOTIFIER_CONNECTIONS = 6
/** Milliseconds between two tries on the lease: the holder renews it, others try to take it. */
export const LEASE_EVERY_MS = 1000
/**
 * Milliseconds after its last renewal for which a notifier may act as the holder of the lease; and milliseconds after
 * which PostgreSQL (14 or newer) ends its session, so that another one can take the lease. The second is longer, so two
 * never act at the same time.
 */
export const NOTIFIER_LEASE_MS = 4000
export const NOTIFIER_SESSION_MS = 6000
/** Events that a receiver is given at once. */
export const RECEIVER_BATCH = 1000
/** Milliseconds between looks at new events when no notification came. */
export const RECEIVER_EVERY_MS = 1000
/** Milliseconds of back-off after a receiver, or PostgreSQL, did not take events. */
export const RECEIVER_RETRY_MS: Range = { min: 200, max: 10_000 }

/** Webhooks of one project; those of administrators count as one project. */
export const WEBHOOKS_PER_PROJECT = 20
/** Characters of a name and of a URL; words in one list of a filter. */
export const WEBHOOK_NAME_MAX = 255
export const WEBHOOK_URL_MAX = 2048
export const WEBHOOK_FILTER_WORDS = 20
/** Bytes of a secret (Standard Webhooks), and of one that the service makes; secrets of one webhook: two while it is changed. */
export const WEBHOOK_SECRET_BYTES: Range = { min: 24, max: 64 }
export const WEBHOOK_SECRET_BYTES_MADE = 32
export const WEBHOOK_SECRETS: Range = { min: 1, max: 2 }
/** Events and bytes of one request; bytes of an answer that are read. */
export const WEBHOOK_BATCH = 500
export const WEBHOOK_BODY_BYTES = 262_144
export const WEBHOOK_ANSWER_BYTES = 16_384
/** Milliseconds for a connection, and for a whole request. */
export const WEBHOOK_CONNECT_MS = 5000
export const WEBHOOK_REQUEST_MS = 15_000
/** Requests in flight of a notifier (a project has at most four times what is free), and milliseconds that connections are kept. */
export const WEBHOOK_REQUESTS = 64
export const WEBHOOK_IDLE_MS = 10_000
/** Milliseconds until a receiver that cannot be reached is tried again. It costs one request, so the pause may be short. */
export const WEBHOOK_RETRY_MS: Range = { min: 1000, max: 60_000 }
/** Milliseconds until a subject whose events were refused is tried again. */
export const WEBHOOK_SUBJECT_RETRY_MS: Range = { min: 1000, max: 600_000 }
/** Milliseconds: the longest pause that a receiver may request with Retry-After. */
export const WEBHOOK_RETRY_AFTER_MS_MAX = 600_000
/** Hours in a queue after which a delivery that fails is a dead letter. */
export const WEBHOOK_GIVE_UP_HOURS = 24
/** Refusals in a row after which a batch is not divided further: the rest of it waits. */
export const WEBHOOK_REFUSALS_MAX = 12
/** Requests without a response in time after which a batch is not divided further. */
export const WEBHOOK_TIMEOUTS_MAX = 2
/** Events that wait for one webhook; the oldest ones beyond it are dead letters. Dead letters that are kept of one webhook. */
export const WEBHOOK_WAITING_MAX = 100_000
export const DEAD_LETTERS_MAX = 10_000
/** Events by which a queue may be longer than WEBHOOK_WAITING_MAX until it is counted again. */
export const WEBHOOK_WAITING_SLACK = 1000
/** Dead letters of a page. */
export const DEAD_LETTER_PAGE: Range = { min: 1, max: 100 }
/** Events that wait for a webhook, and dead letters of it, that the API counts: beyond it says "at least". */
export const WEBHOOK_COUNTED_MAX = 1000
/** Webhooks of a page. */
export const WEBHOOK_PAGE = 100
/** Milliseconds between looks at webhooks, and at what waits for them, when no notification came. */
export const WEBHOOKS_EVERY_MS = 5000
/** Milliseconds after which an alert that is not resolved is sent again, and after which it would end by itself. */
export const ALERT_RESEND_MS = 240_000
export const ALERT_LASTS_MS = 3 * ALERT_RESEND_MS
/** Milliseconds between looks at alerts that are to be sent again. */
export const ALERTS_EVERY_MS = 10_000
/** Events of a Slack message that are written in full; characters of a name, and of a reason. */
export const SLACK_LINES_MAX = 20
export const SLACK_TEXT_MAX = 300
/** Tests of webhooks (`POST …/test`) that one API process sends at one time. */
export const WEBHOOK_TESTS = 16
/** Look-ups of names at one time: libuv gives them half of its four threads, and each occupies one until it ends. */
export const WEBHOOK_LOOKUPS = 2
/** Milliseconds for which the addresses of a name are used again (as long as Java does). */
export const WEBHOOK_NAME_FRESH_MS = 30_000
/** Milliseconds for which they are used when another look-up takes long (RFC 8767 allows days for that). */
export const WEBHOOK_NAME_KEPT_MS = 600_000
/** Milliseconds that a look-up may take before what was known is used, or DNS is asked without a thread. */
export const WEBHOOK_NAME_PATIENCE_MS = 500
/** Names of one project whose addresses are kept: two for each of its webhooks. */
export const WEBHOOK_NAMES_PER_PROJECT = 2 * WEBHOOKS_PER_PROJECT
/** Milliseconds that a server of DNS may take to answer, and how often it is asked. */
export const WEBHOOK_DNS_MS = 1500
export const WEBHOOK_DNS_TRIES = 2
