/** The packets of half-open probes of one family: sent and received by the batch, and matched with their flights. */
import { BATCH_MESSAGES, BATCH_READ_MAX, RESETS_PER_LOOK } from '../../../domain/limits.ts'
import type { BatchCalls } from '../../batch/batch-calls.ts'
import { isLittleEndian, MessageBatch } from '../../batch/message-batch.ts'
import type { PortBlock } from '../../batch/packet-filter.ts'
import type { Flights } from './flights.ts'
import type { IpFamily } from './ip-family.ts'
import { RawSockets } from './raw-sockets.ts'
import { Segments } from './segments.ts'
import { type HalfOpenTargets, NO_FLIGHT, WORDS_PER_ADDRESS } from './targets.ts'

/** What is heard of a flight. */
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
  readonly targets: HalfOpenTargets
  readonly flights: Flights
  readonly events: WireEvents
}

/** Room for two IP headers and what is behind them. */
const PACKET_BYTES = 192
const NAME_BYTES = 32
/** One control message: the time of arrival. */
const CONTROL_BYTES = 64
const SOL_SOCKET = 1
const SCM_TIMESTAMPNS = 35
const CLOCK_REALTIME = 0
const TCP_HEADER_BYTES = 20
/** Of the destination in an IPv4 header. */
const DESTINATION4_AT = 16
const QUOTED_TCP_BYTES = 8
const ICMP_HEADER_BYTES = 8
const SYN_ACK = 0x12
const ACK = 0x10
const RST = 0x04
const EIO = 5

export class HalfOpenWire {
  /** Packets that were received on the TCP socket. */
  received = 0
  /** Resets that were sent because those of the kernel did not arrive. */
  resets = 0
  readonly #parts: Parts
  readonly #sockets: RawSockets
  readonly #syns: Segments
  readonly #resets: Segments
  readonly #answers: MessageBatch
  readonly #errors: MessageBatch
  readonly #time = new DataView(new ArrayBuffer(16))
  readonly #timeBytes = new Uint8Array(this.#time.buffer)

  private constructor(parts: Parts, sockets: RawSockets) {
    const { calls, family } = parts
    this.#parts = parts
    this.#sockets = sockets
    this.#syns = new Segments(calls, family, parts)
    this.#resets = new Segments(calls, family, parts)
    const shape = {
      count: BATCH_MESSAGES,
      name: NAME_BYTES,
      nameLength: family.nameLength,
      data: PACKET_BYTES,
    }
    this.#answers = new MessageBatch(calls, { ...shape, control: CONTROL_BYTES })
    this.#errors = new MessageBatch(calls, { ...shape, control: 0 })
  }

  /** The wire, or the call that failed. */
  static open(parts: Parts): HalfOpenWire | string {
    const sockets = new RawSockets(parts.calls, parts.family.version, parts.ports)
    const failed = sockets.open(parts.family)
    // `close` would overwrite the errno that says why.
    const errno = parts.calls.errno()
    const wire = failed === undefined ? new HalfOpenWire(parts, sockets) : undefined
    if (wire !== undefined && wire.#wallUs() > 0) return wire
    sockets.close()
    return `${failed ?? 'clock_gettime'} ${errno}`
  }

  /** Adds the SYN of a flight, and sends those before it where the batch is full. */
  add(flight: number): void {
    if (this.#syns.isFull) this.flush()
    this.#syns.add(flight)
  }

  /** Sends what was added. */
  flush(): void {
    const { count, flights } = this.#syns
    if (count === 0) return
    const { sentUs } = this.#parts.flights
    const nowUs = this.#wallUs()
    for (let i = 0; i < count; i++) if (sentUs[flights[i]!] === 0) sentUs[flights[i]!] = nowUs
    this.#send(this.#syns)
  }

  /** Reads all answers. */
  readAnswers(): void {
    let resets = 0
    for (let read = 0; read < BATCH_READ_MAX; read += BATCH_MESSAGES) {
      const count = this.#answers.receive(this.#sockets.tcp)
      if (count === 0) return
      this.received += count
      for (let i = 0; i < count; i++) {
        const isUnawaited = !this.#readAnswer(i)
        if (isUnawaited && resets++ < RESETS_PER_LOOK) this.#reset(i)
      }
      this.#answers.renew(count)
      if (this.#resets.count > 0) this.#send(this.#resets)
      if (count < BATCH_MESSAGES) return
    }
  }

  /** Reads all ICMP errors. */
  readErrors(): void {
    for (let read = 0; read < BATCH_READ_MAX; read += BATCH_MESSAGES) {
      const count = this.#errors.receive(this.#sockets.icmp)
      for (let i = 0; i < count; i++) this.#readError(i)
      this.#errors.renew(count)
      if (count < BATCH_MESSAGES) return
    }
  }

  /** Packets that found no room, since the wire was opened. */
  drops(): number {
    return this.#sockets.drops()
  }

  get descriptors(): number {
    return this.#sockets.descriptors
  }

  close(): void {
    this.#sockets.close()
  }

  /** One message that cannot be sent does not hold the others. */
  #send(segments: Segments): void {
    const { calls, events } = this.#parts
    for (let from = 0; from < segments.count; ) {
      const sent = segments.send(this.#sockets.tcp, from)
      if (sent > 0) {
        from += sent
        continue
      }
      const flight = segments.flights[from++]!
      if (flight !== NO_FLIGHT) events.unsent(flight, calls.errno() || EIO)
    }
    segments.clear()
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
    events.answered(flight, !isReset, this.#arrivedUs(i))
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
    return this.#isTarget(slot, this.#answers.names.words, name)
  }

  #isTarget(slot: number, words: Uint32Array, from: number): boolean {
    const { targets, family } = this.#parts
    if (targets.families[slot] !== family.version) return false
    for (let word = 0; word < family.words; word++) {
      if (words[from + word] !== targets.addresses[slot * WORDS_PER_ADDRESS + word]) return false
    }
    return true
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
    if (this.#isTarget(slot, words, (quoted + family.quotedDestinationAt) / 4))
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

  /** When message `i` arrived; 0 where the kernel does not say it, as for the first packet after it was asked to. */
  #arrivedUs(i: number): number {
    const { view } = this.#answers.controls
    const at = i * CONTROL_BYTES
    if (this.#answers.controlLengthOf(i) < 32) return 0
    if (view.getInt32(at + 8, isLittleEndian) !== SOL_SOCKET) return 0
    if (view.getInt32(at + 12, isLittleEndian) !== SCM_TIMESTAMPNS) return 0
    return microseconds(view, at + 16)
  }

  #wallUs(): number {
    if (this.#parts.calls.clock_gettime(CLOCK_REALTIME, this.#timeBytes) !== 0) return 0
    return microseconds(this.#time, 0)
  }
}

/** Of a struct timespec with two 64-bit numbers; its seconds are below 2^53. */
function microseconds(view: DataView, at: number): number {
  const [low, high] = isLittleEndian ? [0, 4] : [4, 0]
  const seconds =
    view.getUint32(at + high, isLittleEndian) * 2 ** 32 + view.getUint32(at + low, isLittleEndian)
  return seconds * 1e6 + view.getUint32(at + 8 + low, isLittleEndian) / 1000
}
