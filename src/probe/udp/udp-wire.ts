/** The datagrams of UDP probes by the batch, of one family: sent and received on lanes (batch-lanes.ts), and matched with flights. */
import {
  BATCH_MESSAGES,
  BATCH_READ_MAX,
  UDP_BATCH_PAYLOAD_BYTES,
  UDP_BATCH_REPLY_BYTES,
} from '../../domain/limits.ts'
import { ARRIVAL_BYTES } from '../batch/arrival-times.ts'
import type { BatchCalls } from '../batch/batch-calls.ts'
import { NO_FLIGHT } from '../batch/batch-targets.ts'
import type { IpFamily } from '../batch/ip-family.ts'
import { arrivedUs, KernelClock } from '../batch/kernel-time.ts'
import { MessageBatch } from '../batch/message-batch.ts'
import { NAME_BYTES, OutgoingPackets } from '../batch/outgoing-packets.ts'
import type { Readiness } from '../batch/readiness.ts'
import { SocketMemory } from '../batch/socket-memory.ts'
import { BatchLanes, type FailedCall, BatchLane } from './batch-lanes.ts'
import { datagramTo, isExpectedReply } from './datagrams.ts'
import { ErrorQueue, type Undelivered } from '../batch/error-queue.ts'
import type { UdpFlights } from './udp-flights.ts'

/** What came back for a flight. */
export interface UdpEvents {
  /** A reply came. `atUs`: when, by the wall clock; 0 = unknown. */
  replied(flight: number, isExpected: boolean, atUs: number): void
  /** An ICMP error came; after a doubtful one a reply may still come. */
  undelivered(flight: number, what: Undelivered): void
  /** Its datagram could not be sent. No other may be added before `flush` returns. */
  unsent(flight: number, failed: FailedCall): void
}

interface Parts {
  readonly calls: BatchCalls
  readonly family: IpFamily
  readonly flights: UdpFlights
  readonly readiness: Readiness
  /** Each datagram has a socket of its own. */
  readonly isDedicated: boolean
  readonly events: UdpEvents
}

/** The length of a message that was cut is the one that it had. */
const MSG_TRUNC = 0x20
/** How often a datagram is sent again because its place was taken by an error about another one. */
const SEND_TRIES = 64
const EIO = 5
const PORT_AT = 2

export class UdpWire {
  readonly #parts: Parts
  readonly #lanes: BatchLanes
  readonly #datagrams: OutgoingPackets
  /** On which all datagrams of the batch go. */
  #lane: BatchLane | undefined
  readonly #replies: MessageBatch
  readonly #errors: ErrorQueue
  readonly #clock: KernelClock
  readonly #memory: SocketMemory
  /** The last reading of errors has left some. */
  #hasErrorsLeft = false
  /** Where the address of a message is: one object for all. */
  readonly #from: { words: Uint32Array; from: number }

