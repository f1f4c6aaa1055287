/**
 * What a TCP probe asks of the Linux kernel, in the kernel's own structures (sys/socket.h, sys/epoll.h, linux/tcp.h). What can
 * fail gives a negative errno. Every buffer is made once: a process has one of these.
 */
import { endianness } from 'node:os'
import { BATCH_TRIAL_MS, CONNECTION_EVENTS_MAX } from '../../domain/limits.ts'
import { type Ends, isConnectedToItself } from '../source-ports.ts'
import type { Libc } from './libc.ts'

export interface Peer {
  readonly family: 4 | 6
  readonly address: string
  readonly port: number
  /** The handshake is broken off: `dissolve` sends the RST that answers the SYN-ACK. */
  readonly halfOpen?: true
}

/** Peers in arrays, one of each per slot: destinations.ts. */
export interface Names {
  readonly families: Uint8Array
  /** WORDS_PER_NAME for each: its socket address, as in memory. */
  readonly words: Uint32Array
  /** 1 = the ACK of the SYN-ACK waits for what is sent next, or is never sent where that is an RST (`Peer.halfOpen`). */
  readonly holdAck: Uint8Array
}

/** Of the longest socket address, that of IPv6. */
export const WORDS_PER_NAME = 7

interface Room {
  readonly bytes: Uint8Array
  readonly view: DataView
}
interface Sockaddr extends Room {
  /** The part that holds the address, in network order. */
  readonly address: Uint8Array
  readonly words: Uint32Array
}

const AF = { 4: 2, 6: 10 } as const
/** Of family AF_UNSPEC: to connect to it dissolves what is there (connect(2)). */
const NOWHERE = new Uint8Array(16)
const SOCK_STREAM_NONBLOCK_CLOEXEC = 0o2004001
const EPOLL_CLOEXEC = 0o2000000
const EPOLL_CTL_ADD = 1
const EPOLL_CTL_DEL = 2
/**
 * EPOLLOUT | EPOLLET: one event, when a connection is established or has failed (EPOLLERR and EPOLLHUP are always on).
 */
const ENDED_ONCE = 0x8000_0004
/** EPOLLIN and EPOLLRDHUP besides: what arrives, and the end of the target's side. */
const HAS_ARRIVED = 0x2001
const EPOLLRDHUP = 0x2000
const SOL_SOCKET = 1
const SO_ERROR = 4
/** To bind to an address alone: the port is chosen by `connect`, which knows the target (ip(7), ipv6(7)). */
const IPPROTO_IP = 0
const IP_BIND_ADDRESS_NO_PORT = 24
const ON = new Uint8Array(new Uint32Array([1]).buffer)
const IPPROTO_TCP = 6
const TCP_INFO = 11
const TCP_QUICKACK = 12
const OFF = new Uint8Array(4)
const EIO = 5
const EINVAL = 22
const ECONNRESET = 104
const ECONNREFUSED = 111
const EINPROGRESS = 115
/** struct epoll_event is packed on x86-64, and on i386 a field of 64 bits needs no gap before it. */
const EVENT = ['x64', 'ia32'].includes(process.arch) ? { bytes: 12, fdAt: 4 } : { bytes: 16, fdAt: 8 }
/** What is read of struct tcp_info. */
const INFO = { bytes: 104, stateAt: 0, rttAt: 68, retransmitsAt: 100 } as const
/** States of a connection (net/tcp_states.h). */
const ESTABLISHED = 1
const SYN_SENT = 2
const SYN_RECV = 3
const CLOSE = 7
const CLOSE_WAIT = 8
const UNKNOWN = 0

/** Outcomes of a connection, beside the negative errno of one that failed. */
export const CONNECTED = 0
export const CONNECTING = 1

const isLittleEndian = endianness() === 'LE'

