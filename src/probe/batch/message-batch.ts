/**
 * Many messages for one sendmmsg or recvmmsg: an array of struct mmsghdr (sys/socket.h), laid out once, and the memory
 * that it points to. What is written anew for a message are the bytes of its name, its data and its control messages.
 *
 * 64-bit systems only: struct msghdr is name, its length, vector, its length, control, its length, flags; with the
 * length of the message behind it, 64 bytes.
 */
import { endianness } from 'node:os'
import type { BatchCalls } from './batch-calls.ts'
import { KernelMemory } from './kernel-memory.ts'

export const isLittleEndian = endianness() === 'LE'

const HEADER_BYTES = 64
const NAME_AT = 0
const NAME_LENGTH_AT = 8
const VECTOR_AT = 16
const VECTOR_LENGTH_AT = 24
const CONTROL_AT = 32
const CONTROL_LENGTH_AT = 40
const LENGTH_AT = 56
const VECTOR_BYTES = 16
/** Of the length in it, the half that is not always 0. */
const VECTOR_LENGTH_AT_LOW = isLittleEndian ? 8 : 12
const MSG_DONTWAIT = 0x40

/** Bytes of each message; multiples of 8. */
export interface MessageShape {
  readonly count: number
  /** A socket address; its struct may be shorter (`nameLength`). */
  readonly name: number
  readonly nameLength: number
  readonly data: number
  readonly control: number
}

export class MessageBatch {
  readonly shape: MessageShape
  readonly names: KernelMemory
  readonly data: KernelMemory
  readonly controls: KernelMemory
  readonly #calls: BatchCalls
  readonly #headers: KernelMemory
  /** Held for the kernel: the headers have its address. */
  readonly #vectors: KernelMemory

  constructor(calls: BatchCalls, shape: MessageShape) {
    const { count, name, data, control } = shape
    this.#calls = calls
    this.shape = shape
    this.names = new KernelMemory(calls, count * name)
    this.data = new KernelMemory(calls, count * data)
    this.controls = new KernelMemory(calls, count * Math.max(8, control))
    this.#vectors = new KernelMemory(calls, count * VECTOR_BYTES)
    this.#headers = new KernelMemory(calls, count * HEADER_BYTES)
    for (let i = 0; i < count; i++) this.#layOut(i)
  }

  /** Sends the messages `from`..`to` (exclusive). Returns how many were sent, or -1. */
  send(fd: number, from: number, to: number): number {
    const { bytes } = this.#headers
    const headers = from === 0 ? bytes : bytes.subarray(from * HEADER_BYTES)
    return this.#calls.sendmmsg(fd, headers, to - from, MSG_DONTWAIT)
  }

  /** Receives what is there, at most as many messages as there is room for; 0 = nothing. `flags`: beside MSG_DONTWAIT. */
  receive(fd: number, flags = 0): number {
    const { count } = this.shape
    const received = this.#calls.recvmmsg(fd, this.#headers.bytes, count, MSG_DONTWAIT | flags, null)
    return Math.max(0, received)
  }

  /** Makes the first `count` messages ready to be received again: the kernel has written their lengths. */
  renew(count: number): void {
    for (let i = 0; i < count; i++) this.#setLengths(i)
  }

  /** Bytes of a message that was received. */
  lengthOf(i: number): number {
    return this.#headers.view.getUint32(i * HEADER_BYTES + LENGTH_AT, isLittleEndian)
  }

  /** Bytes of its data that are sent, at most those of the shape. */
  setDataLength(i: number, bytes: number): void {
    const at = i * VECTOR_BYTES + VECTOR_LENGTH_AT_LOW
    this.#vectors.view.setUint32(at, bytes, isLittleEndian)
  }

  /** Bytes of its control messages that are sent. */
  setControlLength(i: number, bytes: number): void {
    this.#headers.view.setUint32(i * HEADER_BYTES + CONTROL_LENGTH_AT, bytes, isLittleEndian)
  }

  controlLengthOf(i: number): number {
    return this.#headers.view.getUint32(i * HEADER_BYTES + CONTROL_LENGTH_AT, isLittleEndian)
  }

  #layOut(i: number): void {
    const { name, data, control } = this.shape
    const { view } = this.#headers
    const at = i * HEADER_BYTES
    const vectorAt = i * VECTOR_BYTES
    const pointTo = (offset: number, { address }: KernelMemory, place: number): void =>
      view.setBigUint64(at + offset, address + BigInt(place), isLittleEndian)
    pointTo(NAME_AT, this.names, i * name)
    pointTo(VECTOR_AT, this.#vectors, vectorAt)
    view.setBigUint64(at + VECTOR_LENGTH_AT, 1n, isLittleEndian)
    if (control > 0) pointTo(CONTROL_AT, this.controls, i * control)
    this.#vectors.view.setBigUint64(vectorAt, this.data.address + BigInt(i * data), isLittleEndian)
    this.#vectors.view.setBigUint64(vectorAt + 8, BigInt(data), isLittleEndian)
    this.#setLengths(i)
  }

  #setLengths(i: number): void {
    const { view } = this.#headers
    view.setUint32(i * HEADER_BYTES + NAME_LENGTH_AT, this.shape.nameLength, isLittleEndian)
    view.setUint32(i * HEADER_BYTES + CONTROL_LENGTH_AT, this.shape.control, isLittleEndian)
  }
}
