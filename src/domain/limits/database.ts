/** Connections to PostgreSQL, and how long anything may wait for it. */

/** Connections of one process: API, prober. */
export const API_CONNECTIONS = 16
export const PROBER_CONNECTIONS = 3
/** Milliseconds: wait for a connection, for a lock, for a statement. */
export const ACQUIRE_TIMEOUT_MS = 3000
export const LOCK_TIMEOUT_MS = 5000
export const STATEMENT_TIMEOUT_MS = 8_000
/** Milliseconds without an answer after which a connection is closed: longer than any statement may run. */
export const ANSWER_TIMEOUT_MS = 10_000
/** Milliseconds until a rollback is done; then its connection is closed. */
export const ROLLBACK_TIMEOUT_MS = 5000
/** Milliseconds that an idle connection is kept; milliseconds that its close may take, then it is destroyed. */
export const IDLE_CONNECTION_MS = 30_000
export const CLOSE_TIMEOUT_MS = 5000
/** Statements that a connection keeps parsed and planned. */
export const NAMED_STATEMENTS_MAX = 250
/** Milliseconds that one transaction of the API may take, BEGIN and COMMIT included. */
export const TRANSACTION_TIMEOUT_MS = 12_000
/** Tries of a transaction after a deadlock or a serialization failure, and seconds in Retry-After. */
export const TRANSACTION_TRIES = 8
export const RETRY_AFTER_SECONDS = 2
/** Milliseconds: the pause after try n is random, and shorter than this times 2^n. */
export const TRANSACTION_PAUSE_MS = 10
/** Milliseconds between two notifications of one process: what is committed meanwhile is one notification. */
export const NOTICE_PAUSE_MS = 10
/** Milliseconds that a start waits for a PostgreSQL that does not answer yet, and between its tries. */
export const DATABASE_WAIT_MS = 30_000
export const DATABASE_RETRY_MS = 500
