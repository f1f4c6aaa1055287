/**
 * From which address of this host IPv4 packets to a target leave. The sender of a raw packet must know it, because the
 * checksum of TCP includes it. The kernel is asked once per target (a UDP socket that connects sends nothing), and again
 * when it says, over netlink, that an address, a route, a rule or a device has changed.
 */
import type { BatchCalls } from '../../batch/batch-calls.ts'
import { isLittleEndian } from '../../batch/message-batch.ts'

const AF_INET = 2
const AF_NETLINK = 16
const SOCK_DGRAM_CLOEXEC = 0o2000002
const SOCK_RAW_NONBLOCK_CLOEXEC = 0o2004003
const NETLINK_ROUTE = 0
/** RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV4_ROUTE, RTMGRP_IPV4_RULE (linux/rtnetlink.h). */
const CHANGES = 0x1 | 0x10 | 0x40 | 0x80
const MSG_DONTWAIT = 0x40
const EAGAIN = 11
const EIO = 5
/** Any port: nothing is sent. */
const DISCARD_PORT = 9
/** Messages of netlink that are read at one time: more of them say no more. */
const MESSAGES_MAX = 64

export class SourceAddresses {
  /** Larger after each change: what was found before may not hold any more. Never 0. */
  epoch = 1
  /** What `find` has found, as the four bytes of the address in memory. */
  found = 0
  readonly #calls: BatchCalls
  readonly #udp: number
  readonly #netlink: number
  readonly #target = socketAddress()
  readonly #own = socketAddress()
  readonly #length = new Uint32Array(1)
  readonly #lengthBytes = new Uint8Array(this.#length.buffer)
  readonly #nowhere = new Uint8Array(16)
  readonly #message = new Uint8Array(4096)

  constructor(calls: BatchCalls) {
    this.#calls = calls
    this.#udp = calls.socket(AF_INET, SOCK_DGRAM_CLOEXEC, 0)
    this.#netlink = calls.socket(AF_NETLINK, SOCK_RAW_NONBLOCK_CLOEXEC, NETLINK_ROUTE)
  }

  /** Whether changes will be noticed. Called once. */
  listen(): boolean {
    const address = new DataView(new ArrayBuffer(12))
    address.setUint16(0, AF_NETLINK, isLittleEndian)
    address.setUint32(8, CHANGES, isLittleEndian)
    if (this.#udp < 0 || this.#netlink < 0) return false
    if (this.#calls.bind(this.#netlink, new Uint8Array(address.buffer), 12) !== 0) return false
    return this.#receive() < 0 && this.#calls.errno() === EAGAIN
  }

  /** Notices changes since the last look. */
  look(): void {
    if (this.#receive() < 0 && this.#calls.errno() === EAGAIN) return
    // Also when messages were lost (ENOBUFS).
    this.epoch++
    for (let i = 0; i < MESSAGES_MAX && this.#receive() > 0; i++);
  }

  /** Finds the source address of packets to this address, both as the bytes in memory. 0 = found, else an errno. */
  find(target: number): number {
    this.#target.words[1] = target
    const isFound = this.#calls.connect(this.#udp, this.#target.bytes, 16) === 0 && this.#readOwn()
    const errno = isFound ? 0 : this.#calls.errno() || EIO
    // A socket that connects again would keep its address.
    this.#calls.connect(this.#udp, this.#nowhere, 16)
    if (isFound) this.found = this.#own.words[1] ?? 0
    return errno
  }

  get descriptors(): number {
    return [this.#udp, this.#netlink].filter((fd) => fd >= 0).length
  }

  close(): void {
    for (const fd of [this.#udp, this.#netlink]) if (fd >= 0) this.#calls.close(fd)
  }

  #readOwn(): boolean {
    this.#length[0] = 16
    return this.#calls.getsockname(this.#udp, this.#own.bytes, this.#lengthBytes) === 0
  }

  #receive(): number {
    return this.#calls.recv(this.#netlink, this.#message, this.#message.length, MSG_DONTWAIT)
  }
}

function socketAddress(): { readonly bytes: Uint8Array; readonly words: Uint32Array } {
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, AF_INET, isLittleEndian)
  view.setUint16(2, DISCARD_PORT)
  return { bytes, words: new Uint32Array(bytes.buffer) }
}
