/**
 * Every number of the service, once: with unit, range and source. Dialects take their ranges from here, the database's
 * constraints are the union of them, and the defaults of the configuration live here too.
 */

import type { Range } from './range.ts'

export type { Range } from './range.ts'
export * from './prober-limits.ts'

/** PostgreSQL `integer`, the widest whole number that Octavia's clients may send. */
export const INT4_MAX = 2_147_483_647

// ── The API, both dialects ──────────────────────────────────────────────────────────────────────────────────────────
/** Characters of names, descriptions, project ids (Neutron NAME_MAX_LEN, DESCRIPTION_MAX_LEN; ELB API reference). */
export const NAME_MAX = 255
export const DESCRIPTION_MAX = 255
export const PROJECT_ID_MAX = 255
/** TCP and UDP ports of members, listeners and monitors (ELB API reference; Octavia api-ref). */
export const PORT: Range = { min: 1, max: 65_535 }
/** `max_retries`, `max_retries_down` (ELB and Octavia alike). */
export const RETRIES: Range = { min: 1, max: 10 }
/** Failures to OFFLINE when `max_retries_down` is absent (ELB v3 documentation; Octavia). */
export const MAX_RETRIES_DOWN_DEFAULT = 3
/** HTTP status codes (RFC 9110 section 15). */
export const HTTP_STATUS: Range = { min: 100, max: 599 }
/** Largest page of a list, and the page of a list without `limit`; HM_PAGE_MAX. */
export const PAGE_MAX_DEFAULT = 2000
export const PAGE_MAX: Range = { min: 1, max: 10_000 }
/** Bytes of a request body: 5 000 members of a batch with room. */
export const BODY_MAX_BYTES = 4 * 1024 * 1024
/** Bytes of a URL, as Node's header limit bounds it too. */
export const URL_MAX_BYTES = 8 * 1024
/** Members of one status tree: it has no pages, and 20 000 members are a body of about 5 MB. */
export const STATUS_TREE_MEMBERS_MAX = 20_000
/** Values of one query parameter, and parameters of one request. */
export const QUERY_VALUES_MAX = 200

// ── Dialect elb (ELB API reference, shared load balancers) ──────────────────────────────────────────────────────────
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

// ── Dialect octavia (octavia-api section 2) ─────────────────────────────────────────────────────────────────────────
/** Characters of a tag, and of `project_id` in a body. */
export const OCTAVIA_TAG_MAX = 255
export const OCTAVIA_PROJECT_ID_MAX = 36
export const OCTAVIA_WEIGHT: Range = { min: 0, max: 256 }
export const OCTAVIA_WEIGHT_DEFAULT = 1
/** Members of one batch PUT. */
export const OCTAVIA_BATCH_MAX = 5000
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

// ── The widest of all dialects, for the database's constraints ─────────────────────────────────────────────────────
export const URL_PATH_MAX = 2048
export const DOMAIN_NAME_MAX = 255
/** The same of octavia, a final dot not counted; what is longer than DOMAIN_NAME_MAX gets another sentence. */
export const OCTAVIA_DOMAIN_NAME_MAX = 253
export const EXPECTED_CODES_MAX = 64

