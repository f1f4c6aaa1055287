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
