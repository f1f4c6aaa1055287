/** Dialect octavia (Octavia api-ref and source). */
import { HOST_NAME_MAX, INT4_MAX, type Range } from '../../../domain/limits.ts'

/** Characters of a tag, and of `project_id` in a body. */
export const OCTAVIA_TAG_MAX = 255
/** Tags of one object. */
export const OCTAVIA_TAGS_MAX = 50
/** Items of the other lists of one object: networks that may connect, certificates, security groups, further addresses. */
export const OCTAVIA_CIDRS_MAX = 1000
export const OCTAVIA_SNI_REFS_MAX = 100
export const OCTAVIA_SECURITY_GROUPS_MAX = 50
export const OCTAVIA_ADDITIONAL_VIPS_MAX = 32
/** TLS has six versions, SSL 3 included, and ALPN three protocols that Octavia knows. */
export const OCTAVIA_TLS_VERSIONS_MAX = 8
export const OCTAVIA_ALPN_PROTOCOLS_MAX = 8
export const OCTAVIA_PROJECT_ID_MAX = 36
export const OCTAVIA_WEIGHT: Range = { min: 0, max: 256 }
export const OCTAVIA_WEIGHT_DEFAULT = 1
/** Members of one batch PUT. */
export const OCTAVIA_BATCH_MAX = 5000
/** Members of one create of a load balancer, as of a batch; pools, and listeners, of one. */
export const OCTAVIA_TREE_MEMBERS_MAX = OCTAVIA_BATCH_MAX
export const OCTAVIA_TREE_PARENTS_MAX = 500
/** Milliseconds of the timeouts of listeners; stored and echoed only. */
export const OCTAVIA_TIMEOUT_MS: Range = { min: 0, max: 2_073_600_000 }
/** Characters of references to certificates, of cipher lists, of names of TLS versions, of values of inserted headers. */
export const OCTAVIA_REFERENCE_MAX = 255
export const OCTAVIA_TLS_CIPHERS_MAX = 2048
export const OCTAVIA_TLS_VERSION_MAX = 32
export const OCTAVIA_HEADER_VALUE_MAX = 255
/** Seconds for which browsers remember that a site speaks TLS only; stored and echoed only. */
export const OCTAVIA_HSTS_SECONDS: Range = { min: 0, max: INT4_MAX }
/** Characters of the names of providers and of availability zones. */
export const OCTAVIA_PROVIDER_MAX = 64
export const OCTAVIA_ZONE_MAX = 255
/** -1 = unlimited. Octavia's `MAX_QUOTA`. */
export const OCTAVIA_QUOTA: Range = { min: -1, max: 2_000_000_000 }
/** A final dot not counted; what is longer than DOMAIN_NAME_MAX gets another sentence. */
export const OCTAVIA_DOMAIN_NAME_MAX = HOST_NAME_MAX
