/**
 * The connections of a core, in arrays: which slot has which socket, and which socket is which slot's. Sockets are used
 * again (kernel-calls.ts), except those that are bound to an address, and those that are closed before their target has
 * ended its side.
 *
 * That there was an event is not trusted: it may be one of the connection before. What counts is the state that the socket
 * has when it is looked at (`outcome`), or had when epoll_wait returned (`hasTargetEndedAt`).
 *
 * A descriptor is idle, a slot's, lingering (the end of the target's side is awaited), or closed. That of a slot may wait
 * for the next probe of this slot (`park`).
 */
import {
  BATCH_TARGETS_FIRST,
  CONNECTION_EVENTS_MAX,
  IDLE_KERNEL_SOCKETS_MAX,
  IDLE_KERNEL_SOCKETS_MS,
  LINGER_MS,
} from '../../../domain/limits.ts'
import { NO_SLOT } from '../../batch/core.ts'
import type { SourcePorts } from '../../source-ports.ts'
import type { KernelCalls } from '../kernel-calls.ts'
import { type Destinations, grown } from './destinations.ts'

const NO_SOCKET = -1
/** Of a descriptor: its connection ends in order, and the end of the target's side is awaited. */
const LINGERS = -2

/** The call that failed, beside its errno, in the number that `start` returns. */
const OF_BIND = 0x1_0000
const OF_SOCKET = 0x2_0000
const ERRNO = 0xffff

/**
 * `reset`: with an RST where a connection is established. `close`: in order; what the target still sends, the kernel answers
 * with an RST. `linger`: in order, where nothing more is expected of the target than its end. It has a moment to send its FIN
 * first, so that TIME_WAIT is its own, as for each server that closes; then the socket is used again.
 */
export type Ending = 'reset' | 'close' | 'linger'

/** What a core adds to its connections. */
export interface ConnectionParts {
  readonly sourcePorts: SourcePorts
  /** Called with each socket that is opened. */
  readonly prepare?: (fd: number) => void
  /** Sends the FIN of our side. Without it, no socket lingers. */
  readonly endSending?: (fd: number) => void
}

export class Connections {
  /** Sockets that may wait for the next probe, of both families together. */
  capacity = IDLE_KERNEL_SOCKETS_MAX
  /** Slots that have a connection, established or not, for a probe that is in flight. */
  count = 0
  /** Slots whose connection waits for their next probe. */
  parked = 0
  readonly #tcp: KernelCalls
  readonly #destinations: Destinations
  readonly #idle: Readonly<Record<4 | 6, number[]>> = { 4: [], 6: [] }
  /** By slot. */
  #fds = new Int32Array(BATCH_TARGETS_FIRST).fill(NO_SOCKET)
  /** By descriptor. */
  #slots = new Int32Array(BATCH_TARGETS_FIRST).fill(NO_SLOT)
  #usedMs = 0
  #nowMs = 0
  /** By descriptor: since when it lingers, and whether our FIN is sent. */
  #lingersSinceMs = new Float64Array(BATCH_TARGETS_FIRST)
  #isEnding = new Uint8Array(BATCH_TARGETS_FIRST)

  readonly #parts: ConnectionParts
  /** Sockets whose target has not ended its side yet, in no order. */
  readonly #lingering: number[] = []
  /** By descriptor. */
  #places = new Int32Array(BATCH_TARGETS_FIRST)
  #families = new Uint8Array(BATCH_TARGETS_FIRST)

  constructor(tcp: KernelCalls, destinations: Destinations, parts: ConnectionParts) {
    this.#tcp = tcp
    this.#parts = parts
    this.#destinations = destinations
  }

  /** Sockets that wait for the next probe, or for the end of their last one. */
  get idle(): number {
    return this.#idle[4].length + this.#idle[6].length + this.#lingering.length
  }

  /** The socket of a slot; below 0 = it has none. */
  socketOf(slot: number): number {
    return this.#fds[slot] ?? NO_SOCKET
  }

  has(slot: number): boolean {
    return this.socketOf(slot) !== NO_SOCKET
  }

