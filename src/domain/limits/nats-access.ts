/** Access of sites to NATS (docs/nats-accounts.md). */

/**
 * Subscriptions of one connection of a site: a prober has a few; a leaf node passes on those of all probers of its site.
 * So a stolen credential cannot fill the memory of the hub.
 */
export const PROBER_SUBSCRIPTIONS_MAX = 10_000
/** Bytes of the file of keys: 1000 sites have about 300 kB. */
export const NATS_KEYS_MAX_BYTES = 8 * 1024 * 1024
