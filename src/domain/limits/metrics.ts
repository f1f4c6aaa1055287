/** Upper bounds of the histograms. */

/** Seconds: upper bounds of the histograms. Probes end by their timeout; lateness beyond a second is trouble. */
export const PROBE_SECONDS_BUCKETS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
] as const
export const LATENESS_SECONDS_BUCKETS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const
export const REQUEST_SECONDS_BUCKETS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15,
] as const
/**
 * Milliseconds between two readings of the metrics of the whole service; and its shortest pause, as a multiple of its
 * duration.
 */
export const SERVICE_FACTS_EVERY_MS = 10_000
export const SERVICE_FACTS_REST = 20
/** Milliseconds that a scrape waits for such a reading; then it gets the one before. */
export const SERVICE_FACTS_WAIT_MS = 2000
/** Rows of one flush of the result writer. */
export const FLUSH_ROWS_BUCKETS = [1, 10, 50, 100, 250, 500, 1000] as const
/**
 * `/metrics/pools` and `/metrics/members`: rows that are read at once (their answer and their text take some milliseconds), rows
 * that are exported, compressed bytes that are kept, and milliseconds for all of a reading; what is beyond is left out, and said.
 * Prometheus waits for 10 s, unless its settings say otherwise.
 */
export const FIGURES_ROWS = 500
export const FIGURES_MAX = { pools: 20_000, members: 200_000 } as const
export const FIGURES_BYTES_MAX = 64 * 1024 * 1024
export const FIGURES_MS = 7000
/** Milliseconds of its transaction: longer, so that it ends by itself. */
export const FIGURES_TRANSACTION_MS = 9500
/** Milliseconds for which a reading is served; and its shortest pause, as a multiple of its duration. */
export const FIGURES_EVERY_MS = 10_000
export const FIGURES_REST = 5
/** Milliseconds until a reading that failed is tried again. */
export const FIGURES_RETRY_MS = 1000
/** Characters of text that are compressed at once. */
export const FIGURES_CHUNK = 128 * 1024
/** Readers at one time, and milliseconds that one may take. */
export const FIGURES_READERS = 4
export const FIGURES_SEND_MS = 30_000
