/** Dialect elb (ELB API reference, shared load balancers). */
import type { Range } from '../../../domain/limits.ts'

export const ELB_DELAY_SECONDS: Range = { min: 1, max: 50 }
export const ELB_TIMEOUT_SECONDS: Range = { min: 1, max: 50 }
export const ELB_WEIGHT: Range = { min: 0, max: 100 }
export const ELB_WEIGHT_DEFAULT = 1
export const ELB_URL_PATH_MAX = 80
export const ELB_DOMAIN_NAME_MAX = 100
export const ELB_EXPECTED_CODES_MAX = 64
export const ELB_ADDRESS_MAX = 64
/** Members of one batch PUT. */
export const ELB_BATCH_MAX = 200
/** Minutes; HTTP pools may keep a session for a day. */
export const ELB_PERSISTENCE_MINUTES_L4: Range = { min: 1, max: 60 }
export const ELB_PERSISTENCE_MINUTES_HTTP: Range = { min: 1, max: 1440 }
/** VXLAN's port is refused for UDP listeners. */
export const ELB_UDP_PORT_RESERVED = 4789
/** Characters of a certificate's id or reference, and certificates for server name indication of one listener. */
export const ELB_CONTAINER_REF_MAX = 128
export const ELB_SNI_REFS_MAX = 30
/** Characters of keys and values of tags (ELB tag API). */
export const TAG_KEY_MAX = 36
export const TAG_VALUE_MAX = 43
