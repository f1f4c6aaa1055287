/** Events: the outbox, streams, pages and how long they are kept. */
import type { Range } from './range.ts'

/** Days for which events are kept (HM_EVENTS_DAYS). */
export const EVENT_DAYS: Range = { min: 1, max: 365 }
export const EVENT_DAYS_DEFAULT = 7
/** Rows of the outbox that one statement moves; milliseconds between looks when no notification came. */
export const SEQUENCE_BATCH = 2000
export const SEQUENCE_EVERY_MS = 1000
/** Milliseconds between two of these statements of a process. */
export const SEQUENCE_PAUSE_MS = 20
/** Milliseconds, half of them to all, that a process waits for the one that does it before it looks itself. */
export const SEQUENCE_STAND_BY_MS = 100
/** Events that the feed of an API process reads at once; events that it keeps for streams that reconnect. */
export const FEED_BATCH = 1000
export const FEED_KEPT = 5000
/** Milliseconds between looks at new events when no notification came. */
export const FEED_EVERY_MS = 1000
/** Events of a page of `GET /v1/events`; positions that one page looks at for a filter that few match. */
export const EVENT_PAGE: Range = { min: 1, max: 1000 }
export const EVENT_PAGE_DEFAULT = 100
export const EVENT_PAGE_POSITIONS = 20_000
/** Seconds that `wait` of a page may be; a wait takes no connection to PostgreSQL. */
export const EVENT_WAIT_SECONDS: Range = { min: 0, max: 60 }
/** Milliseconds between heartbeats of a stream; proxies close a connection after 60 s without a byte. */
export const STREAM_HEARTBEAT_MS = 15_000
/** Streams that get their heartbeat in one turn of the event loop. */
export const STREAM_HEARTBEATS_PER_TURN = 200
/** Streams whose tokens are looked up again at the same time: half of KEYSTONE_CONNECTIONS, so that requests have the rest. */
export const STREAM_CHECKS = 4
/** Streams and waits of one API process together; a project holds at most four times what is free. */
export const STREAMS_MAX = 16_000
/** A stream that is more bytes behind than this is closed; its reader reconnects with Last-Event-ID. */
export const STREAM_BACKLOG_BYTES = 16_777_216
/** While all streams of a process together are more bytes behind than this, each stream that exceeds the next limit is closed. */
export const STREAMS_BACKLOG_BYTES = 67_108_864
/** A stream that is at most this many bytes behind is never closed. */
export const STREAM_BACKLOG_SMALL_BYTES = 16_384
/** Events that are sent to a stream before it waits until they are written to the socket. */
export const STREAM_BATCH = 500
/** Milliseconds after which a reader whose stream ended reconnects. */
export const STREAM_RETRY_MS = 2000
/** Certificates that one run of the clock reports, of those that have expired and of those that will. */
export const CERTIFICATES_PER_RUN = 1000
/** Milliseconds without a living owner after which events say that the members of a shard are stale: by then a prober was restarted. */
export const UNOWNED_GRACE_MS = 15_000
