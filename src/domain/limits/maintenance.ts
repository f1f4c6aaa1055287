/** Maintenances, and recurring ones: what a rule may say, and how much work it may cost. */
import type { Range } from './range.ts'

/** Characters of the note of a maintenance. */
export const MAINTENANCE_NOTE_MAX = 255
/** Milliseconds between looks at whether a maintenance that withholds a verdict is over. */
export const WITHHELD_LOOK_EVERY_MS = 250

/**
 * No occurrence of a recurring maintenance ends after this year, in UTC: the times of one that happens once are of the years
 * 2000 to 2999 too. From the year 10000 on the text of a time has a sign and more digits, which PostgreSQL does not read.
 */
export const MAINTENANCE_LAST_YEAR = 2999
/** Characters of the text of a rule (RFC 5545 RRULE). */
export const RRULE_MAX = 300
/** INTERVAL of a rule: days, weeks, months or years between two periods in which it occurs. */
export const RRULE_INTERVAL: Range = { min: 1, max: 366 }
/** COUNT of a rule. Occurrences are counted from the first one each time, so it bounds work. */
export const RRULE_COUNT: Range = { min: 1, max: 366 }
/** Values of one BY part of a rule: every day of a month is the longest list that says something. */
export const RRULE_LIST_MAX = 31
/** Characters of the name of a time zone; the longest of the IANA database has 32. */
export const TIME_ZONE_MAX = 64
/** Seconds that an occurrence lasts: from a minute to a leap year. */
export const RECURRENCE_DURATION: Range = { min: 60, max: 366 * 86_400 }
/** Days that are left out of a recurrence. */
export const RECURRENCE_EXCEPT_MAX = 50
/**
 * Calendar days that one look for occurrences examines: 27 years of a daily rule. This bounds the event loop's time for
 * any rule, also for one that never occurs: about 1 ms.
 */
export const RECURRENCE_DAYS_MAX = 10_000
/** Consecutive occurrences of a new rule that are checked for overlaps. */
export const RECURRENCE_OVERLAPS_CHECKED = 64
/** Occurrences with less than this between them are one, in milliseconds. */
export const RECURRENCE_JOIN_MS = 60_000
/** Occurrences that may become one. */
export const RECURRENCE_JOINED_MAX = 31
/** Days before now in which occurrences are sought that became one with a later one. */
export const RECURRENCE_LOOK_BACK_DAYS = 366
/** Occurrences that are stored with a maintenance: the one that lasts or comes next, and those after it. */
export const RECURRENCE_KEPT = 4
/** Milliseconds between looks for maintenances whose occurrence is over. */
export const RECURRENCE_EVERY_MS = 1000
/** Maintenances of a kind of object that one transaction moves on, shared by the projects that have some. */
export const RECURRENCE_BATCH = 100
