/** The packets of half-open probes of one family: sent and received by the batch, and matched with their flights. */
import { BATCH_MESSAGES, BATCH_READ_MAX, BATCH_READ_MS, RESETS_PER_LOOK } from '../../../domain/limits.ts'
import { ARRIVAL_BYTES } from '../../batch/arrival-times.ts'
import type { BatchCalls } from '../../batch/batch-calls.ts'
import { arrivedUs, KernelClock } from '../../batch/kernel-time.ts'
import { MessageBatch } from '../../batch/message-batch.ts'
import { NAME_BYTES } from '../../batch/outgoing-packets.ts'
import type { PortBlock } from '../../batch/packet-filter.ts'
import type { Flights } from './flights.ts'
import type { IpFamily } from '../../batch/ip-family.ts'
import { RawSockets } from './raw-sockets.ts'
import { Segments } from './segments.ts'
import { type BatchTargets, NO_FLIGHT, WORDS_PER_ADDRESS } from '../../batch/batch-targets.ts'

/** What came back for a flight. */
export interface WireEvents {
  /** Its SYN was answered: by a SYN-ACK (`isOpen`) or a reset. `atUs`: when, by the wall clock; 0 = unknown. */
  answered(flight: number, isOpen: boolean, atUs: number): void
  /** An ICMP error came. */
  undelivered(flight: number, errno: number): void
  /** Its SYN could not be sent. No other SYN may be added before `flush` returns. */
  unsent(flight: number, errno: number): void
}

interface Parts {
  readonly calls: BatchCalls
  readonly family: IpFamily
  readonly ports: PortBlock
  readonly targets: BatchTargets
  readonly flights: Flights
  readonly events: WireEvents
}

/** Room for two IP headers and what is behind them. */
const PACKET_BYTES = 192
const TCP_HEADER_BYTES = 20
/** Of the destination in an IPv4 header. */
const DESTINATION4_AT = 16
const QUOTED_TCP_BYTES = 8
const ICMP_HEADER_BYTES = 8
const SYN_ACK = 0x12
const ACK = 0x10
const RST = 0x04

