/** Public pages: how many there are, what they show, and what strangers may cost. */

/** Pages of one project, pools of one page, characters of a title. */
export const PUBLIC_PAGES_PER_PROJECT = 50
export const PUBLIC_PAGE_POOLS_MAX = 100
export const PUBLIC_PAGE_TITLE_MAX = 255
/** Pages of one answer of the list. */
export const PUBLIC_PAGES_LISTED = 100
/** Random bytes of a link: 192 bits. */
export const PUBLIC_TOKEN_BYTES = 24
/** Members of one pool that a page shows, those with trouble first. */
export const PUBLIC_POOL_MEMBERS_MAX = 50
/** Days of the strip of days of a pool. */
export const PUBLIC_DAYS = 90
/** Milliseconds of a day of which something must be known for the day to have a bar. */
export const PUBLIC_DAY_KNOWN_MS = 60_000
/** Days back from now of which a page reads transitions of pools: the first hours of the last 24 may be of yesterday. */
export const PUBLIC_FACTS_DAYS = 2
/** Transitions of one pool that a page reads. */
export const PUBLIC_CHANGES_MAX = 200
/** Milliseconds for which the answer of a link is used again, and after which a link is looked up again. */
export const PUBLIC_ANSWER_MS = 5000
export const PUBLIC_LINK_MS = 1000
/** Milliseconds after its last use for which an answer is kept. */
export const PUBLIC_ANSWER_KEPT_MS = 60_000
/** Bytes of the answers that one process keeps, divided by project; bytes that an answer counts for beside its text. */
export const PUBLIC_ANSWERS_BYTES = 32 * 1024 * 1024
export const PUBLIC_ANSWER_OVERHEAD_BYTES = 1024
/** Look-ups of links at one time, divided by client; of one client those that wait, and milliseconds until one has waited too long. */
export const PUBLIC_LOOK_UPS = 2
export const PUBLIC_LOOK_UPS_WAITING = 20
export const PUBLIC_LOOK_UP_WAIT_MS = 3000
/** Unknown links that one client may ask for within a window of so many milliseconds; clients that are remembered. */
export const PUBLIC_UNKNOWN_PER_CLIENT = 60
export const PUBLIC_UNKNOWN_WINDOW_MS = 60_000
export const PUBLIC_CLIENTS_MAX = 20_000
/** Seconds for which browsers and proxies may keep an answer, and a badge. */
export const PUBLIC_MAX_AGE_SECONDS = 5
export const PUBLIC_BADGE_MAX_AGE_SECONDS = 30
/** The part of a window of which something must be known for a badge to say its uptime, as on the page (src/web). */
export const PUBLIC_COVERAGE_MIN = 0.01
/** Characters of a name on a badge; what is longer is cut. */
export const PUBLIC_BADGE_TEXT_MAX = 60
