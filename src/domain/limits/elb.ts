/** Dialect elb (ELB API reference, shared load balancers). */
import type { Range } from '../range.ts'
import { INT4_MAX } from './api.ts'

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
/** -1 = unlimited; stored and echoed only. */
export const CONNECTION_LIMIT: Range = { min: -1, max: INT4_MAX }
/** Characters of the name of a session cookie (Octavia; the ELB reference says 255 for APP_COOKIE). */
export const COOKIE_NAME_MAX = 255
/** Tags of one object; key and value characters (ELB tag API). */
export const TAGS_MAX = 20
export const TAG_KEY_MAX = 36
export const TAG_VALUE_MAX = 43