// ── Probing ─────────────────────────────────────────────────────────────────────────────────────────────────────────
/** Milliseconds: shortest delay and timeout that the engine probes with (Octavia allows 0). */
export const ENGINE_FLOOR_MS = 1000
/** Milliseconds: shortest time between two probes of one check, whatever its options say (Contrail asks for 0). */
export const INTERVAL_FLOOR_MS = 100
/** What the unified model assumes where nothing is said (probe-semantics 6.1); milliseconds. */
export const UNIFIED_DEFAULT = { rise: 3, fall: 3, intervalMs: 5000 } as const
/** Nagios: 21 results; probe-semantics 6.1: flapping from 50 % changes on, over at 25 %. */
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
/** Bytes of the one buffer that plain connections are read into: as much as libuv reads at a time. */
export const BARE_READ_BYTES = 64 * 1024
/** Sockets of both families together that wait for the next TCP probe instead of being closed: more than start in one turn. 2 KB of the kernel each. */
export const KEPT_SOCKETS_MAX = 512
/** They are closed when no TCP probe was under way for so long. */
export const KEPT_SOCKETS_IDLE_MS = 1000
/** Ended connections that one question to the kernel names. */
export const CONNECTION_EVENTS_MAX = 256
/** When the kernel is asked again for connections that ended: after this share of the time since the last was started, within the range. */
export const CONNECTION_POLL_SHARE = 0.25
export const CONNECTION_POLL_MS: Range = { min: 1, max: 20 }
/** Sockets of Node's that wait to serve another plain connection: 1 to 2 KB each. */
export const SPARE_SOCKETS_MAX = 256
/** Sockets that are closed together: their descriptors are still open when their probes have ended, so half of DESCRIPTOR_RESERVE. */
export const CLOSE_TOGETHER_MAX = 32
/** Frames of one HTTP/2 answer: a body of HTTP_BODY_MAX_BYTES in pieces of 16 bytes. */
export const HTTP2_FRAMES_MAX = 4096
/** Bytes of a gRPC health answer: one enum and what future versions add. */
export const GRPC_MESSAGE_MAX_BYTES = 4096
/** Bytes of answers in which a TCP probe looks for what it expects, before it gives up. */
export const TCP_EXCHANGE_MAX_BYTES = 1024 * 1024
/** Connections that wait for the next probe of their check: at most, however many descriptors there are. */
export const IDLE_CONNECTIONS_MAX = 50_000
/** Connections compared when one of them has to be closed for want of descriptors. */
export const IDLE_SAMPLE = 8
/** Milliseconds after which a connection that nobody came back to is closed, and between two looks for such. */
export const IDLE_CONNECTION_MAX_MS = 600_000
export const IDLE_SWEEP_MS = 10_000
/** Sets of TLS files (CA, certificate, key) that are kept parsed, and milliseconds between looks whether they changed. */
export const TLS_CONTEXTS_MAX = 256
export const TLS_FILES_CACHE_MS = 10_000
/** Sent by every HTTP probe, so that access logs tell who asks. */
export const USER_AGENT = 'healthmonitor/1 (health check)'
/** The datagram of a UDP-CONNECT probe (the ELB manual leaves it open): says to whoever looks at it who sent it. */
export const UDP_PAYLOAD = 'healthmonitor/1 health check\n'
/** Bytes of the kernel's receive buffer of a raw ICMP socket, and packets read of a raw socket in one turn of the event loop. */
export const ICMP_RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024
export const RAW_DRAIN_MAX = 4096
/** SCTP probes in flight per process and family; and their source ports, which nobody else of this host hears of (RFC 6335: dynamic). */
export const SCTP_AWAITED_MAX = 65_536
export const SCTP_SOURCE_PORT: Range = { min: 49_152, max: 65_535 }
/** Milliseconds for which one shared UDP socket takes new datagrams, and such sockets of one family at one time. */
export const UDP_LANE_MS = 1000
export const UDP_LANES_MAX = 64
/** Milliseconds: timeout of probe-once; default as the ELB console's. */
export const PROBE_ONCE_TIMEOUT_MS: Range = { min: 1, max: 3_600_000 }
export const PROBE_ONCE_TIMEOUT_MS_DEFAULT = 3000
/** Milliseconds for which a prober remembers which address families its host has, when errors make it ask. */
export const HOST_ADDRESSES_CACHE_MS = 1000
/** Milliseconds for which it remembers which source ports the kernel chooses from (net.ipv4.ip_local_port_range). */
export const SOURCE_PORTS_CACHE_MS = 60_000

