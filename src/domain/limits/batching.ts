/** Probes that are made many at a time (src/probe/batch). */

/** Probes of such a core that start in one turn of the event loop, and messages of one sendmmsg or recvmmsg. */
export const BATCH_MESSAGES = 64
/**
 * TCP connections that start before those that have ended are looked at: what the kernel keeps about them is still in the
 * processor's caches (docs/performance.md).
 */
export const CONNECTS_PER_LOOK = 16
/** Messages that one look at a socket reads at most; what is left waits for the next turn. */
export const BATCH_READ_MAX = 32_768
/**
 * Milliseconds that one look at the sockets of such a core reads at most: a target that answers with a flood must not hold
 * the loop of all others. What is left waits for the next look.
 */
export const BATCH_READ_MS = 2
/**
 * Probes of a check that end because answers may have been lost (PROBER_OVERLOAD), since one passed, until the check is
 * probed on sockets of its own: one may be a moment's load.
 */
export const LOST_BEFORE_DEDICATED = 2
/** Probes of a check on sockets of their own, until one tries the shared socket again: each of these may be lost. */
export const DEDICATED_PROBES = 8
/** Probes in flight on sockets of their own, of one prober: each has a descriptor, and each packet of a flood of ICMP passes all that are for PING. */
export const DEDICATED_IN_FLIGHT_MAX = 512
/**
 * Milliseconds between two looks at what the host drops, while probes on sockets of their own are in flight; and after which
 * a look begins anew.
 */
export const HOST_DROPS_LOOK_MS = 100
export const HOST_DROPS_PAUSE_MS = 1000
/**
 * Packets dropped between two looks from which on an answer may be one of them; and their share of all packets: at a share
 * below it, three answers in a row are lost once in 10^9.
 */
export const HOST_DROPS_MIN = 10
export const HOST_DROPS_SHARE = 0.001
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
/**
 * Numbers of echo requests of PING by the batch that may be in flight: IN_FLIGHT_MAX or more, and at most the 65 536 of
 * ICMP. They are taken in turn, so that a late answer finds its number not taken again yet, and a random word besides.
 */
export const ECHO_FLIGHTS = 32_768
/**
 * Milliseconds of the timeout per echo of PING from which on several echoes of one probe are made by the batch: an answer
 * is seen up to BATCH_LOOK_MS after it came, and only then the next echo leaves. Also the shortest timeout of a UDP probe
 * by the batch that sends an echo before.
 */
export const ECHO_PACE_MS = 50
/** Bytes of a datagram that a UDP probe by the batch sends: more than the option `udp.payload` takes. */
export const UDP_BATCH_PAYLOAD_BYTES = 1456
/** Bytes of a reply that are looked at: more than the option `udp.reply_pattern` has. */
export const UDP_BATCH_REPLY_BYTES = 512
/** Sockets of UDP probes that one look finds with something to read; others are found by the next. */
export const UDP_BATCH_EVENTS = 64
/** Bytes of a receive buffer of one of these sockets, as far as the host allows. */
export const UDP_BATCH_RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024
/** Sockets that are opened at most to find one whose port is not that of a target. */
export const UDP_BATCH_PORT_TRIES = 8
