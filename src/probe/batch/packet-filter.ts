/**
 * Classic BPF (linux/filter.h): a raw socket gets a copy of every packet of its protocol that arrives at the host. A
 * filter in the kernel copies only those that are answers to us.
 */
import type { BatchCalls } from './batch-calls.ts'
import { KernelMemory } from './kernel-memory.ts'
import { isLittleEndian } from './message-batch.ts'

/** An instruction: what is done, how many instructions are left out if true and if false, and a number. */
export type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, k: number]

const LOAD_BYTE = 0x30
const LOAD_BYTE_AT_X = 0x50
const LOAD_HALF = 0x28
const LOAD_HALF_AT_X = 0x48
/** X = 4 × the low four bits of a byte: the length of an IPv4 header. */
const LOAD_X_HEADER = 0xb1
const IF_EQUAL = 0x15
const IF_GREATER = 0x25
const IF_GREATER_OR_EQUAL = 0x35
const IF_ANY_BIT = 0x45
const AND = 0x54
const SHIFT_LEFT = 0x64
const ADD_X = 0x0c
const TO_X = 0x07
const RETURN = 0x06

/** Bytes of a packet that are copied: the longest IPv4 header twice (an error quotes one), and what is behind them. */
const COPIED_BYTES = 160
const COPY: Instruction = [RETURN, 0, 0, COPIED_BYTES]
const LEAVE: Instruction = [RETURN, 0, 0, 0]

const IPPROTO_TCP = 6
/** Flags of TCP. */
const SYN_ACK = 0x12
const RST = 0x04

/** Ports from `first` on. */
export interface PortBlock {
  readonly first: number
  readonly count: number
}

/** SYN-ACK and RST to these ports; what an IPv4 socket sees begins with the IP header, IPv6 without. */
export function answersTo(family: 4 | 6, { first, count }: PortBlock): readonly Instruction[] {
  const load = family === 4 ? LOAD_HALF_AT_X : LOAD_HALF
  const loadByte = family === 4 ? LOAD_BYTE_AT_X : LOAD_BYTE
  return [
    ...(family === 4 ? ([[LOAD_X_HEADER, 0, 0, 0]] as const) : []),
    [load, 0, 0, 2],
    [IF_GREATER_OR_EQUAL, 0, 6, first],
    [IF_GREATER, 5, 0, first + count - 1],
    [loadByte, 0, 0, 13],
    [IF_ANY_BIT, 2, 0, RST],
    [AND, 0, 0, SYN_ACK],
    [IF_EQUAL, 0, 1, SYN_ACK],
    COPY,
    LEAVE,
  ]
}

/** ICMP errors about TCP packets from these ports: they quote the IP header of the packet and 8 bytes of TCP. */
export function errorsAbout(family: 4 | 6, { first, count }: PortBlock): readonly Instruction[] {
  const ofPort: readonly Instruction[] = [
    [IF_GREATER_OR_EQUAL, 0, 2, first],
    [IF_GREATER, 1, 0, first + count - 1],
    COPY,
    LEAVE,
  ]
  if (family === 6)
    return [[LOAD_BYTE, 0, 0, 14], [IF_EQUAL, 0, 4, IPPROTO_TCP], [LOAD_HALF, 0, 0, 48], ...ofPort]
  return [
    [LOAD_X_HEADER, 0, 0, 0],
    [LOAD_BYTE_AT_X, 0, 0, 17],
    [IF_EQUAL, 0, 9, IPPROTO_TCP],
    [LOAD_BYTE_AT_X, 0, 0, 8],
    [AND, 0, 0, 0x0f],
    [SHIFT_LEFT, 0, 0, 2],
    [ADD_X, 0, 0, 0],
    [TO_X, 0, 0, 0],
    [LOAD_HALF_AT_X, 0, 0, 8],
    ...ofPort,
  ]
}

const INSTRUCTION_BYTES = 8
const PROGRAM_BYTES = 16
const SOL_SOCKET = 1
const SO_ATTACH_FILTER = 26

export class PacketFilter {
  readonly #calls: BatchCalls
  readonly #instructions: KernelMemory
  readonly #program: KernelMemory

  constructor(calls: BatchCalls, instructions: readonly Instruction[]) {
    this.#calls = calls
    this.#instructions = new KernelMemory(calls, instructions.length * INSTRUCTION_BYTES)
    const { view } = this.#instructions
    for (const [i, [code, ifTrue, ifFalse, k]] of instructions.entries()) {
      const at = i * INSTRUCTION_BYTES
      view.setUint16(at, code, isLittleEndian)
      view.setUint8(at + 2, ifTrue)
      view.setUint8(at + 3, ifFalse)
      view.setUint32(at + 4, k, isLittleEndian)
    }
    this.#program = new KernelMemory(calls, PROGRAM_BYTES)
    this.#program.view.setUint16(0, instructions.length, isLittleEndian)
    this.#program.view.setBigUint64(8, this.#instructions.address, isLittleEndian)
  }

  /** Whether the kernel took it. */
  attach(fd: number): boolean {
    const { bytes } = this.#program
    return this.#calls.setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, bytes, bytes.length) === 0
  }
}
