/**
 * The sockets of UDP probes by the batch, of one family. A lane is an unconnected socket that takes new datagrams for
 * UDP_LANE_MS, and then only receives until it waits for no more answers. It sends to an end (address and port) at most
 * once, so every answer belongs to one probe; a late answer to an earlier probe finds its lane closed.
 *
 * While lanes are flooded, some targets have a lane for each datagram (`isDedicated`), which is connected: the kernel gives
 * it nothing from elsewhere.
 *
 * No lane has the port of a target that is held: were the target this host, we would answer ourselves.
 */
import { UDP_BATCH_PORT_TRIES, UDP_BATCH_RECEIVE_BUFFER_BYTES, UDP_LANE_MS } from '../../domain/limits.ts'
import type { BatchCalls } from '../batch/batch-calls.ts'
import type { IpFamily } from '../batch/ip-family.ts'
import { isLittleEndian } from '../batch/message-batch.ts'
import type { Readiness } from '../batch/readiness.ts'
import { socketName } from '../batch/socket-name.ts'
import { STAMPED, type SocketOption, word } from '../batch/socket-option.ts'
import { receivesErrors } from '../batch/error-queue.ts'
import type { UdpFlights } from './udp-flights.ts'

const SOCK_DGRAM_NONBLOCK_CLOEXEC = 0o2004002
const SOL_SOCKET = 1
const SO_RCVBUF = 8
const SO_RCVBUFFORCE = 33
const EADDRINUSE = 98
const EIO = 5
/** IPv4 has sockets of its own. */
const IPV6_ALONE: SocketOption = { level: 41, option: 26, value: word(1), name: 'IPV6_V6ONLY' }
const RECEIVE_BUFFER = word(UDP_BATCH_RECEIVE_BUFFER_BYTES)

/** A call that failed, and its errno. */
export interface FailedCall {
  readonly call: string
  readonly errno: number
}

export class BatchLane {
  /** Never 0. */
  readonly number: number
  /** -1 = closed. */
  fd: number
  readonly port: number
  readonly openedMs: number
  awaited = 0
  /** When what came to it may last have been lost: monotonic milliseconds. */
  lostMs = Number.NEGATIVE_INFINITY

  constructor(number: number, socket: { readonly fd: number; readonly port: number }, openedMs: number) {
    this.number = number
    this.fd = socket.fd
    this.port = socket.port
    this.openedMs = openedMs
  }
}

/** Of no address, with no port. */
function anyName({ af, nameLength }: IpFamily): Uint8Array {
  const bytes = new Uint8Array(nameLength)
  new DataView(bytes.buffer).setUint16(0, af, isLittleEndian)
  return bytes
}

type Found = { readonly fd: number; readonly port: number } | FailedCall

interface Parts {
  readonly calls: BatchCalls
  readonly family: IpFamily
  readonly flights: UdpFlights
  readonly readiness: Readiness
  /** Each datagram has a lane of its own, which is connected to its target. */
  readonly isDedicated: boolean
}

export class BatchLanes {
  readonly #parts: Parts
  readonly #options: readonly SocketOption[]
  /** By descriptor. */
  readonly #lanes = new Map<number, BatchLane>()
  readonly #ports = new Set<number>()
  #current: BatchLane | undefined

  constructor(parts: Parts) {
    this.#parts = parts
    const ofFamily = parts.family.version === 6 ? [IPV6_ALONE] : []
    this.#options = [...ofFamily, STAMPED, receivesErrors(parts.family)]
  }

  get size(): number {
    return this.#lanes.size
  }

  /** Opens a socket and closes it. Undefined, or the call that failed; `isKnown`: whether its memory can be read. */
  check(isKnown: (fd: number) => boolean): FailedCall | undefined {
    const socket = this.#open()
    if ('errno' in socket) return socket
    const failed = isKnown(socket.fd) ? undefined : this.#failed('SO_MEMINFO')
    this.#parts.calls.close(socket.fd)
    return failed
  }

  of(fd: number): BatchLane | undefined {
    return this.#lanes.get(fd)
  }