export class KernelCalls {
  readonly #libc: Libc
  readonly #epoll: number
  readonly #watched: number
  readonly #target: Readonly<Record<4 | 6, Sockaddr>> = { 4: sockaddr(4), 6: sockaddr(6) }
  readonly #own: Readonly<Record<4 | 6, Sockaddr>> = { 4: sockaddr(4), 6: sockaddr(6) }
  readonly #ends: Readonly<Record<4 | 6, Ends>> = {
    4: new KernelEnds(this.#own[4], this.#target[4]),
    6: new KernelEnds(this.#own[6], this.#target[6]),
  }
  readonly #event = room(EVENT.bytes)
  readonly #events = room(EVENT.bytes * CONNECTION_EVENTS_MAX)
  readonly #info = room(INFO.bytes)
  readonly #error = room(4)
  readonly #length = room(4)

  /** `watched`: what of its sockets makes an event. */
  constructor(libc: Libc, watched: 'connections' | 'conversations' = 'connections') {
    this.#libc = libc
    this.#watched = (watched === 'connections' ? ENDED_ONCE : ENDED_ONCE + HAS_ARRIVED) >>> 0
    this.#epoll = libc.epoll_create1(EPOLL_CLOEXEC)
  }

  /** A socket whose connections `countEnded` reports. */
  open(family: 4 | 6): number {
    const fd = this.#libc.socket(AF[family], SOCK_STREAM_NONBLOCK_CLOEXEC, 0)
    if (fd < 0) return -this.#errno()
    this.#event.view.setUint32(0, this.#watched, isLittleEndian)
    this.#event.view.setInt32(EVENT.fdAt, fd, isLittleEndian)
    if (this.#libc.epoll_ctl(this.#epoll, EPOLL_CTL_ADD, fd, this.#event.bytes) === 0) return fd
    const errno = this.#errno()
    this.#libc.close(fd)
    return -errno
  }

  /** Starts to connect. -EINVAL for an address that the kernel does not read, such as one with a zone. */
  connect(fd: number, peer: Peer): number {
    const target = this.#target[peer.family]
    if (!this.#write(target, peer)) return -EINVAL
    return this.#connect(fd, target, peer.halfOpen === true)
  }

  /** The same for the peer of a slot. */
  connectTo(fd: number, names: Names, slot: number): number {
    return this.#connect(fd, this.#load(names, slot), names.holdAck[slot] === 1)
  }

  /** Whatever it connects to, it does so from this address. For a socket that was never connected. */
  bind(fd: number, family: 4 | 6, address: readonly number[]): number {
    const own = this.#own[family]
    own.bytes.fill(0, 2)
    own.address.set(address)
    // Without it, the port is chosen here, and is taken for all targets.
    this.#libc.setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, ON, ON.length)
    return this.#libc.bind(fd, own.bytes, own.bytes.length) === 0 ? 0 : -this.#errno()
  }

  /** Ends what `connect` began, with an RST where a connection is established. The socket can connect again, from another port. */
  dissolve(fd: number): number {
    return this.#libc.connect(fd, NOWHERE, NOWHERE.length) === 0 ? 0 : -this.#errno()
  }

  close(fd: number): void {
    // A child process that is being started may still hold the open file description, so epoll would go on reporting
    // it.
    this.#libc.epoll_ctl(this.#epoll, EPOLL_CTL_DEL, fd, this.#event.bytes)
    this.#libc.close(fd)
  }

  /**
   * How many sockets have an event, at most CONNECTION_EVENTS_MAX; `endedAt` gives each of them. Each event comes once,
   * also for idle sockets whose connection was dissolved.
   */
  countEnded(): number {
    return Math.max(0, this.#libc.epoll_wait(this.#epoll, this.#events.bytes, CONNECTION_EVENTS_MAX, 0))
  }

  endedAt(i: number): number {
    return this.#events.view.getInt32(i * EVENT.bytes + EVENT.fdAt, isLittleEndian)
  }

  /** Whether the target has ended its side, as `countEnded` found it: never that of an earlier connection. */
  hasTargetEndedAt(i: number): boolean {
    return (this.#events.view.getUint32(i * EVENT.bytes, isLittleEndian) & EPOLLRDHUP) !== 0
  }

  /**
   * CONNECTED, CONNECTING, or the negative errno of a connection that was never established, which the kernel gives
   * once. One that was established and then reset by the target is CONNECTED: its handshake has a duration.
   */
  outcome(fd: number): number {
    const state = this.#readInfo(fd)
    if (state === ESTABLISHED || state === CLOSE_WAIT) return CONNECTED
    if (state === SYN_SENT || state === SYN_RECV) return CONNECTING
    if (state === CLOSE && this.handshakeMs() !== undefined) return CONNECTED
    return -(this.#readError(fd) || ECONNRESET)
  }

  /** From SYN to SYN-ACK of the connection that `outcome` looked at; undefined where a SYN was repeated. */
  handshakeMs(): number | undefined {
    const rttMicroseconds = this.#info.view.getUint32(INFO.rttAt, isLittleEndian)
    const retransmits = this.#info.view.getUint32(INFO.retransmitsAt, isLittleEndian)
    return retransmits === 0 && rttMicroseconds > 0 ? rttMicroseconds / 1000 : undefined
  }

  isConnectedToItself(fd: number, peer: Peer): boolean {
    const own = this.#own[peer.family]
    const target = this.#target[peer.family]
    if (!this.#write(target, peer) || !this.#readOwn(fd, own)) return false
    return isConnectedToItself(peer.port, this.#ends[peer.family])
  }

  /** The same for the peer of a slot. */
  isSlotConnectedToItself(fd: number, names: Names, slot: number): boolean {
    const target = this.#load(names, slot)
    const family = names.families[slot] === 6 ? 6 : 4
    return this.#readOwn(fd, this.#own[family]) && isConnectedToItself(portOf(target), this.#ends[family])
  }

  /**
   * Tries all of it, at once and without a listener: a socket on loopback connects to itself, epoll reports it, it is
   * established, and it is dissolved, which frees its port; connected there once more it is refused (or meets itself,
   * where the kernel has no other port). Again and again for a moment: on a busy host, loopback is not always at once.
   */
  works(): boolean {
    return succeedsSoon(() => this.#works())
  }

  #works(): boolean {
    const fd = this.open(4)
    if (fd < 0) return false
    try {
      const port = this.reservePort(fd)
      if (port < 0) return false
      const itself: Peer = { family: 4, address: '127.0.0.1', port }
      const once = this.#outcomeAtOnce(fd, itself)
      const again = this.#outcomeAtOnce(fd, itself)
      return once === CONNECTED && (again === -ECONNREFUSED || again === CONNECTED)
    } finally {
      this.close(fd)
    }
  }

  /** Binds an IPv4 socket to a free port of loopback, which it returns; below 0 = a failure. Nobody listens there. */
  reservePort(fd: number): number {
    const own = this.#own[4]
    if (!this.#write(own, { family: 4, address: '127.0.0.1', port: 0 })) return -1
    if (this.#libc.bind(fd, own.bytes, own.bytes.length) !== 0 || !this.#readOwn(fd, own)) return -1
    return portOf(own)
  }

  /** Gives back the descriptor. */
  end(): void {
    this.#libc.close(this.#epoll)
  }

  /** Of a connection that ends before `connect` returns, as those of loopback do; CONNECTING where anything is not as expected. */
  #outcomeAtOnce(fd: number, itself: Peer): number {
    if (this.connect(fd, itself) !== 0 || this.countEnded() !== 1 || this.endedAt(0) !== fd) return CONNECTING
    const outcome = this.outcome(fd)
    const isItself = this.isConnectedToItself(fd, itself)
    return this.dissolve(fd) === 0 && isItself === (outcome === CONNECTED) ? outcome : CONNECTING
  }

  /**
   * The errno of the call that has just failed. EIO where another call has overwritten it: a failure is never a
   * success.
   */
  #errno(): number {
    return this.#libc.errno() || EIO
  }

  #connect(fd: number, { bytes }: Sockaddr, holdsAck: boolean): number {
    // Holds until the socket is dissolved; where it fails, the ACK is sent at once.
    if (holdsAck) this.#libc.setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, OFF, OFF.length)
    if (this.#libc.connect(fd, bytes, bytes.length) === 0) return 0
    const errno = this.#errno()
    return errno === EINPROGRESS ? 0 : -errno
  }

  #load({ families, words }: Names, slot: number): Sockaddr {
    const target = this.#target[families[slot] === 6 ? 6 : 4]
    const from = slot * WORDS_PER_NAME
    for (let i = 0; i < target.words.length; i++) target.words[i] = words[from + i]!
    return target
  }

  #write({ bytes, address }: Sockaddr, peer: Peer): boolean {
    bytes[2] = peer.port >> 8
    bytes[3] = peer.port & 0xff
    return this.#libc.inet_pton(AF[peer.family], peer.address, address) === 1
  }

  /** The state of the connection; UNKNOWN where the kernel does not say it. */
  #readInfo(fd: number): number {
    this.#length.view.setUint32(0, INFO.bytes, isLittleEndian)
    const { view, bytes } = this.#info
    if (this.#libc.getsockopt(fd, IPPROTO_TCP, TCP_INFO, bytes, this.#length.bytes) !== 0) return UNKNOWN
    return view.getUint8(INFO.stateAt)
  }

  #readError(fd: number): number {
    this.#length.view.setUint32(0, 4, isLittleEndian)
    const { view, bytes } = this.#error
    if (this.#libc.getsockopt(fd, SOL_SOCKET, SO_ERROR, bytes, this.#length.bytes) !== 0) return this.#errno()
    return view.getInt32(0, isLittleEndian)
  }

  #readOwn(fd: number, own: Sockaddr): boolean {
    this.#length.view.setUint32(0, own.bytes.length, isLittleEndian)
    return this.#libc.getsockname(fd, own.bytes, this.#length.bytes) === 0
  }
}

function room(bytes: number): Room {
  const buffer = new ArrayBuffer(bytes)
  return { bytes: new Uint8Array(buffer), view: new DataView(buffer) }
}

/** sockaddr_in, sockaddr_in6 (netinet/in.h). Flow label and scope stay 0. */
function sockaddr(family: 4 | 6): Sockaddr {
  const made = room(family === 4 ? 16 : 28)
  made.view.setUint16(0, AF[family], isLittleEndian)
  return {
    ...made,
    address: family === 4 ? made.bytes.subarray(4, 8) : made.bytes.subarray(8, 24),
    words: new Uint32Array(made.bytes.buffer),
  }
}

/** Tries what may be late on a busy host until it is true, for BATCH_TRIAL_MS. */
export function succeedsSoon(isTrue: () => boolean): boolean {
  const endMs = performance.now() + BATCH_TRIAL_MS
  do if (isTrue()) return true
  while (performance.now() < endMs)
  return false
}

/** The words of a socket address, as `Names` has them. */
export function nameWords(family: 4 | 6, address: readonly number[], port: number): Uint32Array {
  const made = sockaddr(family)
  made.address.set(address)
  made.view.setUint16(2, port)
  return made.words
}

function portOf({ view }: Sockaddr): number {
  return view.getUint16(2)
}

/** The ends of the connection whose addresses were written last. */
class KernelEnds implements Ends {
  readonly #own: Sockaddr
  readonly #target: Sockaddr

  constructor(own: Sockaddr, target: Sockaddr) {
    this.#own = own
    this.#target = target
  }

  get localPort(): number {
    return portOf(this.#own)
  }

  get localAddress(): string {
    return this.#own.address.join()
  }

  get remoteAddress(): string {
    return this.#target.address.join()
  }
}
