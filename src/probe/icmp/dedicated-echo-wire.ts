/**
 * The packets of PING, of one family, on a raw ICMP socket for each echo: while the shared one (echo-wire.ts) is flooded.
 * Each socket is connected to its target, so the kernel gives it nothing from elsewhere, and has a filter that lets through
 * the reply with the random word of its echo alone. So nobody but the target, who knows the word, can send anything to it.
 *
 * ICMP errors come from routers too. The kernel keeps them in the error queue of the socket whose echo they quote.
 */
import { constants } from 'node:os'
import { ECHO_FLIGHTS, UDP_BATCH_EVENTS } from '../../domain/limits.ts'
import { ErrorQueue, receivesErrors } from '../batch/error-queue.ts'
import { PacketFilter, replyWith } from '../batch/packet-filter.ts'
import { Readiness } from '../batch/readiness.ts'
import { socketName } from '../batch/socket-name.ts'
import { STAMPED, type SocketOption } from '../batch/socket-option.ts'
import { EchoAnswers, flightOfRequest } from './echo-answers.ts'
import { EchoRequests } from './echo-requests.ts'
import type { EchoParts, EchoSockets } from './echo-sockets.ts'

const SOCK_RAW_NONBLOCK_CLOEXEC = 0o2004003
const NO_SOCKET = -1

export class DedicatedEchoWire implements EchoSockets {
  received = 0
  readonly #parts: EchoParts
  readonly #requests: EchoRequests
  readonly #answers: EchoAnswers
  readonly #errors: ErrorQueue
  readonly #filter: PacketFilter
  readonly #options: readonly SocketOption[]
  readonly #readiness: Readiness
  /** By flight. */
  readonly #fds = new Int32Array(ECHO_FLIGHTS).fill(NO_SOCKET)
  /** By descriptor. */
  readonly #flights = new Map<number, number>()

  private constructor(parts: EchoParts) {
    const { calls, family, identifier } = parts
    this.#parts = parts
    this.#requests = new EchoRequests(parts)
    this.#answers = new EchoAnswers(parts)
    this.#errors = new ErrorQueue(calls, family)
    this.#filter = new PacketFilter(calls, replyWith(family.version, identifier, 0))
    this.#options = [STAMPED, receivesErrors(family)]
    this.#readiness = new Readiness(calls)
  }

  /** The wire, or the call that failed. Sockets are opened with each echo. */
  static open(parts: EchoParts): DedicatedEchoWire | string {
    const wire = new DedicatedEchoWire(parts)
    const errno = parts.calls.errno()
    if (wire.#readiness.isOpen && wire.#requests.hasClock) return wire
    const failed = wire.#readiness.isOpen ? 'clock_gettime' : 'epoll_create1'
    wire.close()
    return `${failed} ${errno}`
  }

  get descriptors(): number {
    return this.#readiness.isOpen ? 1 : 0
  }

  add(flight: number): void {
    const { calls, events, flights } = this.#parts
    const fd = this.#open(flight)
    if (fd < 0) return events.unsent(flight, -fd)
    if (!this.#readiness.add(fd)) {
      const errno = this.#errno()
      calls.close(fd)
      return events.unsent(flight, errno)
    }
    this.#fds[flight] = fd
    this.#flights.set(fd, flight)
    this.#requests.add(flight, flights.slots[flight]!)
    this.#requests.send(fd)
  }

  flush(): void {
    // Each echo is sent when it is added.
  }

  read(endMs: number): boolean {
    // Those that are answered are closed meanwhile.
    const sockets = this.#flights.size
    for (let looked = 0; looked <= sockets; looked += UDP_BATCH_EVENTS) {
      const count = this.#readiness.count()
      for (let i = 0; i < count; i++) this.#readSocket(this.#readiness.readyAt(i))
      if (count < UDP_BATCH_EVENTS) return true
      if (performance.now() >= endMs) return false
    }
    return true
  }

  leave(flight: number): void {
    const fd = this.#fds[flight]!
    if (fd === NO_SOCKET) return
    this.#fds[flight] = NO_SOCKET
    this.#flights.delete(fd)
    this.#parts.calls.close(fd)
  }

  sendForeign(): void {
    // There is no socket that its answer could come to.
  }

  close(): void {
    for (const fd of this.#flights.keys()) this.#parts.calls.close(fd)
    this.#flights.clear()
    this.#fds.fill(NO_SOCKET)
    this.#readiness.close()
  }

  /** A socket for the echo of this flight, or -errno. */
  #open(flight: number): number {
    const { calls, family } = this.#parts
    const fd = calls.socket(family.af, SOCK_RAW_NONBLOCK_CLOEXEC, family.icmpProtocol)
    if (fd < 0) return -this.#errno()
    if (this.#prepare(fd, flight)) return fd
    const errno = this.#errno()
    calls.close(fd)
    return -errno
  }

  #prepare(fd: number, flight: number): boolean {
    const { calls, family, identifier, targets, flights } = this.#parts
    const slot = flights.slots[flight]!
    this.#filter.write(replyWith(family.version, identifier, flights.words[flight]!))
    if (!this.#filter.attach(fd)) return false
    for (const { level, option, value } of this.#options)
      if (calls.setsockopt(fd, level, option, value, value.length) !== 0) return false
    // A socket that is connected receives what goes to the address that it has, and no other.
    if (targets.hasSource[slot] === 1) {
      const own = socketName(family, targets.sources, slot)
      if (calls.bind(fd, own, own.length) !== 0) return false
    }
    const name = socketName(family, targets.addresses, slot)
    return calls.connect(fd, name, name.length) === 0
  }

  #readSocket(fd: number): void {
    const flight = this.#flights.get(fd)
    if (flight === undefined) return
    // Before the answers: a call returns an error that waits in place of what it would read.
    const isUndelivered = this.#hasError(fd, flight)
    this.received += this.#answers.read(fd)
    if (isUndelivered && this.#fds[flight] === fd) this.#parts.events.undelivered(flight)
  }

  /** Whether an error about the echo of this flight came: the kernel compares where the echo went, not which it was. */
  #hasError(fd: number, flight: number): boolean {
    const errors = this.#errors
    const count = errors.read(fd)
    let isFound = false
    for (let i = 0; i < count && !isFound; i++) {
      const end = errors.quotedAt(i) + errors.quotedLengthOf(i)
      const isOurs = flightOfRequest(this.#parts, errors.quotes, errors.quotedAt(i), end) === flight
      isFound = isOurs && errors.unreachableCodeOf(i) >= 0
    }
    errors.renew(count)
    return isFound
  }

  #errno(): number {
    return this.#parts.calls.errno() || constants.errno.EIO
  }
}
