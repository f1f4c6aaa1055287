/** Uptime: its windows, the sums of days, and what one reading of it may take. */
import type { Range } from './range.ts'

/** Hours of the windows of an uptime. */
export const UPTIME_WINDOWS_HOURS = [24, 168, 720, 2160] as const
/** Transitions that one uptime reads; the default of how many are kept of a member. */
export const UPTIME_CHANGES_MAX = 1000
/** Days back from now of which transitions and times that stand apart are read; older days have their sums only. */
export const UPTIME_FACTS_DAYS = 31
/** Days for which the sums of a day are kept (HM_UPTIME_DAYS). The longest window needs 91. */
export const UPTIME_DAYS: Range = { min: 91, max: 3650 }
export const UPTIME_DAYS_DEFAULT = 400
/**
 * Milliseconds after its end from which a day is summed: what was decided in it is written by then, also by a prober whose clock
 * is some seconds off, or which had to take over shards (the lease).
 */
export const UPTIME_DAY_CLOSES_AFTER_MS = 60_000
/** Members and pools whose day one statement sums; transitions, and times that stand apart, of each of them that it reads. */
export const UPTIME_OBJECTS_PER_STATEMENT = 256
export const UPTIME_CHANGES_PER_STATEMENT = 200
/** Milliseconds of one pass of retention that go to the sums of days, and to those of deleted objects, so that the rest is not held up. */
export const UPTIME_SUMS_PER_PASS_MS = 30_000
/** First verdicts of new generations that are kept of a member, the newest (migration 0037). */
export const UPTIME_VERDICTS_KEPT = 100
/** Deleted members and pools whose sums one statement looks for, shared by their projects. */
export const UPTIME_GONE_PER_STATEMENT = 500
