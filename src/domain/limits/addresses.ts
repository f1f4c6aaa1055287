/** Addresses from HM_VIP_RANGE for load balancers without one. */

/** HM_VIP_RANGE: for tests of network devices (RFC 2544, RFC 6890), never routed. */
export const VIP_RANGE_DEFAULT = '198.18.0.0/15'
/** Most addresses of a range that are used, however wide it is. */
export const VIP_RANGE_SIZE_MAX = 2 ** 32 - 1
/** A project may hold at most so many times what is still free (dynamic threshold: Choudhury and Hahne, 1998). */
export const VIP_SHARE_OF_FREE = 4
/** Candidates in the range that are tried for one load balancer before the first free address is looked for. */
export const VIP_PLACES_TRIED = 8
/** Load balancers without an address that are given one by one statement, when the API starts. */
export const VIP_BACKFILL_ROWS = 1000
