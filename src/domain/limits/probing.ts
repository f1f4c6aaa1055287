/** One probe: what it may send, read, hold and remember. */
import type { Range } from './range.ts'

/** Milliseconds: shortest delay and timeout that the engine probes with (Octavia allows 0). */
export const ENGINE_FLOOR_MS = 1000
/** Milliseconds: shortest time between two probes of one check, whatever its options say (Contrail asks for 0). */
export const INTERVAL_FLOOR_MS = 100
/** The defaults of the unified model (docs/state-machine.md); milliseconds. */
export const UNIFIED_DEFAULT = { rise: 3, fall: 3, intervalMs: 5000 } as const
/** 21 results, as Nagios looks at; flapping from 50 % changes on, over at 25 % (docs/state-machine.md). */
export const FLAP_DEFAULT = { window: 21, highPercent: 50, lowPercent: 25 } as const
/** Bytes of JSON that `simulate` reads. */
export const SIMULATION_INPUT_MAX_BYTES = 32 * 1024 * 1024
/** Results that flap damping looks at; their changes are the bits of one number. */
export const FLAP_WINDOW: Range = { min: 3, max: 31 }
/** Bytes of `detail` of a result. */
export const MAX_DETAIL_BYTES = 128
/** Bytes read of a response head and of a body before the probe closes the connection. */
export const HTTP_HEAD_MAX_BYTES = 16 * 1024
export const HTTP_BODY_MAX_BYTES = 64 * 1024
/**
 * A regular expression on bodies: its parts with their repetitions written out, as how many parts a class of Unicode
 * counts, the cells of its table (2 bytes each), and the steps in which its alphabet and its table are made. Together they
 * keep what a pattern costs at about 10 ms of CPU, once per monitor (cold, in a new process: 50 ms).
 */
export const PATTERN_SIZE_MAX = 500
export const PATTERN_UNICODE_CLASS_SIZE = 32
/** Largest count of a repetition that re2js accepts. */
export const PATTERN_COUNT_MAX = 1000
export const PATTERN_CELLS_MAX = 16 * 1024
export const PATTERN_CLASS_WORK_MAX = 100_000
export const PATTERN_WORK_MAX = 30_000
/** Patterns whose verdict is kept: as many as one create of a load balancer may have monitors (2 MiB at most). */
export const PATTERN_VERDICTS_MAX = 1024
/** Bytes of the one buffer that plain connections are read into: as much as libuv reads at a time. */
export const PLAIN_READ_BYTES = 64 * 1024
/** Sockets of both families together that wait for the next TCP probe instead of being closed: more than start in one turn. 2 KB of the kernel each. */
export const IDLE_KERNEL_SOCKETS_MAX = 512
/** They are closed after this time without a TCP probe. */
export const IDLE_KERNEL_SOCKETS_MS = 1000
/** Milliseconds that a target has after its answer to end its side first: two looks at the sockets. */
export const LINGER_MS = 20
/** Ended connections that one call of epoll_wait returns. */
export const CONNECTION_EVENTS_MAX = 256
/** The pause between two calls of epoll_wait: this share of the time since the last probe started, within the range. */
export const CONNECTION_POLL_SHARE = 0.25
export const CONNECTION_POLL_MS: Range = { min: 1, max: 20 }
/** Sockets of Node's that wait to serve another plain connection: 1 to 2 KB each. */
export const IDLE_NODE_SOCKETS_MAX = 256
/** Sockets that are closed together: their descriptors are still open when their probes have ended, so half of DESCRIPTOR_RESERVE. */
export const CLOSE_TOGETHER_MAX = 32
/** Frames of one HTTP/2 answer: a body of HTTP_BODY_MAX_BYTES in pieces of 16 bytes. */
export const HTTP2_FRAMES_MAX = 4096
/** Bytes of a gRPC health answer: one enum and what future versions add. */
export const GRPC_MESSAGE_MAX_BYTES = 4096
/** Bytes of an answer that a TCP probe reads, before it fails without the expected blocks. */
export const TCP_EXCHANGE_MAX_BYTES = 1024 * 1024
/** Connections that wait for the next probe of their check: at most, however many descriptors there are. */
export const IDLE_CONNECTIONS_MAX = 50_000
/** Connections that are compared when one of them must be closed because descriptors are short. */
export const IDLE_SAMPLE = 8
/** Milliseconds after which an unused connection is closed, and between two looks for such connections. */
export const IDLE_CONNECTION_MAX_MS = 600_000
export const IDLE_SWEEP_MS = 10_000
/** Lists of ciphers of which is kept whether OpenSSL knows one of them. */
export const TLS_CIPHER_LISTS_MAX = 256
/** Certificates of targets that a prober keeps parsed, those that were seen last: about 400 bytes each. */
export const LEAF_CERTIFICATES_MAX = 20_000
/**
 * Probes in a row that offer the session of an earlier handshake, and milliseconds after a whole handshake from which on they
 * offer it no more: what only a whole handshake shows (another certificate, a key that is gone) is seen within both.
 */
export const TLS_RESUMED_MAX = 9
export const TLS_WHOLE_HANDSHAKE_MS = 60_000
/** Milliseconds for which a target is offered no session after it refused one, gave none, or failed with one. */
export const TLS_SESSION_PAUSE_MS = 600_000
/** Sessions that a prober keeps, one per target; and bytes of one: 300 to 500 for most. */
export const TLS_SESSIONS_MAX = 50_000
export const TLS_SESSION_MAX_BYTES = 2048
/** Shared TLS contexts and tables of patterns from which on those are looked for that nobody uses any more. */
export const SHARED_VALUES_SWEEP = 256
/** Milliseconds between looks whether the TLS files of a check (CA, certificate, key) changed. */
export const TLS_FILES_CACHE_MS = 10_000
/** Sent by every HTTP probe, so that access logs show what sent the request. */
export const USER_AGENT = 'healthmonitor/1 (health check)'
/** The datagram of a UDP-CONNECT probe (the ELB manual does not define it): it shows people who sent it. */
export const UDP_PAYLOAD = 'healthmonitor/1 health check\n'
/** Bytes of the kernel's receive buffer of a raw ICMP socket, and packets read of a raw socket in one turn of the event loop. */
export const ICMP_RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024
export const RAW_DRAIN_MAX = 4096
/**
 * SCTP probes in flight per process and family; and their source ports, which no other program of this host sees (RFC
 * 6335: dynamic).
 */
export const SCTP_AWAITED_MAX = 65_536
export const SCTP_SOURCE_PORT: Range = { min: 49_152, max: 65_535 }
/** Milliseconds for which one shared UDP socket takes new datagrams, and such sockets of one family at one time. */
export const UDP_LANE_MS = 1000
export const UDP_LANES_MAX = 64
/** Milliseconds: timeout of probe-once; default as the ELB console's. */
export const PROBE_ONCE_TIMEOUT_MS: Range = { min: 1, max: 3_600_000 }
export const PROBE_ONCE_TIMEOUT_MS_DEFAULT = 3000
/** Milliseconds for which a prober caches which address families its host has; it reads them after certain errors. */
export const HOST_ADDRESSES_CACHE_MS = 1000
/** Milliseconds for which it remembers which source ports the kernel chooses from (net.ipv4.ip_local_port_range). */
export const SOURCE_PORTS_CACHE_MS = 60_000
