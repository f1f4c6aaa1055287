/** The host: embedded PostgreSQL, child processes, shutdown, log. */
import type { Range } from './range.ts'

/** Milliseconds for the embedded PostgreSQL to accept connections (crash recovery included), then a start has failed. */
export const POSTGRES_START_TIMEOUT_MS = 120_000
/** Milliseconds for a fast shutdown, then for an immediate one, then SIGKILL. */
export const POSTGRES_FAST_STOP_MS = 15_000
export const POSTGRES_IMMEDIATE_STOP_MS = 5000
/** Milliseconds between looks at a starting or stopping PostgreSQL. */
export const POSTGRES_POLL_MS = 10
/** Milliseconds of back-off before an embedded PostgreSQL that died is started again. */
export const POSTGRES_RESTART_MS: Range = { min: 200, max: 10_000 }
/** Milliseconds to wait for a service that is just ending to leave its data folder. */
export const FOLDER_LOCK_WAIT_MS = 1000
/** Bytes after which the log of the embedded PostgreSQL is set aside at start; one old file is kept. */
export const POSTGRES_LOG_MAX_BYTES = 10 * 1024 * 1024
/** Connections of the embedded PostgreSQL: API, many probers, people with psql, parallel tests. */
export const POSTGRES_MAX_CONNECTIONS = 200
/** Prober processes of one `serve` (HM_PROBERS). 0 = API only. */
export const PROBERS: Range = { min: 0, max: 64 }
export const PROBERS_DEFAULT = 1
/** Milliseconds that a graceful stop may take: requests in flight and probers that release their shards; then SIGKILL. */
export const DRAIN_TIMEOUT_MS = 10_000
/** Milliseconds of back-off before a child process that died is started again. */
export const CHILD_RESTART_MS: Range = { min: 200, max: 30_000 }
/** Milliseconds that a child must have lived for its back-off to start from the shortest again. */
export const CHILD_STABLE_MS = 30_000
/** Milliseconds to wait for a child's metrics when /metrics is read. */
export const METRICS_TIMEOUT_MS = 2000
/** Bytes of log lines that wait for a slow reader; further lines are dropped. */
export const LOG_BUFFER_MAX_BYTES = 1024 * 1024
/** Bytes after which a write of log lines is not made longer: what a pipe of Linux holds. */
export const LOG_WRITE_MAX_BYTES = 64 * 1024
/** Milliseconds after which a failed write of the log is repeated: its reader may be slow, full or closed. */
export const LOG_RETRY_MS = 1000
export const LOG_SLOW_RETRY_MS = 50
/** Milliseconds that an orderly end waits for the last log lines to be written. */
export const LOG_FLUSH_WITHIN_MS = 250
/** Bytes of a file that holds one setting (`…_FILE`), a certificate chain or a key: more is not such a file. */
export const SETTING_FILE_MAX_BYTES = 64 * 1024
/** Milliseconds that a TLS handshake with one of our listeners may take: less than DRAIN_TIMEOUT_MS, which waits for it. */
export const TLS_HANDSHAKE_TIMEOUT_MS = 5000