export class HalfOpenWire {
  /** Packets that were received on the TCP socket. */
  received = 0
  /** Resets that were sent because those of the kernel did not arrive. */
  resets = 0
  /** Answers may have been lost since the look before, or the last look has left some unread. */
  hasLost = false
  readonly #parts: Parts
  readonly #sockets: RawSockets
  readonly #syns: Segments
  readonly #resets: Segments
  readonly #answers: MessageBatch
  readonly #errors: MessageBatch
  readonly #clock: KernelClock
  readonly #onUnsent = (flight: number, errno: number): void => {
    if (flight !== NO_FLIGHT) this.#parts.events.unsent(flight, errno)
  }

  private constructor(parts: Parts, sockets: RawSockets) {
    const { calls, family } = parts
    this.#parts = parts
    this.#sockets = sockets
    this.#clock = new KernelClock(calls)
    this.#syns = new Segments(calls, family, parts)
    this.#resets = new Segments(calls, family, parts)
    const shape = {
      count: BATCH_MESSAGES,
      name: NAME_BYTES,
      nameLength: family.nameLength,
      data: PACKET_BYTES,
    }
    this.#answers = new MessageBatch(calls, { ...shape, control: ARRIVAL_BYTES })
    this.#errors = new MessageBatch(calls, { ...shape, control: 0 })
  }

  /** The wire, or the call that failed. */
  static open(parts: Parts): HalfOpenWire | string {
    const sockets = new RawSockets(parts.calls, parts.family, parts.ports)
    const failed = sockets.open()
    // `close` would overwrite the errno that says why.
    const errno = parts.calls.errno()
    const wire = failed === undefined ? new HalfOpenWire(parts, sockets) : undefined
    if (wire !== undefined && wire.#clock.nowUs() > 0) return wire
    sockets.close()
    return `${failed ?? 'clock_gettime'} ${errno}`
  }

  /** Adds the SYN of a flight, and sends those before it where the batch is full. */
  add(flight: number): void {
    if (this.#syns.packets.isFull) this.flush()
    this.#syns.add(flight)
  }

  /** Sends what was added. */
  flush(): void {
    const { count, flights } = this.#syns.packets
    if (count === 0) return
    const { sentUs } = this.#parts.flights
    const nowUs = this.#clock.nowUs()
    for (let i = 0; i < count; i++) if (sentUs[flights[i]!] === 0) sentUs[flights[i]!] = nowUs
    this.#syns.packets.send(this.#sockets.tcp.fd, this.#onUnsent)
  }

  /** Reads the answers, for BATCH_READ_MS at most. */
  readAnswers(): void {
    let resets = 0
    this.hasLost = this.#sockets.tcp.isFull()
    const endMs = performance.now() + BATCH_READ_MS
    for (let read = 0; read < BATCH_READ_MAX; read += BATCH_MESSAGES) {
      const count = this.#answers.receive(this.#sockets.tcp.fd)
      if (count === 0) return
      this.received += count
      for (let i = 0; i < count; i++) {
        const isUnawaited = !this.#readAnswer(i)
        if (isUnawaited && resets++ < RESETS_PER_LOOK) this.#reset(i)
      }
      this.#answers.renew(count)
      this.#resets.packets.send(this.#sockets.tcp.fd, this.#onUnsent)
      if (count < BATCH_MESSAGES) return
      if (performance.now() >= endMs) break
    }
    this.hasLost = true
  }

  /** Reads the ICMP errors, for BATCH_READ_MS at most. */
  readErrors(): void {
    const endMs = performance.now() + BATCH_READ_MS
    for (let read = 0; read < BATCH_READ_MAX; read += BATCH_MESSAGES) {
      const count = this.#errors.receive(this.#sockets.icmp.fd)
      for (let i = 0; i < count; i++) this.#readError(i)
      this.#errors.renew(count)
      if (count < BATCH_MESSAGES || performance.now() >= endMs) return
    }
  }

  get descriptors(): number {
    return this.#sockets.descriptors
  }

  close(): void {
    this.#sockets.close()
  }

  /** False for a SYN-ACK that nobody awaits. */
  #readAnswer(i: number): boolean {
    const { family, flights, events } = this.#parts
    const { view } = this.#answers.data
    const at = i * PACKET_BYTES
    const tcp = at + family.headerBytes(view, at)
    if (at + this.#answers.lengthOf(i) < tcp + TCP_HEADER_BYTES) return true
    const flags = view.getUint8(tcp + 13)
    const isReset = (flags & RST) !== 0
    // A reset that acknowledges nothing answers no SYN (RFC 9293 section 3.10.7.3).
    if (isReset ? (flags & ACK) === 0 : (flags & SYN_ACK) !== SYN_ACK) return true
    const flight = flights.find(view.getUint16(tcp + 2), (view.getUint32(tcp + 8) - 1) >>> 0)
    if (flight === NO_FLIGHT || !this.#isFromTarget(i, tcp, flight)) return isReset
    events.answered(flight, !isReset, arrivedUs(this.#answers, i))
    return true
  }

  #isFromTarget(i: number, tcp: number, flight: number): boolean {
    const { targets, flights, family } = this.#parts
    const slot = flights.slots[flight]!
    const { view, words } = this.#answers.data
    if (view.getUint16(tcp) !== targets.ports[slot]) return false
    // Of IPv6 the destination is not received.
    const destination = (i * PACKET_BYTES + DESTINATION4_AT) / 4
    if (family.version === 4 && words[destination] !== targets.sources[slot * WORDS_PER_ADDRESS]) return false
    const name = (i * NAME_BYTES + family.addressAt) / 4
    return targets.isAt(slot, family, this.#answers.names.words, name)
  }

  #readError(i: number): void {
    const { family, targets, flights, events } = this.#parts
    const { view, words } = this.#errors.data
    const at = i * PACKET_BYTES
    const end = at + this.#errors.lengthOf(i)
    const icmp = at + family.headerBytes(view, at)
    const quoted = icmp + ICMP_HEADER_BYTES
    if (quoted >= end) return
    const tcp = quoted + family.quotedHeaderBytes(view, quoted)
    const errno = family.errnoOf(view.getUint8(icmp), view.getUint8(icmp + 1))
    if (errno === 0 || tcp + QUOTED_TCP_BYTES > end) return
    const flight = flights.find(view.getUint16(tcp), view.getUint32(tcp + 4))
    const slot = flight === NO_FLIGHT ? -1 : flights.slots[flight]!
    if (slot < 0 || view.getUint16(tcp + 2) !== targets.ports[slot]) return
    if (targets.isAt(slot, family, words, (quoted + family.quotedDestinationAt) / 4))
      events.undelivered(flight, errno)
  }

  /**
   * A SYN-ACK that nobody awaits came late or came again. Again means that the RST with which the kernel answered the
   * first one did not arrive, or that the kernel sent none.
   */
  #reset(i: number): void {
    const { family } = this.#parts
    const at = i * PACKET_BYTES
    this.resets++
    this.#resets.addReset(this.#answers, i, at + family.headerBytes(this.#answers.data.view, at))
  }
}