// ── Options of health monitors (probe-semantics 6.1), both dialects ────────────────────────────────────────────────
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
/** Probes of a member that a plan foretells. */
export const PLANNED_PROBES = 5
/** Bytes of all options of one monitor as JSON: they are read with every change of the pool. */
export const OPTIONS_MAX_BYTES = 16 * 1024

// ── Scheduling ──────────────────────────────────────────────────────────────────────────────────────────────────────
/** Milliseconds: resolution of the timer wheel. A 200 ms deadline must end within 250 ms. */
export const WHEEL_TICK_MS = 10
export const WHEEL_SLOTS = 4096
/** Milliseconds within which a new check makes its first probe, and new starts per second and prober. */
export const FIRST_PROBE_WITHIN_MS = 1000
export const NEW_STARTS_PER_SECOND = 2000
/**
 * Milliseconds within which it makes that probe when the starts leave room: with CONFIG_COALESCE_MS and the reading of the
 * configuration, a change has reached its target within a second.
 */
export const EARLY_PROBE_WITHIN_MS = 600
/** Milliseconds: a wheel tick later than this means that the event loop was stalled; its timeouts are inconclusive. */
export const STALL_MS = 250
/** Descriptors that a prober keeps for itself; the rest of the soft limit is its budget for probes. */
export const DESCRIPTOR_RESERVE = 64
/** Milliseconds: the longest that the wheel sleeps while there are checks, so that a stall is noticed. */
export const WHEEL_SLEEP_MAX_MS = 50
/** Probes started in one turn of the event loop; then sockets are heard. Few, so that theirs are still in the processor's caches. */
export const STARTS_PER_TURN = 16
/** Milliseconds within which a check of a shard that was taken over is probed again. */
export const TAKEOVER_PROBE_WITHIN_MS = 500
/**
 * Share of the heap's limit from which on a prober makes do with HEAP_TIGHT_BUDGET_SHARE of its probes in flight: V8 collects
 * long before, so what is left is needed. Below HEAP_EASY_SHARE it takes all of them again.
 */
export const HEAP_TIGHT_SHARE = 0.9
/** Bytes of V8's young generation at most: three semi-spaces of 16 MiB, which its limit of the heap includes. */
export const HEAP_YOUNG_MAX_BYTES = 3 * 16 * 1024 * 1024
export const HEAP_EASY_SHARE = 0.8
export const HEAP_TIGHT_BUDGET_SHARE = 0.1
/** Probes in flight: of one prober, and towards one target address. */
export const IN_FLIGHT_MAX = 20_000
export const IN_FLIGHT_PER_ADDRESS_MAX = 512
/**
 * Probes a second that one prober process starts towards one address (HM_PROBES_PER_SECOND_PER_ADDRESS; 0 = unlimited), and
 * milliseconds' worth of them that may start at once.
 */
export const PROBES_PER_SECOND_PER_ADDRESS: Range = { min: 0, max: 1_000_000 }
export const PROBES_PER_SECOND_PER_ADDRESS_DEFAULT = 10_000
export const START_BURST_MS = 1000
/** Windows (delay + timeout) of nothing but inconclusive results after which a check is stale. */
export const STALE_WINDOWS = 3

