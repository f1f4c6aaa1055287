/** A raw socket of a core: the kernel filters and stamps what it receives, and counts what it has no room for. */
import { BATCH_READ_MAX, BATCH_RECEIVE_BUFFER_BYTES, BATCH_SEND_BUFFER_BYTES } from '../../domain/limits.ts'
import type { BatchCalls } from './batch-calls.ts'
import type { IpFamily } from './ip-family.ts'
import { type Instruction, PacketFilter } from './packet-filter.ts'
import { SocketMemory } from './socket-memory.ts'
import { type SocketOption, word } from './socket-option.ts'

const SOCK_RAW_NONBLOCK_CLOEXEC = 0o2004003
const SOL_SOCKET = 1
const MSG_DONTWAIT = 0x40
const SO_SNDBUF = 7
const SO_RCVBUF = 8
const SO_SNDBUFFORCE = 32
const SO_RCVBUFFORCE = 33

export interface PacketSocketKind {
  readonly family: IpFamily
  readonly protocol: number
  readonly filter: readonly Instruction[]
  readonly options: readonly SocketOption[]
}

export class PacketSocket {
  /** -1 = closed. */
  fd = -1
  readonly #calls: BatchCalls
  readonly #kind: PacketSocketKind
  /** Held for the kernel, which reads it in `open`. */
  readonly #filter: PacketFilter
  readonly #memory: SocketMemory

  /** Call `open` next. */
  constructor(calls: BatchCalls, kind: PacketSocketKind) {
    this.#calls = calls
    this.#kind = kind
    this.#memory = new SocketMemory(calls)
    this.#filter = new PacketFilter(calls, kind.filter)
  }

  /** Undefined, or the call that failed. */
  open(): string | undefined {
    const { family, protocol, options } = this.#kind
    this.fd = this.#calls.socket(family.af, SOCK_RAW_NONBLOCK_CLOEXEC, protocol)
    if (this.fd < 0) return 'socket'
    if (!this.#filter.attach(this.fd)) return 'filter'
    this.#drain()
    for (const { level, option, value, name } of options) if (!this.#set(level, option, value)) return name
    if (this.drops() < 0) return 'SO_MEMINFO'
    // As large as this process may ask for.
    const receive = word(BATCH_RECEIVE_BUFFER_BYTES)
    const send = word(BATCH_SEND_BUFFER_BYTES)
    if (!this.#set(SOL_SOCKET, SO_RCVBUFFORCE, receive)) this.#set(SOL_SOCKET, SO_RCVBUF, receive)
    if (!this.#set(SOL_SOCKET, SO_SNDBUFFORCE, send)) this.#set(SOL_SOCKET, SO_SNDBUF, send)
    return undefined
  }

  /** Packets that there was no room for, since it was opened; -1 where the kernel does not say. */
  drops(): number {
    return this.#memory.drops(this.fd)
  }

  /** Whether packets may have been lost since the last reading. */
  isFull(): boolean {
    return this.#memory.isFull(this.fd)
  }

  get descriptors(): number {
    return this.fd >= 0 ? 1 : 0
  }

  close(): void {
    if (this.fd >= 0) this.#calls.close(this.fd)
    this.fd = -1
  }

  #set(level: number, option: number, value: Uint8Array): boolean {
    return this.#calls.setsockopt(this.fd, level, option, value, value.length) === 0
  }

  /** What arrived before there was a filter. */
  #drain(): void {
    const packet = new Uint8Array(8)
    for (let i = 0; i < BATCH_READ_MAX; i++) {
      if (this.#calls.recv(this.fd, packet, packet.length, MSG_DONTWAIT) < 0) return
    }
  }
}
