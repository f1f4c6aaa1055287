/** Access of sites to NATS (docs/nats-accounts.md). */

/**
 * Subscriptions of one connection of a site: a prober has a few; a leaf node passes on those of all probers of its site.
 * So a stolen credential cannot fill the memory of the hub.
 */
export const PROBER_SUBSCRIPTIONS_MAX = 10_000
/** Bytes of the file of keys: 1000 sites have about 300 kB. */
export const NATS_KEYS_MAX_BYTES = 8 * 1024 * 1024
/**
 * What the account of a site may hold at the hub: bytes on disk, which the server sets aside (the relay's streams have 2.3
 * GiB at most), bytes of memory, streams and buckets (the relay makes four), and consumers (a prober has two, and the server
 * keeps those of one that died for some minutes).
 */
export const NATS_SITE_DISK_MAX_BYTES = 3 * 1024 * 1024 * 1024
export const NATS_SITE_MEMORY_MAX_BYTES = 16 * 1024 * 1024
export const NATS_SITE_STREAMS_MAX = 8
export const NATS_SITE_CONSUMERS_MAX = 500