  /** The lane for a datagram to the target of this slot, or why there is none. */
  laneFor(slot: number, nowMs: number): BatchLane | FailedCall {
    const { flights, isDedicated } = this.#parts
    if (isDedicated) return this.#openNext(nowMs, slot)
    const port = flights.targets.ports[slot]!
    const lane = this.#current
    const takes =
      lane !== undefined &&
      nowMs - lane.openedMs < UDP_LANE_MS &&
      lane.port !== port &&
      flights.isNewOn(lane.number, slot)
    const found = takes ? lane : this.#openNext(nowMs)
    if (!(found instanceof BatchLane)) return found
    // Of a target that was not held yet when that lane was opened.
    if (this.#ports.has(port)) return { call: 'bind', errno: EADDRINUSE }
    flights.noteLane(found.number, slot)
    return found
  }

  /** One answer less is awaited on this socket. */
  leave(fd: number): void {
    const lane = this.#lanes.get(fd)
    if (lane === undefined) return
    lane.awaited--
    if (lane.awaited === 0 && lane !== this.#current) this.#close(lane)
  }

  close(): void {
    for (const lane of this.#lanes.values()) this.#close(lane)
    this.#current = undefined
  }

  /** `slot`: of the target that the lane is connected to; undefined = it is for all. */
  #openNext(nowMs: number, slot?: number): BatchLane | FailedCall {
    const last = this.#current
    this.#current = undefined
    if (last?.awaited === 0) this.#close(last)
    const { readiness } = this.#parts
    const socket = this.#openOutside(slot)
    if ('errno' in socket) return socket
    if (!readiness.add(socket.fd)) {
      const failed = this.#failed('epoll_ctl')
      this.#parts.calls.close(socket.fd)
      return failed
    }
    const lane = new BatchLane(this.#parts.flights.nextLane(), socket, nowMs)
    this.#lanes.set(lane.fd, lane)
    this.#ports.add(lane.port)
    if (slot === undefined) this.#current = lane
    return lane
  }

  /** A socket whose port no target has. */
  #openOutside(slot?: number): Found {
    const { calls, flights } = this.#parts
    const others: number[] = []
    let found: Found = { call: 'bind', errno: EADDRINUSE }
    for (let i = 0; i < UDP_BATCH_PORT_TRIES; i++) {
      found = this.#open(slot)
      if ('errno' in found || flights.heldPorts[found.port] === 0) break
      // It stays open meanwhile, so that the kernel chooses another port.
      others.push(found.fd)
      found = { call: 'bind', errno: EADDRINUSE }
    }
    for (const fd of others) calls.close(fd)
    return found
  }

  #open(slot?: number): Found {
    const { calls, family } = this.#parts
    const fd = calls.socket(family.af, SOCK_DGRAM_NONBLOCK_CLOEXEC, 0)
    if (fd < 0) return this.#failed('socket')
    const failed = this.#prepare(fd, slot)
    if (typeof failed === 'number') return { fd, port: failed }
    calls.close(fd)
    return failed
  }

  /** The port that it was bound to. */
  #prepare(fd: number, slot?: number): number | FailedCall {
    const { calls, family, flights } = this.#parts
    const { targets } = flights
    for (const { level, option, value, name } of this.#options)
      if (calls.setsockopt(fd, level, option, value, value.length) !== 0) return this.#failed(name)
    const set = (option: number): number =>
      calls.setsockopt(fd, SOL_SOCKET, option, RECEIVE_BUFFER, RECEIVE_BUFFER.length)
    if (slot === undefined && set(SO_RCVBUFFORCE) !== 0) set(SO_RCVBUF)
    // A socket that is connected receives what goes to the address that it has, and no other.
    const isBound = slot !== undefined && targets.hasSource[slot] === 1
    const own = isBound ? socketName(family, targets.sources, slot) : anyName(family)
    if (calls.bind(fd, own, own.length) !== 0) return this.#failed('bind')
    if (slot !== undefined) {
      const name = socketName(family, targets.addresses, slot, targets.ports[slot])
      // As `send` would fail, which asks for the same route.
      if (calls.connect(fd, name, name.length) !== 0) return this.#failed('send')
    }
    const view = new DataView(own.buffer)
    const length = new Uint32Array([own.length])
    if (calls.getsockname(fd, own, new Uint8Array(length.buffer)) !== 0) return this.#failed('getsockname')
    const port = view.getUint16(2)
    return port === 0 ? { call: 'getsockname', errno: EIO } : port
  }

  #failed(call: string): FailedCall {
    return { call, errno: this.#parts.calls.errno() || EIO }
  }

  #close(lane: BatchLane): void {
    this.#parts.readiness.remove(lane.fd)
    this.#parts.calls.close(lane.fd)
    this.#lanes.delete(lane.fd)
    this.#ports.delete(lane.port)
    lane.fd = -1
  }
}
