/** The memory of a socket (SO_MEMINFO, linux/sock_diag.h): what it holds, may hold, and had no room for. */
import type { BatchCalls } from './batch-calls.ts'
import { isLittleEndian } from './message-batch.ts'

const SOL_SOCKET = 1
const SO_MEMINFO = 55
const MEMINFO_BYTES = 36
const RECEIVED_AT = 0
const RECEIVE_LIMIT_AT = 4
const DROPS_AT = 32
/** Bytes that the kernel wants for one packet, at least. */
const PACKET_ROOM = 4096

export class SocketMemory {
  readonly #calls: Pick<BatchCalls, 'getsockopt'>
  readonly #bytes = new Uint8Array(MEMINFO_BYTES)
  readonly #view = new DataView(this.#bytes.buffer)
  readonly #length = new Uint32Array(1)
  readonly #lengthBytes = new Uint8Array(this.#length.buffer)

  constructor(calls: Pick<BatchCalls, 'getsockopt'>) {
    this.#calls = calls
  }

  /** Packets that there was no room for, since it was opened; also those with a wrong checksum. -1 where the kernel does not say. */
  drops(fd: number): number {
    return this.#read(fd) ? this.#view.getUint32(DROPS_AT, isLittleEndian) : -1
  }

  /**
   * Whether there is no room for one more packet. Only who reads the socket makes room: while this is false before each
   * reading, nothing was lost. (The count of drops cannot say it: whoever sends wrong checksums increases it.)
   */
  isFull(fd: number): boolean {
    if (!this.#read(fd)) return false
    const limit = this.#view.getUint32(RECEIVE_LIMIT_AT, isLittleEndian)
    return this.#view.getUint32(RECEIVED_AT, isLittleEndian) + Math.min(limit / 2, PACKET_ROOM) >= limit
  }

  #read(fd: number): boolean {
    this.#length[0] = MEMINFO_BYTES
    return this.#calls.getsockopt(fd, SOL_SOCKET, SO_MEMINFO, this.#bytes, this.#lengthBytes) === 0
  }
}
