/** Commands for people: `sql`, `dump` and `restore`; and the line of progress. */

/** Rows that `healthmonitor sql` prints; further rows are only counted. */
export const SQL_ROWS_MAX = 10_000
/** Milliseconds that a statement of `healthmonitor sql` may take. */
export const SQL_TIMEOUT_MS = 60_000
/** Bytes of one line of a dump that is not data: the longest is the first, with the names of all migrations. */
export const DUMP_LINE_MAX_BYTES = 64 * 1024
/** Milliseconds between two drawings of a progress line, and seconds of one step from which they are shown. */
export const PROGRESS_EVERY_MS = 100
export const PROGRESS_SECONDS_AFTER = 3
