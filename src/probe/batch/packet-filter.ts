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
const LOAD_WORD = 0x20
const LOAD_WORD_AT_X = 0x40
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

/** ICMP types and the protocol number of a family. */
const ICMP = {
  4: { protocol: 1, reply: 0, request: 8, unreachable: 3 },
  6: { protocol: 58, reply: 129, request: 128, unreachable: 1 },
} as const

/** Of an echo with its payload: where its token is, and its random word. */
const TOKEN_AT = 8
const WORD_AT = 12

function loadsOf(family: 4 | 6) {
  return family === 4
    ? { load: LOAD_HALF_AT_X, loadByte: LOAD_BYTE_AT_X, loadWord: LOAD_WORD_AT_X }
    : { load: LOAD_HALF, loadByte: LOAD_BYTE, loadWord: LOAD_WORD }
}

/** Replies to one echo request, which has this identifier and random word. */
export function replyWith(family: 4 | 6, identifier: number, randomWord: number): readonly Instruction[] {
  const { load, loadByte, loadWord } = loadsOf(family)
  return [
    ...(family === 4 ? ([[LOAD_X_HEADER, 0, 0, 0]] as const) : []),
    [loadByte, 0, 0, 0],
    [IF_EQUAL, 0, 5, ICMP[family].reply],
    [load, 0, 0, 4],
    [IF_EQUAL, 0, 3, identifier],
    [loadWord, 0, 0, WORD_AT],
    [IF_EQUAL, 0, 1, randomWord],
    COPY,
    LEAVE,
  ]
}

/**
 * Replies to echo requests of this identifier and token, and "destination unreachable" about them, of which the quoted
 * request may end before its token.
 */
export function echoesOf(family: 4 | 6, identifier: number, token: number): readonly Instruction[] {
  const { protocol, reply, request, unreachable } = ICMP[family]
  const { load, loadByte, loadWord } = loadsOf(family)
  // Of IPv4, X is the length of the IP header, and from the error on that of the quoted one too.
  const quotedX: readonly Instruction[] = [
    [LOAD_BYTE_AT_X, 0, 0, 8],
    [AND, 0, 0, 0x0f],
    [SHIFT_LEFT, 0, 0, 2],
    [ADD_X, 0, 0, 0],
    [TO_X, 0, 0, 0],
  ]
  const skip = family === 4 ? quotedX : []
  const quotedAt = family === 4 ? 8 : 48
  const ofError: readonly Instruction[] = [
    [IF_EQUAL, 0, skip.length + 6, unreachable],
    [loadByte, 0, 0, family === 4 ? 17 : 14],
    [IF_EQUAL, 0, skip.length + 4, protocol],
    ...skip,
    [loadByte, 0, 0, quotedAt],
    [IF_EQUAL, 0, 2, request],
    [load, 0, 0, quotedAt + 4],
    [IF_EQUAL, 1, 0, identifier],
    LEAVE,
    COPY,
  ]
  return [
    ...(family === 4 ? ([[LOAD_X_HEADER, 0, 0, 0]] as const) : []),
    [loadByte, 0, 0, 0],
    [IF_EQUAL, 0, 6, reply],
    [load, 0, 0, 4],
    [IF_EQUAL, 0, 2, identifier],
    [loadWord, 0, 0, TOKEN_AT],
    [IF_EQUAL, 1, 0, token],
    LEAVE,
    COPY,
    ...ofError,
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
    this.write(instructions)
    this.#program = new KernelMemory(calls, PROGRAM_BYTES)
    this.#program.view.setUint16(0, instructions.length, isLittleEndian)
    this.#program.view.setBigUint64(8, this.#instructions.address, isLittleEndian)
  }

  /** Other instructions, as many. Sockets that have the filter already keep what they have. */
  write(instructions: readonly Instruction[]): void {
    const { view } = this.#instructions
    for (const [i, [code, ifTrue, ifFalse, k]] of instructions.entries()) {
      const at = i * INSTRUCTION_BYTES
      view.setUint16(at, code, isLittleEndian)
      view.setUint8(at + 2, ifTrue)
      view.setUint8(at + 3, ifFalse)
      view.setUint32(at + 4, k, isLittleEndian)
    }
  }

  /** Whether the kernel took it. */
  attach(fd: number): boolean {
    const { bytes } = this.#program
    return this.#calls.setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, bytes, bytes.length) === 0
  }
}
