/** Options of health monitors, both dialects. */
import type { Range } from '../range.ts'
import { FLAP_WINDOW, HTTP_BODY_MAX_BYTES, INTERVAL_FLOOR_MS } from './probing.ts'

/** Milliseconds between probes, whatever the state; the floor is the engine's for monitors with options. */
export const OPTION_INTERVAL_MS: Range = { min: INTERVAL_FLOOR_MS, max: 86_400_000 }
/** Milliseconds that one probe may take. */
export const OPTION_TIMEOUT_MS: Range = { min: 1, max: 3_600_000 }
/** Results in a row; beyond this nobody waits for a verdict. */
export const OPTION_THRESHOLD: Range = { min: 1, max: 1000 }
export const OPTION_RECOVERY_EXTRA: Range = { min: 0, max: 1000 }
/** Milliseconds that are added at random at most, and the percentages of the chosen interval (Kuma 0..100; HAProxy's spread 0..50). */
export const OPTION_JITTER_MS: Range = { min: 0, max: 86_400_000 }
export const OPTION_JITTER_PERCENT: Range = { min: 0, max: 100 }
export const OPTION_SPREAD_PERCENT: Range = { min: 0, max: 50 }
/** Results that flap damping looks at (0 = off), shares of changes among them, milliseconds for which a status is held. */
export const OPTION_FLAP_WINDOW: Range = { min: 0, max: FLAP_WINDOW.max }
export const OPTION_FLAP_PERCENT: Range = { min: 0, max: 100 }
export const OPTION_FLAP_HOLD_MS: Range = { min: 0, max: 86_400_000 }
/** Probes of one connection until it is made anew, and what holds when nothing is said. */
export const OPTION_FRESH_EVERY: Range = { min: 1, max: 10_000 }
export const FRESH_EVERY_DEFAULT = 10
/** Headers to add, to remove, and entries of gRPC metadata (Kuma 16 per list, Envoy 1000). */
export const OPTION_HEADERS_MAX = 32
/** Characters of a header's name (Kuma) and value. */
export const OPTION_HEADER_NAME_MAX = 256
export const OPTION_HEADER_VALUE_MAX = 2048
/** Ranges of statuses of one kind; a status stands in [start, end). */
export const OPTION_STATUS_RANGES_MAX = 32
export const OPTION_STATUS_START: Range = { min: 100, max: 599 }
export const OPTION_STATUS_END: Range = { min: 101, max: 600 }
/** Characters of the body of a request, of one expected block, and expected blocks. */
export const OPTION_BODY_MAX = 4096
export const OPTION_BLOCK_MAX = 1024
export const OPTION_BLOCKS_MAX = 16
/** Bytes of an answer's body that are searched; 0 = as many as a probe reads. */
export const OPTION_SEARCHED_BODY_BYTES: Range = { min: 0, max: HTTP_BODY_MAX_BYTES }
/** Bytes of the heads of one answer. */
export const OPTION_HEAD_BYTES: Range = { min: 256, max: 64 * 1024 }
/** Characters of a regular expression on bodies. */
export const OPTION_BODY_REGEX_MAX = 512
/** Characters of base64: what is sent on a connection (3 KiB), and one datagram that needs no fragments (1 452 bytes). */
export const OPTION_SEND_MAX = 4096
export const OPTION_DATAGRAM_MAX = 1936
/** Hexadecimal digits of a pattern for the start of a reply (keepalived). */
export const OPTION_REPLY_PATTERN_MAX = 512
/** Bytes of a reply by UDP (keepalived's min_reply_length and max_reply_length). */
export const OPTION_REPLY_LENGTH: Range = { min: 0, max: 65_535 }
/** Characters of a server name (RFC 1035), of a protocol name of ALPN (RFC 7301), and names of one offer. */
export const OPTION_SERVER_NAME_MAX = 253
export const OPTION_ALPN_MAX = 255
export const OPTION_ALPN_NAMES_MAX = 8
/** Characters of the name of a file in HM_TLS_DIR. */
export const OPTION_FILE_NAME_MAX = 255
/** Characters of an address, of a gRPC service and of an authority. */
export const OPTION_ADDRESS_MAX = 64
export const OPTION_GRPC_SERVICE_MAX = 255
export const OPTION_SERVICE_NAME_MAX = 255
export const OPTION_AUTHORITY_MAX = 255
/** Echo requests of one PING probe. */
export const OPTION_ECHO_COUNT: Range = { min: 1, max: 10 }
/**
 * Probes a second that the monitors of one project may ask for together (HM_PROBES_PER_SECOND_PER_PROJECT). -1 = unlimited.
 * The default is 250 000 members every 5 seconds: it stops a mistake, and what a project may have is the operator's to say.
 */
export const PROBES_PER_SECOND_PER_PROJECT: Range = { min: -1, max: 1_000_000 }
export const PROBES_PER_SECOND_PER_PROJECT_DEFAULT = 50_000
/**
 * Probes that the monitors of one project may ask for in flight, if no target answers: members x timeout / (timeout + delay)
 * (HM_IN_FLIGHT_PER_PROJECT). -1 = unlimited. A prober has as many as it has descriptors, and divides them by project anyway:
 * the default stops a mistake.
 */
export const IN_FLIGHT_PER_PROJECT: Range = { min: -1, max: 1_000_000 }
export const IN_FLIGHT_PER_PROJECT_DEFAULT = 50_000
/** Probes of a member that a plan foretells. */
export const PLANNED_PROBES = 5
/** Bytes of all options of one monitor as JSON: they are read with every change of the pool. */
export const OPTIONS_MAX_BYTES = 16 * 1024
