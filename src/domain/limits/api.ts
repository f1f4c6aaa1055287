/**
 * What more than one dialect accepts and returns: names, ports, bodies, pages, quotas; and the widest of all dialects.
 */
import type { Range } from './range.ts'

/** PostgreSQL `integer`, the widest whole number that Octavia's clients may send. */
export const INT4_MAX = 2_147_483_647
/** Characters of names, descriptions, project ids (Neutron NAME_MAX_LEN, DESCRIPTION_MAX_LEN; ELB API reference). */
export const NAME_MAX = 255
export const DESCRIPTION_MAX = 255
export const PROJECT_ID_MAX = 255
/** TCP and UDP ports of members, listeners and monitors (ELB API reference; Octavia api-ref). */
export const PORT: Range = { min: 1, max: 65_535 }
/** `max_retries`, `max_retries_down` (ELB and Octavia alike). */
export const RETRIES: Range = { min: 1, max: 10 }
/** Failures to OFFLINE when `max_retries_down` is absent (ELB v3 documentation; Octavia). */
export const MAX_RETRIES_DOWN_DEFAULT = 3
/** HTTP status codes (RFC 9110 section 15). */
export const HTTP_STATUS: Range = { min: 100, max: 599 }
/** Largest page of a list, and the page of a list without `limit`; HM_PAGE_MAX. */
export const PAGE_MAX_DEFAULT = 2000
export const PAGE_MAX: Range = { min: 1, max: 10_000 }
/** Bytes of a URL, as Node's header limit bounds it too. */
export const URL_MAX_BYTES = 8 * 1024
/** Members of one status tree: it has no pages, and 20 000 members are a body of about 5 MB. */
export const STATUS_TREE_MEMBERS_MAX = 20_000
/** Members that a filter by status reads one by one. If more may match, reading all members in order fills a page sooner. */
export const STATUS_CANDIDATES_MAX = 10_000
/** Members that a filter by status looks at beyond those that a page needs: some may have changed meanwhile. */
export const STATUS_CANDIDATES_SPARE = 20
/** A page that was not filled looks at so many times as many members next. */
export const STATUS_CANDIDATES_GROWTH = 4
/**
 * Pools of which a filter by status reads the members that match. If there are more, so many members match that
 * reading all members in order fills a page sooner.
 */
export const STATUS_POOLS_MAX = 5000
/** Values of one query parameter, and parameters of one request. */
export const QUERY_VALUES_MAX = 200

// The widest of all dialects, for the database's constraints.
export const URL_PATH_MAX = 2048
export const DOMAIN_NAME_MAX = 255
export const EXPECTED_CODES_MAX = 64
/** Characters of a host name, a final dot not counted (RFC 1035 section 2.3.4). */
export const HOST_NAME_MAX = 253

/** Connections of a listener; -1 = unlimited. Only stored and returned. */
export const CONNECTION_LIMIT: Range = { min: -1, max: INT4_MAX }
/** Characters of the name of a session cookie (Octavia; the ELB reference says 255 for APP_COOKIE). */
export const COOKIE_NAME_MAX = 255
/** Tags of one object on the paths of tags (ELB tag API). */
export const TAGS_MAX = 20
/** Seconds: HM_UDP_MIN_DELAY, the shortest delay of UDP-CONNECT monitors, in dialects that have such a limit. */
export const UDP_MIN_DELAY_SECONDS: Range = { min: 1, max: 3600 }
export const UDP_MIN_DELAY_SECONDS_DEFAULT = 3

// Quotas.
/** Objects of one project; -1 = unlimited (HM_QUOTA_*). */
export const QUOTA: Range = { min: -1, max: INT4_MAX }
export const QUOTA_DEFAULT = -1
/** Characters of a path, and names of fields, in a line of the log; entries of X-Forwarded-For that are looked at. */
export const LOGGED_PATH_MAX = 2048
export const AUDIT_NAMES_MAX = 64
export const FORWARDED_HOPS_MAX = 32
/** Milliseconds between two looks at a PostgreSQL that is away. */
export const STORE_WATCH_EVERY_MS = 500
/** Members of a created tree that one statement reads back: its rows are converted in one piece. */
export const TREE_MEMBERS_PER_STATEMENT = 1000
/** Members that one statement of a door writes: others have their turn of the event loop between two of them. */
export const DOOR_MEMBERS_PER_STATEMENT = 1000
/** Seconds for which a browser keeps the files of the page of the API; a new version of the service may bring new ones. */
export const DOCS_ASSET_MAX_AGE_SECONDS = 3600