// ── Shards and writing ──────────────────────────────────────────────────────────────────────────────────────────────
export const SHARD_COUNT = 256
/** Milliseconds: lease of a prober (HM_SHARD_LEASE_MS), heartbeats per lease. */
export const SHARD_LEASE_MS_DEFAULT = 3000
export const SHARD_LEASE_MS: Range = { min: 500, max: 600_000 }
export const HEARTBEATS_PER_LEASE = 3
/** Milliseconds between checkpoints of a shard (HM_CHECKPOINT_MS). */
export const CHECKPOINT_MS_DEFAULT = 30_000
export const CHECKPOINT_MS: Range = { min: 1000, max: 3_600_000 }
/** Milliseconds: configuration is read this long after a NOTIFY, and this often without one. */
export const CONFIG_COALESCE_MS = 200
export const CONFIG_POLL_MS = 1000
/** Milliseconds a decision waits for others to be written with, and rows of one statement. */
export const FLUSH_WITHIN_MS = 100
export const FLUSH_ROWS_MAX = 1000
/** Milliseconds: back-off of the result writer while PostgreSQL is away. */
export const FLUSH_RETRY_MS: Range = { min: 100, max: 5000 }
/** Milliseconds that a graceful stop of a prober spends on its writes and on giving its shards back. */
export const HAND_OVER_WITHIN_MS = 5000
/** Pools whose checks are loaded by one statement. */
export const CONFIG_POOLS_PER_LOAD = 500
/** Milliseconds: back-off of the connection that listens for changes of the configuration. */
export const LISTEN_RETRY_MS: Range = { min: 200, max: 10_000 }
/** Milliseconds: shortest time between two checkpoints of one shard; shards written by one statement. */
export const CHECKPOINT_SOONEST_MS = 1000
export const CHECKPOINT_SHARDS_PER_STATEMENT = 16

// ── Retention ───────────────────────────────────────────────────────────────────────────────────────────────────────
/** Transitions are kept this many days, and this many of one member; purged in batches of rows. */
export const TRANSITION_DAYS = 30
export const TRANSITIONS_PER_MEMBER = 1000
export const PURGE_BATCH_ROWS = 5000
export const PURGE_EVERY_MS = 60_000

// ── Quotas ──────────────────────────────────────────────────────────────────────────────────────────────────────────
/** Objects of one project; -1 = unlimited (HM_QUOTA_*). */
export const QUOTA: Range = { min: -1, max: INT4_MAX }
export const QUOTA_DEFAULT = -1

// ── Database ────────────────────────────────────────────────────────────────────────────────────────────────────────
/** Connections of one process: API, prober. */
export const API_CONNECTIONS = 16
export const PROBER_CONNECTIONS = 3
/** Milliseconds: wait for a connection, for a lock, for a statement. */
export const ACQUIRE_TIMEOUT_MS = 3000
export const LOCK_TIMEOUT_MS = 5000
export const STATEMENT_TIMEOUT_MS = 8_000
/** Milliseconds without an answer after which a connection is given up: longer than any statement may run. */
export const ANSWER_TIMEOUT_MS = 10_000
/** Milliseconds until a rollback is done; then its connection is closed. */
export const ROLLBACK_TIMEOUT_MS = 5000
/** Statements that a connection keeps parsed and planned. */
export const NAMED_STATEMENTS_MAX = 250
/** Milliseconds that one transaction of the API may take, BEGIN and COMMIT included. */
export const TRANSACTION_TIMEOUT_MS = 12_000
/** Tries of a transaction that met a deadlock or a serialization failure, and seconds in Retry-After. */
export const TRANSACTION_TRIES = 8
export const RETRY_AFTER_SECONDS = 2

