/** Commands that call a running service: `status`, `events`, `wait`, `health`, `maintenance`, `probe`, `webhook`. */
import type { Range } from './range.ts'

/** Milliseconds for one response of the service or of Keystone, connecting included. The time of a wait is added. */
export const CLIENT_TIMEOUT_MS = 20_000
/** Bytes of one answer: a page ends at 8 MiB. */
export const CLIENT_BODY_MAX_BYTES = 16 * 1024 * 1024
/** Milliseconds of silence after which a stream is opened anew: three heartbeats. */
export const CLIENT_SILENCE_MS = 45_000
/** Milliseconds before a stream is opened again: twice as many after each failure. */
export const CLIENT_RETRY_MS: Range = { min: 500, max: 15_000 }
/** Bytes of one event. */
export const CLIENT_EVENT_MAX_BYTES = 1024 * 1024
/** Seconds that `wait` may wait in all, and its default. */
export const CLIENT_WAIT_SECONDS: Range = { min: 1, max: 86_400 }
export const CLIENT_WAIT_SECONDS_DEFAULT = 300
/** Milliseconds before `wait` sends another request after the service was unreachable or too busy. */
export const CLIENT_WAIT_RETRY_MS = 1000
/** Objects of one name that a message lists. */
export const CLIENT_NAMED_MAX = 10
/** Pools that `status` shows, members of each of them, and changes. */
export const STATUS_POOLS: Range = { min: 1, max: 1000 }
export const STATUS_POOLS_DEFAULT = 20
export const STATUS_MEMBERS_OF_POOL = 10
/** Pages of OVERVIEW_PAGE pools that `status` reads; pools whose members it reads at the same time. */
export const STATUS_PAGES_MAX = 20
export const STATUS_POOLS_AT_ONCE = 4
/** Milliseconds between two drawings of `status --watch` without an event, and at least with many. */
export const WATCH_EVERY_MS = 10_000
export const WATCH_PAUSE_MS = 500
/** Events that `events` shows, and of those before that `events --follow` begins with. */
export const EVENTS_SHOWN: Range = { min: 0, max: 1000 }
export const EVENTS_SHOWN_DEFAULT = 20
/** Pages of webhooks that are looked through for a name. */
export const CLIENT_WEBHOOK_PAGES_MAX = 20
/** Dead letters that `webhook dead-letters` shows. */
export const LETTERS_SHOWN: Range = { min: 1, max: 10_000 }
export const LETTERS_SHOWN_DEFAULT = 20
/** Milliseconds beside CLIENT_TIMEOUT_MS that the test of a webhook may take: its own limit. */
export const CLIENT_WEBHOOK_TEST_MS = 16_000
/** Bytes of a file with secrets, or with a URL. */
export const CLIENT_SECRET_FILE_MAX_BYTES = 8192
/** Bytes of a file of objects that are applied: as many as a large request may have. */
export const APPLY_FILE_MAX_BYTES = 4 * 1024 * 1024
