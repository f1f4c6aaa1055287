/** Limits of clusters and zones. Where Grey Matter has none, they are ours. */
import type { Range } from '../limits/range.ts'

/** Characters of keys, names and values of metadata. */
export const TEXT_MAX = 255
/** Characters of a host: those of a name of DNS. */
export const HOST_MAX = 253
/** Instances of one cluster: as many as a batch of members may have. */
export const INSTANCES_MAX = 5000
/** Metadata of one instance. */
export const METADATA_MAX = 64
/** Bytes of all clusters of a project as JSON: the API has no pages, so one answer lists them all. */
export const PROJECT_CLUSTERS_MAX_BYTES = 8 * 1024 * 1024
/** Zones of a project: one answer lists them all. */
export const PROJECT_ZONES_MAX = 500
/** Objects of one request that applies several. */
export const APPLIED_MAX = 1000
/** Bytes of a zone as JSON. */
export const ZONE_MAX_BYTES = 4096
/** Entries of the parameter `filters`. */
export const FILTERS_MAX = 50
export const INSTANCE_PORT: Range = { min: 1, max: 65_535 }
/** Results in a row where the document does not say how many (the library of the API: required). */
export const THRESHOLD_DEFAULT = 3
/** The zone that a cluster may name before anybody has made it: configurations of Grey Matter are written for it. */
export const DEFAULT_ZONE = 'default-zone'
