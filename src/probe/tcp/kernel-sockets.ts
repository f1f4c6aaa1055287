/**
 * Sockets that connect, report the outcome, and are used again: a probe opens and closes none. One epoll_wait gives all
 * connections that ended: at the end of the turn that started them, then every few milliseconds while any is
 * connecting. So the time of the event is not the duration of the handshake: that comes from the kernel.
 */
import { constants } from 'node:os'
import { getSystemErrorName } from 'node:util'
import {
  CONNECTION_EVENTS_MAX,
  CONNECTION_POLL_MS,
  CONNECTION_POLL_SHARE,
  IDLE_KERNEL_SOCKETS_MS,
  IDLE_KERNEL_SOCKETS_MAX,
} from '../../domain/limits.ts'
import type { Libc } from './libc.ts'
import { CONNECTED, CONNECTING, KernelCalls, type Peer } from './kernel-calls.ts'
import type { SourcePorts } from '../source-ports.ts'

/** What a socket connects for. One of the two methods is called, once, and never before `connect` returned. */
export interface ConnectUser {
  readonly peer: Peer
  /** Its socket while that connects, else NO_SOCKET. Written by `KernelSockets`. */
  fd: number
  /** False for an attempt that was cancelled: it is not connected, and its user is not called. */
  readonly isWaiting: boolean
  /** The connection was established, and has been reset. `handshakeMs` is absent where a SYN was repeated. */
  connected(handshakeMs: number | undefined, toItself: boolean): void
  /** `code` is the name of the errno. */
  failed(syscall: string, code: string): void
}

export const NO_SOCKET = -1

export class KernelSockets {
  /** Sockets that may wait for the next probe, of both families together: what the descriptor budget leaves. */
  capacity = IDLE_KERNEL_SOCKETS_MAX
  readonly #tcp: KernelCalls
  readonly #sourcePorts: SourcePorts
  readonly #idle: Readonly<Record<4 | 6, number[]>> = { 4: [], 6: [] }
  /** By descriptor. */
  readonly #users: (ConnectUser | undefined)[] = []
  #underWay = 0
  #isRoundPlanned = false
  #nextRound: NodeJS.Timeout | undefined
  /** Never holds the process; started anew whenever the last connection has ended. */
  readonly #idleTimer = setTimeout(() => this.#closeIdle(), IDLE_KERNEL_SOCKETS_MS).unref()
  #lastStartMs = 0
  /** `ended`: the descriptors are closed, and the kernel may use their numbers again. */
  #state: 'open' | 'closing' | 'ended' = 'open'

  private constructor(tcp: KernelCalls, sourcePorts: SourcePorts) {
    this.#tcp = tcp
    this.#sourcePorts = sourcePorts
  }

  /** Undefined where libc cannot be called, or the kernel (or what replaces it) does other than expected. */
  static open(libc: Libc | undefined, sourcePorts: SourcePorts): KernelSockets | undefined {
    if (libc === undefined) return undefined
    let tcp: KernelCalls | undefined
    try {
      tcp = new KernelCalls(libc)
      if (tcp.works()) return new KernelSockets(tcp, sourcePorts)
    } catch {
      // A function cannot be called as declared: TCP on `net.Socket` does not need it.
    }
    tcp?.end()
    return undefined
  }

  /** Sockets that wait for the next probe. */
  get size(): number {
    return this.#idle[4].length + this.#idle[6].length
  }

  /** Starts to connect; after `close` it fails. */
  connect(user: ConnectUser): void {
    const { family } = user.peer
    if (this.#state !== 'open') return failLater(user, 'socket', -constants.errno.ECANCELED)
    const fd = this.#idle[family].pop() ?? this.#tcp.open(family)
    if (fd < 0) return failLater(user, 'socket', fd)
    const status = this.#tcp.connect(fd, user.peer)
    if (status !== 0) {
      this.#keep(fd, family)
      this.#planRound()
      return failLater(user, 'connect', status)
    }
    user.fd = fd
    this.#users[fd] = user
    this.#underWay += 1
    this.#lastStartMs = performance.now()
    this.#planRound()
  }

  /**
   * Calls the user now if its connection has ended: a deadline that has passed is no failure while an answer is in the
   * socket.
   */
  look(user: ConnectUser): void {
    if (user.fd !== NO_SOCKET) this.#report(user, user.fd)
  }

  /** Ends its connection without a call of its user. */
  abandon(user: ConnectUser): void {
    if (user.fd !== NO_SOCKET) this.#release(user, user.fd)
  }

  /** Closes what waits, and everything else as soon as it has ended. */
  close(): void {
    if (this.#state !== 'open') return
    this.#state = 'closing'
    this.capacity = 0
    clearTimeout(this.#idleTimer)
    if (this.#underWay === 0) this.#end()
  }

  #end(): void {
    this.#state = 'ended'
    this.#closeIdle()
    this.#tcp.end()
  }

  #planRound(): void {
    if (this.#isRoundPlanned) return
    this.#isRoundPlanned = true
    setImmediate(() => {
      this.#isRoundPlanned = false
      this.#reportAll()
    })
  }

  #reportAll(): void {
    if (this.#state === 'ended') return
    try {
      while (this.#reportSome() === CONNECTION_EVENTS_MAX);
    } finally {
      this.#planNext()
    }
  }

  #reportSome(): number {
    const count = this.#tcp.countEnded()
    for (let i = 0; i < count; i++) {
      const fd = this.#tcp.endedAt(i)
      const user = this.#users[fd]
      // No user: an idle socket, with an event of its previous connection.
      if (user !== undefined) this.#report(user, fd)
    }
    return count
  }

  /**
   * The flags of an event are not used: its socket may have another user by now. The present state of the connection
   * counts.
   */
  #report(user: ConnectUser, fd: number): void {
    const { peer } = user
    const outcome = this.#tcp.outcome(fd)
    if (outcome === CONNECTING) return
    const handshakeMs = this.#tcp.handshakeMs()
    const toItself = this.#sourcePorts.includes(peer.port) && this.#tcp.isConnectedToItself(fd, peer)
    this.#release(user, fd)
    if (outcome === CONNECTED) user.connected(handshakeMs, toItself)
    else user.failed('connect', getSystemErrorName(outcome))
  }

  #release(user: ConnectUser, fd: number): void {
    user.fd = NO_SOCKET
    this.#users[fd] = undefined
    this.#underWay -= 1
    this.#keep(fd, user.peer.family)
  }

  #keep(fd: number, family: 4 | 6): void {
    if (this.#tcp.dissolve(fd) === 0 && this.size < this.capacity) this.#idle[family].push(fd)
    else this.#tcp.close(fd)
  }

  /** The younger the connections, the sooner: most targets are near. */
  #planNext(): void {
    clearTimeout(this.#nextRound)
    if (this.#underWay === 0) {
      if (this.#state === 'closing') this.#end()
      else this.#idleTimer.refresh()
      return
    }
    const { min, max } = CONNECTION_POLL_MS
    const soon = (performance.now() - this.#lastStartMs) * CONNECTION_POLL_SHARE
    this.#nextRound = setTimeout(() => this.#reportAll(), Math.min(max, Math.max(min, soon)))
  }

  #closeIdle(): void {
    if (this.#underWay > 0) return
    for (const idle of [this.#idle[4], this.#idle[6]]) for (const fd of idle.splice(0)) this.#tcp.close(fd)
  }
}

/** In a later turn of the event loop: `connect` must return before its user is called. */
function failLater(user: ConnectUser, syscall: string, status: number): void {
  setImmediate(() => {
    if (user.isWaiting) user.failed(syscall, getSystemErrorName(status))
  })
}
