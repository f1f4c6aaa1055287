/** What a request may cost before it is parsed, and how shared resources of requests are divided by project. */

/** Bytes of a request body: one object with every attribute at its longest in ASCII. */
export const BODY_MAX_BYTES = 64 * 1024
/** The same of batches and of the create of a load balancer with all below it: 5 000 members with room. */
export const LARGE_BODY_MAX_BYTES = 4 * 1024 * 1024
/** Levels of arrays and objects: the deepest that is read, options inside a create of a load balancer, has 9. */
export const BODY_DEPTH_MAX = 32
/** Keys of one object: the richest, the options of a monitor and a listener, have fewer than 40. */
export const BODY_KEYS_MAX = 128
/** Keys and items in all. */
export const BODY_VALUES_MAX = 5000
/** The same of large bodies: 5 000 members with 19 attributes each and room for tags. */
export const LARGE_BODY_VALUES_MAX = 200_000
/** Bytes of bodies that one process holds at one time, divided by project. */
export const BODIES_MAX_BYTES = 64 * 1024 * 1024

/**
 * Connections of the API to PostgreSQL that no project gets: for `/healthcheck`, and for requests that release theirs
 * late.
 */
export const API_CONNECTIONS_KEPT = 2
/** Requests of one project that wait for a connection, and milliseconds until one has waited too long. */
export const PROJECT_WAITING_MAX = 200
export const PROJECT_WAIT_MS = 3000

/** Milliseconds of one slice of long work, after which others get their turn; items between two looks at the clock (api/http/slices.ts). */
export const SLICE_MS = 5
export const SLICE_LOOK_EVERY = 8
/** Bytes of a body from which its parsing is a slice of its own. */
export const SLICED_BODY_BYTES = 128 * 1024

/** Bytes of one page of a list, as JSON: then it ends, with a link to what follows. */
export const PAGE_MAX_BYTES = 8 * 1024 * 1024

/** A page of more rows than this is large, also where fewer are there; of such pages so many are read at one time, divided by project. */
export const LARGE_PAGE_ROWS = 200
export const LARGE_PAGES_AT_ONCE = 2

/**
 * Rows of lists that one process keeps rendered, divided by project: their bytes, what a row takes beside its text, and the
 * milliseconds for which they are kept at least. What nobody lists is kept at most twice as long, what is listed until it
 * has that age.
 */
export const RENDERED_ROWS_MAX_BYTES = 64 * 1024 * 1024
export const RENDERED_ROW_BYTES = 256
export const RENDERED_ROWS_KEPT_MS = 30_000
export const RENDERED_ROW_AGE_MS = 300_000
