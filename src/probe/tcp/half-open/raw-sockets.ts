/** The two raw sockets of one family: TCP, which sends SYNs and hears the answers, and ICMP, which hears the errors. */
import {
  BATCH_READ_MAX,
  BATCH_RECEIVE_BUFFER_BYTES,
  BATCH_SEND_BUFFER_BYTES,
} from '../../../domain/limits.ts'
import type { BatchCalls } from '../../batch/batch-calls.ts'
import { isLittleEndian } from '../../batch/message-batch.ts'
import { answersTo, errorsAbout, PacketFilter, type PortBlock } from '../../batch/packet-filter.ts'
import type { IpFamily } from './ip-family.ts'

const SOCK_RAW_NONBLOCK_CLOEXEC = 0o2004003
const IPPROTO_TCP = 6
const SOL_SOCKET = 1
const MSG_DONTWAIT = 0x40
const SO_SNDBUF = 7
const SO_RCVBUF = 8
const SO_SNDBUFFORCE = 32
const SO_RCVBUFFORCE = 33
const SO_TIMESTAMPNS = 35
const SO_MEMINFO = 55
const MEMINFO_BYTES = 36
/** Index of the packets that were dropped (SK_MEMINFO_DROPS), in bytes. */
const DROPS_AT = 32
const SOL_RAW = 255
const IPV6_CHECKSUM = 7
const CHECKSUM_AT = 16

const ON = word(1)
/** Where TCP has its checksum: the kernel computes it. */
const AT_CHECKSUM = word(CHECKSUM_AT)

export class RawSockets {
  tcp = -1
  icmp = -1
  readonly #calls: BatchCalls
  readonly #filters: readonly PacketFilter[]
  readonly #memory = new Uint8Array(MEMINFO_BYTES)
  readonly #memoryView = new DataView(this.#memory.buffer)
  readonly #length = new Uint8Array(4)

  /** Call `open` next. */
  constructor(calls: BatchCalls, family: 4 | 6, ports: PortBlock) {
    this.#calls = calls
    this.#filters = [answersTo(family, ports), errorsAbout(family, ports)].map(
      (instructions) => new PacketFilter(calls, instructions),
    )
  }

  /** Undefined, or the call that failed. */
  open({ af, icmpProtocol, icmpFilter, version }: IpFamily): string | undefined {
    const calls = this.#calls
    this.tcp = calls.socket(af, SOCK_RAW_NONBLOCK_CLOEXEC, IPPROTO_TCP)
    this.icmp = this.tcp < 0 ? -1 : calls.socket(af, SOCK_RAW_NONBLOCK_CLOEXEC, icmpProtocol)
    if (this.tcp < 0 || this.icmp < 0) return 'socket'
    const [answers, errors] = this.#filters
    if (!answers?.attach(this.tcp) || !errors?.attach(this.icmp)) return 'filter'
    // What arrived before there was a filter.
    for (const fd of [this.tcp, this.icmp]) this.#drain(fd)
    const { level, option, bytes } = icmpFilter
    const isSet = (fd: number, of: number, name: number, value: Uint8Array): boolean =>
      calls.setsockopt(fd, of, name, value, value.length) === 0
    if (!isSet(this.icmp, level, option, bytes)) return 'ICMP_FILTER'
    if (!isSet(this.tcp, SOL_SOCKET, SO_TIMESTAMPNS, ON)) return 'SO_TIMESTAMPNS'
    if (version === 6 && !isSet(this.tcp, SOL_RAW, IPV6_CHECKSUM, AT_CHECKSUM)) return 'IPV6_CHECKSUM'
    if (this.drops() < 0) return 'SO_MEMINFO'
    // As large as this process may ask for.
    const receive = word(BATCH_RECEIVE_BUFFER_BYTES)
    const send = word(BATCH_SEND_BUFFER_BYTES)
    if (!isSet(this.tcp, SOL_SOCKET, SO_RCVBUFFORCE, receive)) isSet(this.tcp, SOL_SOCKET, SO_RCVBUF, receive)
    if (!isSet(this.tcp, SOL_SOCKET, SO_SNDBUFFORCE, send)) isSet(this.tcp, SOL_SOCKET, SO_SNDBUF, send)
    return undefined
  }

  #drain(fd: number): void {
    const packet = new Uint8Array(8)
    for (let i = 0; i < BATCH_READ_MAX; i++) {
      if (this.#calls.recv(fd, packet, packet.length, MSG_DONTWAIT) < 0) return
    }
  }

  /** Packets that the TCP socket had no room for, since it was opened; -1 where the kernel does not say. */
  drops(): number {
    new DataView(this.#length.buffer).setUint32(0, MEMINFO_BYTES, isLittleEndian)
    if (this.#calls.getsockopt(this.tcp, SOL_SOCKET, SO_MEMINFO, this.#memory, this.#length) !== 0) return -1
    return this.#memoryView.getUint32(DROPS_AT, isLittleEndian)
  }

  get descriptors(): number {
    return [this.tcp, this.icmp].filter((fd) => fd >= 0).length
  }

  close(): void {
    for (const fd of [this.tcp, this.icmp]) if (fd >= 0) this.#calls.close(fd)
    this.tcp = this.icmp = -1
  }
}

function word(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setInt32(0, value, isLittleEndian)
  return bytes
}
