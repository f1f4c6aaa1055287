/** When checks are probed, and how many at a time. */
import type { Range } from './range.ts'

/** Milliseconds: resolution of the timer wheel. A 200 ms deadline must end within 250 ms. */
export const WHEEL_TICK_MS = 10
export const WHEEL_SLOTS = 4096
/** Slots of the timer wheel of addresses at which probes wait for the rate. */
export const ADDRESS_WHEEL_SLOTS = 512
/**
 * Milliseconds within which a new check makes its first probe, and first probes a second of one project and prober. A project
 * whose checks make more probes a second than this may start as many; and as many as let all its checks start within
 * FIRST_PROBES_WITHIN_MS, however long their intervals are.
 */
export const FIRST_PROBE_WITHIN_MS = 1000
export const NEW_STARTS_PER_SECOND = 2000
export const FIRST_PROBES_WITHIN_MS = 60_000
/** Milliseconds of one bucket in which first probes are counted. */
export const NEW_STARTS_BUCKET_MS = 100
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
/**
 * Probes started in one turn of the event loop; then sockets are polled. Few, so that their data is still in the
 * processor's caches.
 */
export const STARTS_PER_TURN = 16
/** Probes that are ended by their deadline in one turn of the event loop: this takes some milliseconds. */
export const DEADLINES_PER_TURN = 64
/**
 * What a project may hold of something limited that projects share: this many times what is still free of it (the alpha of
 * Choudhury and Hahne, "Dynamic queue length thresholds for shared-memory packet switches", 1998). A lone one has 4/5, N with
 * endless demand 4/(4N + 1) each.
 */
export const SHARE_PER_FREE = 4
/**
 * Share of the heap's limit from which a prober has only HEAP_TIGHT_BUDGET_SHARE of its probes in flight: V8 collects
 * garbage long before, so the rest of the heap is in use. Below HEAP_EASY_SHARE it has all of them again.
 */
export const HEAP_TIGHT_SHARE = 0.9
/** Bytes of a semi-space of V8 at most, where --max-semi-space-size does not say: from this major version of V8 on (Node 24), and before. */
export const SEMI_SPACE_MAX_BYTES = {
  sinceV8: 13,
  since: 64 * 1024 * 1024,
  before: 16 * 1024 * 1024,
} as const
/** Semi-spaces that V8's limit of the heap includes beside the old generation. */
export const SEMI_SPACES = 3
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