// ── The host: embedded PostgreSQL, child processes, shutdown ────────────────────────────────────────────────────────
/** Milliseconds for the embedded PostgreSQL to accept connections (crash recovery included), then a start has failed. */
export const POSTGRES_START_TIMEOUT_MS = 120_000
/** Milliseconds for a fast shutdown, then for an immediate one, then SIGKILL. */
export const POSTGRES_FAST_STOP_MS = 15_000
export const POSTGRES_IMMEDIATE_STOP_MS = 5000
/** Milliseconds between looks at a starting or stopping PostgreSQL. */
export const POSTGRES_POLL_MS = 10
/** Milliseconds of back-off before an embedded PostgreSQL that died is started again. */
export const POSTGRES_RESTART_MS: Range = { min: 200, max: 10_000 }
/** Milliseconds to wait for a service that is just ending to leave its data folder. */
export const FOLDER_LOCK_WAIT_MS = 1000
/** Bytes after which the log of the embedded PostgreSQL is set aside at start; one old file is kept. */
export const POSTGRES_LOG_MAX_BYTES = 10 * 1024 * 1024
/** Connections of the embedded PostgreSQL: API, many probers, people with psql, parallel tests. */
export const POSTGRES_MAX_CONNECTIONS = 200
/** Prober processes of one `serve` (HM_PROBERS). 0 = API only. */
export const PROBERS: Range = { min: 0, max: 64 }
export const PROBERS_DEFAULT = 1
/** Milliseconds that a validated token is trusted without asking Keystone again (HM_TOKEN_CACHE_MS). */
export const TOKEN_CACHE_MS: Range = { min: 0, max: 3_600_000 }
export const TOKEN_CACHE_MS_DEFAULT = 60_000
/** Milliseconds that Keystone's "not valid" is believed; a token that never was valid does not become so. */
export const INVALID_TOKEN_CACHE_MS = 5000
/** Tokens that one process remembers, valid and invalid ones apart; the oldest are forgotten. */
export const TOKEN_CACHE_MAX = 10_000
/** Milliseconds for one answer of Keystone, connecting and waiting for a connection included. */
export const KEYSTONE_TIMEOUT_MS = 5000
/** Connections to Keystone, tokens that are asked about at one time, and bytes of an answer. */
export const KEYSTONE_CONNECTIONS = 8
export const KEYSTONE_IN_FLIGHT_MAX = 1000
export const KEYSTONE_BODY_MAX_BYTES = 1024 * 1024
/** Milliseconds after a refused login of the service account before the next: wrong passwords lock accounts. */
export const KEYSTONE_LOGIN_RETRY_MS = 1000
/** Share of the service token's life after which a new one is fetched, while the old one is still good. */
export const KEYSTONE_RENEW_AFTER_SHARE = 0.8
/** Seconds that a token of the development identity is good for (Keystone's default). */
export const DEVELOPMENT_TOKEN_SECONDS = 3600
/** Revoked tokens of the development identity that are remembered until they expire. */
export const DEVELOPMENT_REVOKED_MAX = 10_000
/** Seconds: shortest delay of Octavia's UDP-CONNECT monitors (octavia.conf `udp_connect_min_interval_health_monitor`). */
export const UDP_MIN_DELAY_SECONDS: Range = { min: 1, max: 3600 }
export const UDP_MIN_DELAY_SECONDS_DEFAULT = 3
/** Milliseconds that a graceful stop may take: requests in flight and probers that hand over; then SIGKILL. */
export const DRAIN_TIMEOUT_MS = 10_000
/** Milliseconds of back-off before a child process that died is started again. */
export const CHILD_RESTART_MS: Range = { min: 200, max: 30_000 }
/** Milliseconds that a child must have lived for its back-off to start from the shortest again. */
export const CHILD_STABLE_MS = 30_000
/** Milliseconds to wait for a child's figures when somebody reads /metrics. */
export const METRICS_TIMEOUT_MS = 2000
/** Bytes of log lines that wait for a slow reader; what comes on top is dropped, never waited for. */
export const LOG_BUFFER_MAX_BYTES = 1024 * 1024
/** Seconds: upper bounds of the histograms. Probes end by their timeout; lateness beyond a second is trouble. */
export const PROBE_SECONDS_BUCKETS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
] as const
export const LATENESS_SECONDS_BUCKETS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const
export const REQUEST_SECONDS_BUCKETS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15,
] as const
/** Rows of one flush of the result writer. */
export const FLUSH_ROWS_BUCKETS = [1, 10, 50, 100, 250, 500, 1000] as const
/** Milliseconds that a start waits for a PostgreSQL that does not answer yet, and between its tries. */
export const DATABASE_WAIT_MS = 30_000
export const DATABASE_RETRY_MS = 500
