/**
 * SYNs on their way out: a batch of packets that is laid out once, and of which ports, numbers and addresses are written
 * for each probe. And the resets that the kernel could not send.
 */
import type { BatchCalls } from '../../batch/batch-calls.ts'
import { type BatchTargets, NO_FLIGHT } from '../../batch/batch-targets.ts'
import type { IpFamily } from '../../batch/ip-family.ts'
import type { MessageBatch } from '../../batch/message-batch.ts'
import { OutgoingPackets } from '../../batch/outgoing-packets.ts'
import type { Flights } from './flights.ts'

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
  readonly packets: OutgoingPackets
  readonly #family: IpFamily
  readonly #targets: BatchTargets
  readonly #table: Flights

  constructor(calls: BatchCalls, family: IpFamily, table: { targets: BatchTargets; flights: Flights }) {
    this.#family = family
    this.#targets = table.targets
    this.#table = table.flights
    this.packets = new OutgoingPackets(calls, family, table.targets, SEGMENT_BYTES)
    for (let i = 0; i < this.packets.flights.length; i++) this.#layOut(i)
  }

  /** Adds the SYN of a flight. */
  add(flight: number): void {
    const slot = this.#table.slots[flight]!
    const isIpv4 = this.#family.version === 4
    const i = this.packets.add(flight, slot, isIpv4 || this.#targets.hasSource[slot] === 1)
    const { view } = this.packets.batch.data
    const at = i * SEGMENT_BYTES
    view.setUint16(at, this.#table.portOf(flight))
    view.setUint16(at + 2, this.#targets.ports[slot]!)
    view.setUint32(at + 4, this.#table.sequences[flight]!)
    view.setUint8(at + 13, SYN)
    if (isIpv4) view.setUint16(at + CHECKSUM_AT, this.#checksum(i))
  }

  /**
   * Adds a reset that answers message `k` of `received`, a SYN-ACK whose TCP header is at `tcp`. From an IPv6 host with
   * several addresses it leaves from the one that the kernel chooses.
   */
  addReset(received: MessageBatch, k: number, tcp: number): void {
    const isIpv4 = this.#family.version === 4
    const destination = (k * received.shape.data + DESTINATION_AT) / 4
    const source = isIpv4 ? received.data.words[destination] : undefined
    const i = this.packets.addAnswer(received, k, NO_FLIGHT, source)
    const packet = received.data.view
    const { view } = this.packets.batch.data
    const at = i * SEGMENT_BYTES
    view.setUint16(at, packet.getUint16(tcp + 2))
    view.setUint16(at + 2, packet.getUint16(tcp))
    // The number that the answer expects next (RFC 9293 section 3.10.7.1).
    view.setUint32(at + 4, packet.getUint32(tcp + 8))
    view.setUint8(at + 13, RST)
    if (isIpv4) view.setUint16(at + CHECKSUM_AT, this.#checksum(i))
  }

  #layOut(i: number): void {
    const { view } = this.packets.batch.data
    const at = i * SEGMENT_BYTES
    view.setUint8(at + 12, HEADER_WORDS << 4)
    view.setUint16(at + 14, WINDOW)
    view.setUint16(at + 20, MSS_OPTION)
    view.setUint16(at + 22, this.#family.mss)
  }

  /** Of TCP over IPv4 (RFC 9293 section 3.1), with the pseudo-header. */
  #checksum(i: number): number {
    const { data, names: to, controls: from } = this.packets.batch
    const name = this.packets.nameAt(i)
    const source = this.packets.sourceAt(i)
    const at = i * SEGMENT_BYTES
    let sum = IPPROTO_TCP + SEGMENT_BYTES
    sum += to.view.getUint16(name) + to.view.getUint16(name + 2)
    sum += from.view.getUint16(source) + from.view.getUint16(source + 2)
    for (let offset = 0; offset < SEGMENT_BYTES; offset += 2)
      if (offset !== CHECKSUM_AT) sum += data.view.getUint16(at + offset)
    sum = (sum & 0xffff) + (sum >>> 16)
    sum = (sum & 0xffff) + (sum >>> 16)
    return ~sum & 0xffff
  }
}
