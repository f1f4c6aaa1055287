/**
 * The recent results of a check, packed: the last eight that passed and the last eight that did not, so that a burst of
 * either never hides the other. 136 bytes: the wall-clock milliseconds of tick 0 (float64), then per result a tick of
 * 10 ms (uint32) and its reason and duration (uint8, uint24 in units of 10 µs), all little-endian; zeros = no result.
 */
import { RECENT_RESULTS_OF_A_KIND, RECENT_TICK_MS } from '../limits.ts'
import { type Outcome, REASONS, type Reason } from './reasons.ts'

/** Numbers of reasons in stored results: append-only, never changed. */
const NUMBERS: Readonly<Record<Reason, number>> = {
  PASSED: 1,
  ICMP_TIMEOUT: 2,
  ICMP_UNREACHABLE: 3,
  CONNECT_TIMEOUT: 4,
  CONNECT_REFUSED: 5,
  CONNECT_UNREACHABLE: 6,
  CONNECT_RESET: 7,
  TLS_HANDSHAKE: 8,
  TLS_TIMEOUT: 9,
  SEND_FAILED: 10,
  RECV_TIMEOUT: 11,
  RECV_CLOSED: 12,
  RESPONSE_MALFORMED: 13,
  STATUS_MISMATCH: 14,
  STATUS_RETRIABLE: 15,
  BODY_MISMATCH: 16,
  GRPC_NOT_SERVING: 17,
  IMMEDIATE_FAIL: 18,
  IDLE_CLOSED: 19,
  TLS_CERTIFICATE: 20,
  PROBER_NO_SOCKET: 21,
  PROBER_FORBIDDEN: 22,
  PROBER_OFFLINE: 23,
  PROBER_OVERLOAD: 24,
  PROBER_FAULT: 25,
  PROBER_STOPPING: 26,
  PROBER_UNSUPPORTED: 27,
  PROBER_MASS_FAILURE: 28,
  DEPENDENCY_DOWN: 29,
  TARGET_DENIED: 30,
  IDENTITY_MISMATCH: 31,
}

const REASON_OF = new Map(Object.entries(NUMBERS).map(([reason, number]) => [number, reason as Reason]))

/** The number of a reason in stored results, 1..255. */
export function numberOf(reason: Reason): number {
  return NUMBERS[reason]
}

/** The reason of a number; undefined = none that this version knows. */
export function reasonOfNumber(number: number): Reason | undefined {
  return REASON_OF.get(number)
}

/** 32-bit words of one result, of all results of a check, and bytes of what is stored of a check. */
export const WORDS_PER_RESULT = 2
export const RECENT_WORDS = 2 * RECENT_RESULTS_OF_A_KIND * WORDS_PER_RESULT
export const RECENT_HEADER_BYTES = 8
export const RECENT_BYTES = RECENT_WORDS * 4

const DURATION_UNIT_MS = 0.01
const DURATION_MAX = 0xff_ff_ff

export interface RecentResult {
  readonly at: Date
  readonly outcome: Outcome
  readonly reason: Reason
  /** Rounded to 0.01 ms; at most 167 772.15. */
  readonly latencyMs: number
}

/** The word that says why and how long. */
export function recentWord(reason: Reason, totalMs: number): number {
  const duration = Math.min(DURATION_MAX, Math.round(totalMs / DURATION_UNIT_MS))
  return ((NUMBERS[reason] << 24) | duration) >>> 0
}

/** Writes the wall-clock milliseconds of tick 0. */
export function packHeader(into: DataView, offset: number, tickZeroMs: number): void {
  into.setFloat64(offset, tickZeroMs, true)
}

/** The same results, with times that are later by so many milliseconds. */
export function shiftedRecent(packed: Uint8Array, byMs: number): Uint8Array {
  if (packed.byteLength < RECENT_HEADER_BYTES) return packed
  const shifted = Uint8Array.from(packed)
  const view = new DataView(shifted.buffer)
  view.setFloat64(0, view.getFloat64(0, true) + byMs, true)
  return shifted
}

/** Unpacks: newest first. Results with reasons that this version does not know are left out. */
export function unpackRecent(packed: Uint8Array): RecentResult[] {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength)
  const tickZeroMs = view.getFloat64(0, true)
  const results: RecentResult[] = []
  for (let at = RECENT_HEADER_BYTES; at + 8 <= packed.byteLength; at += 8) {
    const word = view.getUint32(at + 4, true)
    const reason = REASON_OF.get(word >>> 24)
    if (reason === undefined) continue
    results.push({
      at: new Date(tickZeroMs + view.getUint32(at, true) * RECENT_TICK_MS),
      outcome: REASONS[reason].outcome,
      reason,
      latencyMs: Math.round(word & DURATION_MAX) / 100,
    })
  }
  return results.sort((a, b) => b.at.getTime() - a.at.getTime())
}
