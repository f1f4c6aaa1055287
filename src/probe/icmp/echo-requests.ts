/** Echo requests of PING by the batch, of one family (RFC 792, RFC 4443): a batch whose packets are laid out once. */
import { BATCH_MESSAGES } from '../../domain/limits.ts'
import { NO_FLIGHT } from '../batch/batch-targets.ts'
import { KernelClock } from '../batch/kernel-time.ts'
import { OutgoingPackets } from '../batch/outgoing-packets.ts'
import type { EchoParts } from './echo-sockets.ts'
import { ECHO_REQUEST } from './icmp-packet.ts'

/** Header, token, random word. */
export const ECHO_BYTES = 16
export const IDENTIFIER_AT = 4
export const SEQUENCE_AT = 6
export const TOKEN_AT = 8
export const WORD_AT = 12
const CHECKSUM_AT = 2

export class EchoRequests {
  readonly packets: OutgoingPackets
  readonly #parts: EchoParts
  readonly #clock: KernelClock
  /** Of what is the same in all requests, not folded yet. */
  readonly #sum: number
  readonly #onUnsent = (flight: number, errno: number): void => {
    if (flight !== NO_FLIGHT) this.#parts.events.unsent(flight, errno)
  }

  constructor(parts: EchoParts) {
    const { calls, family, targets, token } = parts
    this.#parts = parts
    this.#clock = new KernelClock(calls)
    this.packets = new OutgoingPackets(calls, family, targets, ECHO_BYTES)
    const { view } = this.packets.batch.data
    for (let at = 0; at < BATCH_MESSAGES * ECHO_BYTES; at += ECHO_BYTES) {
      view.setUint8(at, ECHO_REQUEST[family.version])
      view.setUint32(at + TOKEN_AT, token)
    }
    this.#sum = (ECHO_REQUEST[family.version] << 8) + (token >>> 16) + (token & 0xffff)
  }

  /** Whether requests can be stamped. */
  get hasClock(): boolean {
    return this.#clock.nowUs() > 0
  }

  /** Adds the request of a flight, or (NO_FLIGHT) one of nobody, to the target of `slot`. The batch is not full. */
  add(flight: number, slot: number, identifier = this.#parts.identifier): void {
    const { targets, flights, family } = this.#parts
    const i = this.packets.add(flight, slot, targets.hasSource[slot] === 1)
    const sequence = flight === NO_FLIGHT ? 0 : flight
    const word = flights.words[sequence]!
    const { view } = this.packets.batch.data
    const at = i * ECHO_BYTES
    view.setUint16(at + IDENTIFIER_AT, identifier)
    view.setUint16(at + SEQUENCE_AT, sequence)
    view.setUint32(at + WORD_AT, word)
    // The kernel computes that of ICMPv6.
    if (family.version === 6) return
    view.setUint16(
      at + CHECKSUM_AT,
      checksum(this.#sum + identifier + sequence + (word >>> 16) + (word & 0xffff)),
    )
  }

  /** Sends what was added. */
  send(fd: number): void {
    const { count, flights } = this.packets
    if (count === 0) return
    const { sentUs } = this.#parts.flights
    const nowUs = this.#clock.nowUs()
    for (let i = 0; i < count; i++) if (flights[i] !== NO_FLIGHT) sentUs[flights[i]!] = nowUs
    this.packets.send(fd, this.#onUnsent)
  }
}

/** Of 16-bit words (RFC 1071). */
function checksum(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16)
  return ~((once & 0xffff) + (once >>> 16)) & 0xffff
}
