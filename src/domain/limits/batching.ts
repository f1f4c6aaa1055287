/** Probes that are made many at a time (src/probe/batch). */

/** Probes of such a core that start in one turn of the event loop, and messages of one sendmmsg or recvmmsg. */
export const BATCH_MESSAGES = 64
/** Messages that one look at a socket reads at most; what is left waits for the next turn. */
export const BATCH_READ_MAX = 32_768
/** Milliseconds between two looks at the sockets while an answer is awaited: a tick of the wheel, which comes anyway. */
export const BATCH_LOOK_MS = 10
/** Bytes of a socket's receive buffer, as far as the host allows (net.core.rmem_max without CAP_NET_ADMIN). */
export const BATCH_RECEIVE_BUFFER_BYTES = 32 * 1024 * 1024
export const BATCH_SEND_BUFFER_BYTES = 4 * 1024 * 1024
/** Targets that a core's arrays have room for at first; they double. */
export const BATCH_TARGETS_FIRST = 1024
/**
 * Source ports of half-open probes: as many as there may be probes in flight towards one address, so that these never
 * meet. Each is held by a descriptor.
 */
export const HALF_OPEN_PORTS = 512
/** Probes in flight that may have the same source port, with other targets: HALF_OPEN_PORTS times this is IN_FLIGHT_MAX or more. */
export const HALF_OPEN_LANES = 40
/** The first of the ports that no service is registered for (RFC 6335 section 6): half-open probes use no lower one. */
export const DYNAMIC_PORT_MIN = 49_152
/** Milliseconds after which a SYN is sent again; each further wait is twice as long (RFC 6298, as the kernel does). */
export const SYN_AGAIN_MS = 1000
/** How often it is sent again (Linux: net.ipv4.tcp_syn_retries). */
export const SYN_AGAIN_MAX = 6
/** Resets that one look at a socket sends at most. */
export const RESETS_PER_LOOK = 64
/** Milliseconds within which the trial at the start must have its answer: it never leaves this host. */
export const BATCH_TRIAL_MS = 200