  /** Starts to connect. Returns 0, or a failure, of which the slot has no connection (`errnoOf`, `callOf`). */
  start(slot: number, nowMs: number): number {
    this.#usedMs = nowMs
    this.#nowMs = nowMs
    const family = this.#familyOf(slot)
    const source = this.#destinations.sourceOf(slot)
    const fd = (source === undefined ? this.#idle[family].pop() : undefined) ?? this.#open(family)
    if (fd < 0) return -fd | OF_SOCKET
    this.#assign(slot, fd)
    if (source !== undefined) {
      const bound = this.#tcp.bind(fd, family, source)
      if (bound !== 0) return this.#fail(slot, -bound | OF_BIND)
    }
    const connected = this.#tcp.connectTo(fd, this.#destinations, slot)
    return connected === 0 ? 0 : this.#fail(slot, -connected)
  }

  /** The probe of a slot has ended, and its connection waits for the next one. */
  park(): void {
    this.count--
    this.parked++
  }

  /** The connection of a slot that waited is used, or is about to end. */
  resume(): void {
    this.count++
    this.parked--
  }

  /**
   * Sends the FIN of sockets that have lingered for a moment, and closes those that did for long. False = nothing is open: no
   * event can matter.
   */
  settle(nowMs: number): boolean {
    this.#nowMs = nowMs
    for (let i = this.#lingering.length - 1; i >= 0; i--) {
      const fd = this.#lingering[i]!
      const sinceMs = nowMs - this.#lingersSinceMs[fd]!
      if (sinceMs >= IDLE_KERNEL_SOCKETS_MS) {
        this.#forget(fd)
        this.#closeLingering(fd)
      } else if (sinceMs >= LINGER_MS && this.#isEnding[fd] === 0) {
        this.#isEnding[fd] = 1
        this.#parts.endSending?.(fd)
      }
    }
    return this.count > 0 || this.parked > 0 || this.#lingering.length > 0
  }

  /** How many sockets have an event, at most CONNECTION_EVENTS_MAX. */
  readEvents(): number {
    return this.#tcp.countEnded()
  }

  /** Whose socket event `i` is of; NO_SLOT = it waits for its next use. */
  slotAt(i: number): number {
    const fd = this.#tcp.endedAt(i)
    const slot = this.#slots[fd] ?? NO_SLOT
    if (slot !== LINGERS) return slot
    if (this.#tcp.hasTargetEndedAt(i)) this.#endLingering(fd)
    return NO_SLOT
  }

  /** Whether the target of event `i` has ended its side. */
  hasTargetEndedAt(i: number): boolean {
    return this.#tcp.hasTargetEndedAt(i)
  }

  /** As `KernelCalls.outcome`. */
  outcome(slot: number): number {
    return this.#tcp.outcome(this.#fds[slot]!)
  }

  /** Of the connection that `outcome` looked at. */
  handshakeMs(): number | undefined {
    return this.#tcp.handshakeMs()
  }

  isConnectedToItself(slot: number, nowMs: number): boolean {
    if (!this.#parts.sourcePorts.includes(this.#destinations.portOf(slot), nowMs)) return false
    return this.#tcp.isSlotConnectedToItself(this.#fds[slot]!, this.#destinations, slot)
  }

  /** Ends the connection of a slot, established or not. `hasTargetEnded`: the target has ended its side. */
  end(slot: number, how: Ending, hasTargetEnded = false): void {
    const fd = this.#fds[slot]!
    const isBound = this.#destinations.sourceOf(slot) !== undefined
    this.#fds[slot] = NO_SOCKET
    this.#slots[fd] = NO_SLOT
    this.count--
    if (how === 'reset') return this.#keep(fd, this.#familyOf(slot), isBound)
    if (how === 'close' || isBound || this.#parts.endSending === undefined) return this.#tcp.close(fd)
    if (!hasTargetEnded) return this.#linger(fd)
    this.#parts.endSending(fd)
    // Both sides have sent their FIN: nothing is left to reset.
    this.#keep(fd, this.#familyOf(slot))
  }

  /** Closes the sockets that wait, where none was used for some time. */
  closeUnused(nowMs: number): void {
    if (this.count > 0 || this.#lingering.length > 0 || this.idle === 0) return
    if (nowMs - this.#usedMs >= IDLE_KERNEL_SOCKETS_MS) this.closeIdle()
  }

  closeIdle(): void {
    for (const fd of this.#lingering.splice(0)) this.#closeLingering(fd)
    for (const idle of [this.#idle[4], this.#idle[6]]) for (const fd of idle.splice(0)) this.#tcp.close(fd)
  }

  /** No slot has a connection. */
  close(): void {
    this.capacity = 0
    this.closeIdle()
    this.#tcp.end()
  }

  #open(family: 4 | 6): number {
    const fd = this.#tcp.open(family)
    if (fd >= 0) this.#parts.prepare?.(fd)
    return fd
  }

  /** Dissolves what a socket was connected to, and keeps it for its next use where it may be. */
  #keep(fd: number, family: 4 | 6, isBound = false): void {
    if (this.#tcp.dissolve(fd) !== 0 || isBound || this.idle >= this.capacity) this.#tcp.close(fd)
    else this.#idle[family].push(fd)
  }

  /** Where too many linger, one of them is left to the kernel, which ends it in order. */
  #linger(fd: number): void {
    if (this.capacity === 0) return this.#tcp.close(fd)
    const [other] = this.#lingering
    if (other !== undefined && this.idle >= this.capacity) {
      this.#forget(other)
      this.#closeLingering(other)
    }
    this.#slots[fd] = LINGERS
    this.#lingersSinceMs[fd] = this.#nowMs
    this.#isEnding[fd] = 0
    this.#places[fd] = this.#lingering.push(fd) - 1
  }

  #endLingering(fd: number): void {
    this.#forget(fd)
    this.#slots[fd] = NO_SLOT
    if (this.#isEnding[fd] === 0) this.#parts.endSending?.(fd)
    this.#keep(fd, this.#families[fd] === 6 ? 6 : 4)
  }

  /** Takes a socket off the list of those that linger. */
  #forget(fd: number): void {
    const last = this.#lingering.pop()
    if (last === undefined || last === fd) return
    const place = this.#places[fd]!
    this.#lingering[place] = last
    this.#places[last] = place
  }

  #closeLingering(fd: number): void {
    this.#slots[fd] = NO_SLOT
    this.#tcp.close(fd)
  }

  #fail(slot: number, failure: number): number {
    this.end(slot, 'reset')
    return failure
  }

  #assign(slot: number, fd: number): void {
    if (slot >= this.#fds.length) {
      const room = this.#destinations.room
      this.#fds = grown(this.#fds, new Int32Array(room).fill(NO_SOCKET))
    }
    if (fd >= this.#slots.length) {
      const room = 2 ** Math.ceil(Math.log2(fd + 1))
      this.#slots = grown(this.#slots, new Int32Array(room).fill(NO_SLOT))
      this.#places = grown(this.#places, new Int32Array(room))
      this.#families = grown(this.#families, new Uint8Array(room))
      this.#isEnding = grown(this.#isEnding, new Uint8Array(room))
      this.#lingersSinceMs = grown(this.#lingersSinceMs, new Float64Array(room))
    }
    this.#families[fd] = this.#familyOf(slot)
    this.#fds[slot] = fd
    this.#slots[fd] = slot
    this.count++
  }

  #familyOf(slot: number): 4 | 6 {
    return this.#destinations.families[slot] === 6 ? 6 : 4
  }
}

/** More events may wait. */
export function areAllEvents(count: number): boolean {
  return count < CONNECTION_EVENTS_MAX
}

export function errnoOf(failure: number): number {
  return failure & ERRNO
}

export function callOf(failure: number): 'socket' | 'bind' | 'connect' {
  if ((failure & OF_SOCKET) !== 0) return 'socket'
  return (failure & OF_BIND) !== 0 ? 'bind' : 'connect'
}
