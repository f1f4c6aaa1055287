/**
 * Packets on their way out: a batch whose socket addresses and control messages are laid out once. Of a packet are written
 * where it goes, from where, and its data, by whoever knows the protocol.
 */
import { BATCH_MESSAGES } from '../../domain/limits.ts'
import type { BatchCalls } from './batch-calls.ts'
import { type BatchTargets, WORDS_PER_ADDRESS } from './batch-targets.ts'
import type { IpFamily } from './ip-family.ts'
import { isLittleEndian, MessageBatch } from './message-batch.ts'

/** Bytes of a socket address in a batch, of either family. */
export const NAME_BYTES = 32
const CONTROL_BYTES = 40
const CONTROL_HEADER_BYTES = 16
const EIO = 5

export class OutgoingPackets {
  count = 0
  /** The flight of each packet in the batch. */
  readonly flights = new Int32Array(BATCH_MESSAGES)
  readonly batch: MessageBatch
  readonly #calls: BatchCalls
  readonly #family: IpFamily
  readonly #targets: BatchTargets
  /** Of the control message with a source, with the padding up to the next one (CMSG_SPACE). */
  readonly #sourceBytes: number

  /** `bytes` of a packet: a multiple of 8. */
  constructor(calls: BatchCalls, family: IpFamily, targets: BatchTargets, bytes: number) {
    this.#calls = calls
    this.#family = family
    this.#targets = targets
    this.#sourceBytes = CONTROL_HEADER_BYTES + Math.ceil(family.packetInfo.bytes / 8) * 8
    this.batch = new MessageBatch(calls, {
      count: BATCH_MESSAGES,
      name: NAME_BYTES,
      nameLength: family.nameLength,
      data: bytes,
      control: CONTROL_BYTES,
    })
    for (let i = 0; i < BATCH_MESSAGES; i++) this.#layOut(i)
  }

  get isFull(): boolean {
    return this.count === BATCH_MESSAGES
  }

  /** Adds a packet to the target of `slot`, from its source address if `isFromSource`, else from the one that the kernel chooses. */
  add(flight: number, slot: number, isFromSource: boolean): number {
    const i = this.count++
    this.flights[i] = flight
    const { words } = this.#family
    const from = slot * WORDS_PER_ADDRESS
    const name = this.nameAt(i) / 4
    const source = this.sourceAt(i) / 4
    for (let word = 0; word < words; word++) {
      this.batch.names.words[name + word] = this.#targets.addresses[from + word]!
      this.batch.controls.words[source + word] = this.#targets.sources[from + word]!
    }
    this.batch.setControlLength(i, isFromSource ? this.#sourceBytes : 0)
    return i
  }

  /** Adds a packet to the sender of message `k` of `received`. `source`: the address from which it leaves; undefined = the kernel chooses. */
  addAnswer(received: MessageBatch, k: number, flight: number, source?: number): number {
    const i = this.count++
    this.flights[i] = flight
    const { words, addressAt } = this.#family
    const name = this.nameAt(i) / 4
    const peer = (k * received.shape.name + addressAt) / 4
    for (let word = 0; word < words; word++)
      this.batch.names.words[name + word] = received.names.words[peer + word]!
    if (source !== undefined) this.batch.controls.words[this.sourceAt(i) / 4] = source
    this.batch.setControlLength(i, source === undefined ? 0 : this.#sourceBytes)
    return i
  }

  /** Where the address to which packet `i` goes is in `names`, and its source in `controls`: bytes. */
  nameAt(i: number): number {
    return i * NAME_BYTES + this.#family.addressAt
  }

  sourceAt(i: number): number {
    return i * CONTROL_BYTES + CONTROL_HEADER_BYTES + this.#family.packetInfo.at
  }

  /** Sends all. One packet that cannot be sent does not hold the others; `onUnsent` adds none. */
  send(fd: number, onUnsent: (flight: number, errno: number) => void): void {
    for (let from = 0; from < this.count; ) {
      const sent = this.batch.send(fd, from, this.count)
      if (sent > 0) from += sent
      else onUnsent(this.flights[from++]!, this.#calls.errno() || EIO)
    }
    this.count = 0
  }

  #layOut(i: number): void {
    const { af, packetInfo } = this.#family
    const { names, controls } = this.batch
    names.view.setUint16(i * NAME_BYTES, af, isLittleEndian)
    const control = i * CONTROL_BYTES
    controls.view.setBigUint64(control, BigInt(CONTROL_HEADER_BYTES + packetInfo.bytes), isLittleEndian)
    controls.view.setInt32(control + 8, packetInfo.level, isLittleEndian)
    controls.view.setInt32(control + 12, packetInfo.type, isLittleEndian)
  }
}
