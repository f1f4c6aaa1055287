/**
 * SYNs on their way out: a batch of packets that is laid out once, and of which ports, numbers and addresses are written
 * for each probe. And the resets that the kernel could not send.
 */
import { BATCH_MESSAGES } from '../../../domain/limits.ts'
import type { BatchCalls } from '../../batch/batch-calls.ts'
import { isLittleEndian, MessageBatch } from '../../batch/message-batch.ts'
import type { Flights } from './flights.ts'
import type { IpFamily } from './ip-family.ts'
import { type HalfOpenTargets, NO_FLIGHT, WORDS_PER_ADDRESS } from './targets.ts'

const NAME_BYTES = 32
const CONTROL_BYTES = 40
const CONTROL_HEADER_BYTES = 16
/** A TCP header with one option, the largest segment. */
const SEGMENT_BYTES = 24
const SYN = 0x02
const RST = 0x04
const HEADER_WORDS = SEGMENT_BYTES / 4
const WINDOW = 64_240
const MSS_OPTION = 0x0204
const IPPROTO_TCP = 6
const CHECKSUM_AT = 16
/** Of the destination in an IPv4 header. */
const DESTINATION_AT = 16

export class Segments {
  /** Of each message in the batch. */
  readonly flights = new Int32Array(BATCH_MESSAGES)
  count = 0
  readonly #family: IpFamily
  readonly #batch: MessageBatch
  readonly #targets: HalfOpenTargets
  readonly #table: Flights

  constructor(calls: BatchCalls, family: IpFamily, table: { targets: HalfOpenTargets; flights: Flights }) {
    this.#family = family
    this.#targets = table.targets
    this.#table = table.flights
    this.#batch = new MessageBatch(calls, {
      count: BATCH_MESSAGES,
      name: NAME_BYTES,
      nameLength: family.nameLength,
      data: SEGMENT_BYTES,
      control: CONTROL_BYTES,
    })
    for (let i = 0; i < BATCH_MESSAGES; i++) this.#layOut(i)
  }

  get isFull(): boolean {
    return this.count === BATCH_MESSAGES
  }

  /** Adds the SYN of a flight. */
  add(flight: number): void {
    const i = this.count++
    const slot = this.#table.slots[flight]!
    const { view } = this.#batch.data
    const at = i * SEGMENT_BYTES
    this.flights[i] = flight
    view.setUint16(at, this.#table.portOf(flight))
    view.setUint16(at + 2, this.#targets.ports[slot]!)
    view.setUint32(at + 4, this.#table.sequences[flight]!)
    view.setUint8(at + 13, SYN)
    this.#address(i, slot)
    if (this.#family.version === 4) view.setUint16(at + CHECKSUM_AT, this.#checksum(i))
  }

  /**
   * Adds a reset that answers message `i` of `received`, a SYN-ACK whose TCP header is at `tcp`. From an IPv6 host with
   * several addresses it leaves from the one that the kernel chooses.
   */
  addReset(received: MessageBatch, i: number, tcp: number): void {
    const packet = received.data.view
    const message = this.count++
    const at = message * SEGMENT_BYTES
    const { view } = this.#batch.data
    this.flights[message] = NO_FLIGHT
    view.setUint16(at, packet.getUint16(tcp + 2))
    view.setUint16(at + 2, packet.getUint16(tcp))
    // The number that the answer expects next (RFC 9293 section 3.10.7.1).
    view.setUint32(at + 4, packet.getUint32(tcp + 8))
    view.setUint8(at + 13, RST)
    const { words, addressAt, packetInfo, version } = this.#family
    const name = (message * NAME_BYTES + addressAt) / 4
    const peer = (i * received.shape.name + addressAt) / 4
    for (let word = 0; word < words; word++)
      this.#batch.names.words[name + word] = received.names.words[peer + word]!
    this.#batch.setControlLength(message, 0)
    if (version === 6) return
    const source = (message * CONTROL_BYTES + CONTROL_HEADER_BYTES + packetInfo.at) / 4
    this.#batch.controls.words[source] = received.data.words[(i * received.shape.data + DESTINATION_AT) / 4]!
    this.#batch.setControlLength(message, CONTROL_HEADER_BYTES + this.#controlBytes)
    view.setUint16(at + CHECKSUM_AT, this.#checksum(message))
  }

  /** Sends the messages from `from` on. Returns how many were sent, or -1. */
  send(fd: number, from: number): number {
    return this.#batch.send(fd, from, this.count)
  }

  clear(): void {
    this.count = 0
  }

  #layOut(i: number): void {
    const { af, mss, packetInfo } = this.#family
    const { names, data, controls } = this.#batch
    names.view.setUint16(i * NAME_BYTES, af, isLittleEndian)
    const at = i * SEGMENT_BYTES
    data.view.setUint8(at + 12, HEADER_WORDS << 4)
    data.view.setUint16(at + 14, WINDOW)
    data.view.setUint16(at + 20, MSS_OPTION)
    data.view.setUint16(at + 22, mss)
    const control = i * CONTROL_BYTES
    const length = CONTROL_HEADER_BYTES + packetInfo.bytes
    controls.view.setBigUint64(control, BigInt(length), isLittleEndian)
    controls.view.setInt32(control + 8, packetInfo.level, isLittleEndian)
    controls.view.setInt32(control + 12, packetInfo.type, isLittleEndian)
  }

  /** Writes where message `i` goes, and from where. Without a source (IPv6) the kernel chooses it. */
  #address(i: number, slot: number): void {
    const { words, addressAt, packetInfo, version } = this.#family
    const from = slot * WORDS_PER_ADDRESS
    const name = (i * NAME_BYTES + addressAt) / 4
    const source = (i * CONTROL_BYTES + CONTROL_HEADER_BYTES + packetInfo.at) / 4
    for (let word = 0; word < words; word++) {
      this.#batch.names.words[name + word] = this.#targets.addresses[from + word]!
      this.#batch.controls.words[source + word] = this.#targets.sources[from + word]!
    }
    const hasSource = version === 4 || this.#targets.hasSource[slot] === 1
    this.#batch.setControlLength(i, hasSource ? CONTROL_HEADER_BYTES + this.#controlBytes : 0)
  }

  /** With the padding up to the next control message (CMSG_SPACE). */
  get #controlBytes(): number {
    return Math.ceil(this.#family.packetInfo.bytes / 8) * 8
  }

  /** Of TCP over IPv4 (RFC 9293 section 3.1), with the pseudo-header. */
  #checksum(i: number): number {
    const { view } = this.#batch.data
    const names = this.#batch.names.view
    const controls = this.#batch.controls.view
    const name = i * NAME_BYTES + this.#family.addressAt
    const source = i * CONTROL_BYTES + CONTROL_HEADER_BYTES + this.#family.packetInfo.at
    const at = i * SEGMENT_BYTES
    let sum = IPPROTO_TCP + SEGMENT_BYTES
    sum += names.getUint16(name) + names.getUint16(name + 2)
    sum += controls.getUint16(source) + controls.getUint16(source + 2)
    for (let offset = 0; offset < SEGMENT_BYTES; offset += 2)
      if (offset !== CHECKSUM_AT) sum += view.getUint16(at + offset)
    sum = (sum & 0xffff) + (sum >>> 16)
    sum = (sum & 0xffff) + (sum >>> 16)
    return ~sum & 0xffff
  }
}
