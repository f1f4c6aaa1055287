/** Waits for a status: `wait_for` of the health of members and pools. */
import type { Range } from './range.ts'

/** Seconds that a wait may last (`timeout`); proxies close a connection after 60 s without a byte. */
export const HEALTH_WAIT_SECONDS: Range = { min: 1, max: 60 }
export const HEALTH_WAIT_SECONDS_DEFAULT = 30
/** Milliseconds between two looks when no event came: some changes of the configuration make none. */
export const HEALTH_WAIT_LOOK_MS = 5000
/** Milliseconds at least between two looks of one wait, however many events come: 20 looks a second. */
export const HEALTH_WAIT_PAUSE_MS = 50
/** Milliseconds after which a wait looks again when its project was too busy for a look. */
export const HEALTH_WAIT_BUSY_MS = 500