  constructor(parts: Parts) {
    const { calls, family, flights } = parts
    this.#parts = parts
    this.#lanes = new BatchLanes(parts)
    this.#clock = new KernelClock(calls)
    this.#memory = new SocketMemory(calls)
    this.#datagrams = new OutgoingPackets(calls, family, flights.targets, UDP_BATCH_PAYLOAD_BYTES)
    this.#errors = new ErrorQueue(calls, family)
    this.#replies = new MessageBatch(calls, {
      count: BATCH_MESSAGES,
      name: NAME_BYTES,
      nameLength: family.nameLength,
      data: UDP_BATCH_REPLY_BYTES,
      control: ARRIVAL_BYTES,
    })
    this.#from = { words: this.#replies.names.words, from: 0 }
  }

  /** Sockets that are open. */
  get sockets(): number {
    return this.#lanes.size
  }

  /** Opens a socket as probes do, and looks at it. Undefined, or the call that failed and its errno. */
  check(): string | undefined {
    if (this.#clock.nowUs() === 0) return 'clock_gettime'
    const failed = this.#lanes.check((fd) => this.#memory.drops(fd) >= 0)
    return failed === undefined ? undefined : `${failed.call} ${failed.errno}`
  }

  has(fd: number): boolean {
    return this.#lanes.of(fd) !== undefined
  }

  /** Adds the datagram of a flight, and sends those before it where the batch is full or they go on another lane. */
  add(flight: number, nowMs: number): void {
    const { flights, events } = this.#parts
    const slot = flights.slots[flight]!
    const lane = this.#lanes.laneFor(slot, nowMs)
    if (!(lane instanceof BatchLane)) return events.unsent(flight, lane)
    lane.awaited++
    flights.fds[flight] = lane.fd
    if (this.#datagrams.isFull || lane !== this.#lane) this.flush()
    this.#lane = lane
    const { targets } = flights
    const payload = datagramTo(targets.targetOf(slot))
    const i = this.#datagrams.add(flight, slot, targets.hasSource[slot] === 1)
    const { names, data } = this.#datagrams.batch
    names.view.setUint16(i * NAME_BYTES + PORT_AT, targets.ports[slot]!)
    data.bytes.set(payload, i * UDP_BATCH_PAYLOAD_BYTES)
    this.#datagrams.batch.setDataLength(i, payload.length)
  }

  /** Sends what was added. */
  flush(): void {
    const { count, flights } = this.#datagrams
    const lane = this.#lane
    if (count === 0 || lane === undefined) return
    const { sentUs } = this.#parts.flights
    const nowUs = this.#clock.nowUs()
    for (let i = 0; i < count; i++) sentUs[flights[i]!] = nowUs
    for (let from = 0, tries = 0; from < count; ) {
      const sent = this.#datagrams.batch.send(lane.fd, from, count)
      if (sent > 0) {
        from += sent
        tries = 0
        continue
      }
      const errno = this.#parts.calls.errno() || EIO
      // The next call on a socket tells an ICMP error about whatever was sent before, once, and sends nothing.
      const wasOther = this.#readErrors(lane) > 0 || tries === 0
      if (wasOther && tries++ < SEND_TRIES) continue
      this.#parts.events.unsent(flights[from++]!, { call: 'send', errno })
      tries = 0
    }
    this.#datagrams.count = 0
  }

  /** Reads what came on a socket: until `endMs`, and one batch at least, so that no flooded socket keeps the others from being read. */
  read(fd: number, nowMs: number, endMs: number): void {
    const lane = this.#lanes.of(fd)
    if (lane === undefined) return
    const isFull = this.#memory.isFull(fd)
    this.#readErrors(lane, endMs)
    const isRead = this.#readReplies(lane, endMs) && !this.#hasErrorsLeft
    if (isFull || !isRead) lane.lostMs = nowMs
  }

  /** When what came to this socket was last found lost, or was left unread. */
  lostMs(fd: number): number {
    return this.#lanes.of(fd)?.lostMs ?? Number.NEGATIVE_INFINITY
  }

  /** The flight on this socket has ended. */
  leave(fd: number): void {
    this.#lanes.leave(fd)
  }

  close(): void {
    this.#lanes.close()
  }

  /** False: some are left. */
  #readReplies(lane: BatchLane, endMs: number): boolean {
    for (let read = 0; read < BATCH_READ_MAX && lane.fd >= 0; read += BATCH_MESSAGES) {
      const count = this.#replies.receive(lane.fd, MSG_TRUNC)
      for (let i = 0; i < count; i++) this.#readReply(lane.fd, i)
      this.#replies.renew(count)
      if (count < BATCH_MESSAGES) return true
      if (performance.now() >= endMs) break
    }
    return lane.fd < 0
  }

  #readReply(fd: number, i: number): void {
    const { flights, events } = this.#parts
    const flight = this.#flightOf(fd, this.#replies.names, i)
    if (flight === NO_FLIGHT) return
    const { udp } = flights.targets.targetOf(flights.slots[flight]!)
    const length = this.#replies.lengthOf(i)
    const isExpected = isExpectedReply(this.#replies.data.bytes, length, udp, i * UDP_BATCH_REPLY_BYTES)
    events.replied(flight, isExpected, arrivedUs(this.#replies, i))
  }

  /** How many were read: one batch at least. */
  #readErrors(lane: BatchLane, endMs = Number.POSITIVE_INFINITY): number {
    let read = 0
    this.#hasErrorsLeft = false
    while (read < BATCH_READ_MAX && lane.fd >= 0) {
      const count = this.#errors.read(lane.fd)
      for (let i = 0; i < count; i++) this.#readError(lane.fd, i)
      this.#errors.renew(count)
      read += count
      if (count < BATCH_MESSAGES) return read
      if (performance.now() >= endMs) break
    }
    this.#hasErrorsLeft = lane.fd >= 0
    return read
  }

  #readError(fd: number, i: number): void {
    const what = this.#errors.meaningOf(i)
    const flight = what === undefined ? NO_FLIGHT : this.#flightOf(fd, this.#errors.names, i)
    if (what !== undefined && flight !== NO_FLIGHT) this.#parts.events.undelivered(flight, what)
  }

  /** The flight on this socket to the end that is name `i`. */
  #flightOf(fd: number, names: MessageBatch['names'], i: number): number {
    const { family, flights } = this.#parts
    this.#from.words = names.words
    this.#from.from = (i * NAME_BYTES + family.addressAt) / 4
    return flights.find(fd, family, names.view.getUint16(i * NAME_BYTES + PORT_AT), this.#from)
  }
}
