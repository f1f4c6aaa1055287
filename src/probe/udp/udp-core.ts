/**
 * UDP-CONNECT by the batch, without an echo before: datagrams on a few unconnected sockets, whose error queues say which of
 * them could not be delivered (docs/adr/0033-ping-and-udp-by-the-batch.md). A result means the same as one of
 * udp-connect.ts; silence until the deadline passes there and here.
 *
 *   start: flight → lane → datagram → sendmmsg;   collect: epoll_wait → recvmmsg → flight → reply or ICMP error
 *
 * While these sockets are flooded, another core of this kind (`dedicated`) has a connected socket for each probe.
 */
import { constants } from 'node:os'
import { getSystemErrorName } from 'node:util'
import {
  BATCH_READ_MS,
  UDP_BATCH_EVENTS,
  UDP_BATCH_PAYLOAD_BYTES,
  UDP_BATCH_REPLY_BYTES,
} from '../../domain/limits.ts'
import type { Phases, ProbeResult } from '../../domain/result/probe-result.ts'
import type { Reason } from '../../domain/result/reasons.ts'
import type { ProbeTarget } from '../../domain/target/probe-target.ts'
import { tookUs } from '../batch/arrival-times.ts'
import type { BatchCalls } from '../batch/batch-calls.ts'
import { NO_FLIGHT } from '../batch/batch-targets.ts'
import { type BatchCore, EndedProbes, NO_SLOT } from '../batch/core.ts'
import type { HostDrops } from '../batch/host-drops.ts'
import { IPV4, IPV6 } from '../batch/ip-family.ts'
import { isOwnSource } from '../batch/own-address.ts'
import { Readiness } from '../batch/readiness.ts'
import { result } from '../result.ts'
import type { HostAddresses } from '../socket-errors.ts'
import type { FailedCall } from './batch-lanes.ts'
import { datagramTo } from './datagrams.ts'
import type { Undelivered } from '../batch/error-queue.ts'
import { UdpFlights } from './udp-flights.ts'
import { type UdpEvents, UdpWire } from './udp-wire.ts'

const { EADDRNOTAVAIL, ENOBUFS } = constants.errno
const LOST_ANSWERS = 'answers were lost or are not read yet: too many packets arrive'
/** Details of results. Of those that could not be sent it is the errno, with a bit where a socket could not be bound: below these. */
const OF_BIND = 0x1_0000
/** A reply came: the only detail that others read. */
export const REPLIED = 0x10_0001
const SILENT = 0x10_0002
const PORT_UNREACHABLE = 0x10_0003
const UNREACHABLE = 0x10_0004
const UNREACHABLE_AND_SILENT = 0x10_0005

export class UdpCore implements BatchCore, UdpEvents {
  readonly ended = new EndedProbes()
  readonly #calls: BatchCalls
  readonly #hosts: HostAddresses
  readonly #flights = new UdpFlights()
  readonly #dedicated: HostDrops | undefined
  readonly #readiness: Readiness
  readonly #wire4: UdpWire
  #wire6: UdpWire | undefined
  /** By slot: REPLIED or SILENT, as the last probe that passed. */
  readonly #passes: number[] = []
  #nowMs = 0

  /** `dedicated`: each probe has a socket of its own, and loses its answer only where the host drops packets. */
  constructor(calls: BatchCalls, hosts: HostAddresses, dedicated?: HostDrops) {
    this.#calls = calls
    this.#hosts = hosts
    this.#dedicated = dedicated
    this.#readiness = new Readiness(calls)
    const parts = {
      calls,
      flights: this.#flights,
      readiness: this.#readiness,
      isDedicated: dedicated !== undefined,
      events: this,
    }
    this.#wire4 = new UdpWire({ ...parts, family: IPV4 })
    this.#wire6 = new UdpWire({ ...parts, family: IPV6 })
  }

  /** Undefined, or the call that failed. Sockets are opened when they are needed. */
  open(): string | undefined {
    if (!this.#readiness.isOpen) return `epoll_create1 ${this.#calls.errno()}`
    return this.#wire4.check()
  }

  get inFlight(): number {
    return this.#flights.count
  }

  /** Families that can be probed. */
  get families(): readonly (4 | 6)[] {
    return this.#wire6 === undefined ? [4] : [4, 6]
  }

  get descriptors(): number {
    return (this.#readiness.isOpen ? 1 : 0) + (this.#dedicated === undefined ? this.sockets : 0)
  }

  /** Sockets that are open: those that probes share, or one for each probe in flight. */
  get sockets(): number {
    return this.#wire4.sockets + (this.#wire6?.sockets ?? 0)
  }

  hold(target: ProbeTarget): number {
    const isTooLarge =
      datagramTo(target).length > UDP_BATCH_PAYLOAD_BYTES ||
      (target.udp?.replyPattern?.length ?? 0) > UDP_BATCH_REPLY_BYTES
    if (isTooLarge || this.#wireOf(target.family) === undefined) return NO_SLOT
    const slot = this.#flights.hold(target)
    if (slot !== NO_SLOT) this.#passes[slot] = 0
    return slot
  }

  release(slot: number): void {
    this.#flights.release(slot)
  }

  start(slots: Int32Array, count: number, nowMs: number): void {
    this.#nowMs = nowMs
    this.#dedicated?.look(nowMs)
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!
      const flight = this.#flights.take(slot, nowMs)
      if (flight === NO_FLIGHT) this.#end(slot, this.#reasonOf(slot, ENOBUFS), ENOBUFS)
      else this.#wireOf(this.#familyOf(slot))?.add(flight, nowMs)
    }
    this.#wire4.flush()
    this.#wire6?.flush()
  }

  collect(nowMs: number): void {
    if (this.#flights.count === 0) return
    this.#nowMs = nowMs
    this.#dedicated?.look(nowMs)
    const endMs = performance.now() + BATCH_READ_MS
    // A socket that is read has nothing left, unless it is flooded: then it waits for the next look.
    const { sockets } = this
    for (let looked = 0; looked <= sockets; looked += UDP_BATCH_EVENTS) {
      const count = this.#readiness.count()
      for (let i = 0; i < count; i++) this.#read(this.#readiness.readyAt(i), endMs)
      if (count < UDP_BATCH_EVENTS) return
    }
  }

  expire(slot: number, nowMs: number): void {
    this.#nowMs = nowMs
    const flight = this.#flights.targets.flights[slot]!
    if (flight === NO_FLIGHT) return
    const { udp } = this.#flights.targets.targetOf(slot)
    if (this.#lostMs(slot, flight) >= this.#flights.startedMs[flight]!)
      this.#land(flight, 'PROBER_OVERLOAD', SILENT)
    else if (udp?.requireReply === true) this.#land(flight, 'RECV_TIMEOUT', SILENT)
    else if (this.#flights.doubts[flight] === 1)
      this.#land(flight, 'ICMP_UNREACHABLE', UNREACHABLE_AND_SILENT)
    else this.#land(flight, 'PASSED', SILENT)
  }

  drop(slot: number): void {
    const flight = this.#flights.targets.flights[slot]!
    if (flight !== NO_FLIGHT) this.#free(flight)
  }

  resultOf(i: number): ProbeResult {
    const reason = this.ended.reasonOf(i)
    const totalMs = this.ended.microseconds[i]! / 1000
    const detail = this.ended.details[i]!
    const phases = detail === REPLIED ? { firstByteMs: totalMs, totalMs } : { totalMs }
    return result(reason, this.detailOf(this.ended.slotOf(i), reason, detail), phases)
  }

  /** The text of a result of this slot, whose `details` are `detail`. */
  detailOf(slot: number, reason: Reason, detail: number): string {
    const { timeoutMs } = this.#flights.targets.targetOf(slot)
    if (reason === 'PASSED') return detail === REPLIED ? 'got a reply' : 'no reply, no port unreachable'
    if (reason === 'BODY_MISMATCH') return 'got another reply than expected'
    if (reason === 'RECV_TIMEOUT') return `no reply within ${timeoutMs} ms`
    if (reason === 'PROBER_OVERLOAD') return LOST_ANSWERS
    if (reason !== 'ICMP_UNREACHABLE') {
      const call = (detail & OF_BIND) === 0 ? 'send' : 'bind'
      return `${call} ${getSystemErrorName(-(detail & ~OF_BIND))}`
    }
    if (detail === PORT_UNREACHABLE) return 'port unreachable'
    return detail === UNREACHABLE ? 'unreachable' : 'unreachable, no reply'
  }

  phasesOf(microseconds: number, slot: number): Phases {
    const totalMs = microseconds / 1000
    return this.#passes[slot] === REPLIED ? { firstByteMs: totalMs, totalMs } : { totalMs }
  }

  /** Probes of this family are not made here any more; none is in flight. */
  closeFamily(family: 6): void {
    this.#wireOf(family)?.close()
    this.#wire6 = undefined
  }

  close(): void {
    this.#wire4.close()
    this.#wire6?.close()
    this.#readiness.close()
  }

  replied(flight: number, isExpected: boolean, atUs: number): void {
    const elapsedMs = this.#nowMs - this.#flights.startedMs[flight]!
    const microseconds = tookUs(this.#flights.sentUs[flight]!, atUs, elapsedMs)
    this.#land(flight, isExpected ? 'PASSED' : 'BODY_MISMATCH', REPLIED, microseconds)
  }

  undelivered(flight: number, what: Undelivered): void {
    if (what === 'doubtful') this.#flights.doubts[flight] = 1
    else this.#land(flight, 'ICMP_UNREACHABLE', what === 'port unreachable' ? PORT_UNREACHABLE : UNREACHABLE)
  }

  unsent(flight: number, { call, errno }: FailedCall): void {
    const slot = this.#flights.slots[flight]!
    const { targets } = this.#flights
    const family = this.#familyOf(slot) === 6 ? IPV6 : IPV4
    const isForeign = targets.hasSource[slot] === 1 && !isOwnSource(this.#calls, family, targets, slot)
    const said = isForeign ? EADDRNOTAVAIL : errno
    this.#land(flight, this.#reasonOf(slot, said), said | (isForeign || call !== 'send' ? OF_BIND : 0))
  }

  /** When an answer to this flight may last have been lost. */
  #lostMs(slot: number, flight: number): number {
    const wire = this.#wireOf(this.#familyOf(slot))
    const onSocketMs = wire?.lostMs(this.#flights.fds[flight]!) ?? Number.NEGATIVE_INFINITY
    return Math.max(onSocketMs, this.#dedicated?.lostMs ?? Number.NEGATIVE_INFINITY)
  }

  #read(fd: number, endMs: number): void {
    const wire = this.#wire4.has(fd) ? this.#wire4 : this.#wire6
    wire?.read(fd, this.#nowMs, endMs)
  }

  #land(flight: number, reason: Reason, detail: number, microseconds?: number): void {
    const slot = this.#flights.slots[flight]!
    const elapsedMs = this.#nowMs - this.#flights.startedMs[flight]!
    this.#free(flight)
    this.#end(slot, reason, detail, microseconds ?? elapsedMs * 1000)
  }

  #free(flight: number): void {
    const wire = this.#wireOf(this.#familyOf(this.#flights.slots[flight]!))
    const fd = this.#flights.fds[flight]!
    this.#flights.land(flight)
    wire?.leave(fd)
  }

  #end(slot: number, reason: Reason, detail: number, microseconds = 0): void {
    const i = this.ended.add(slot, reason)
    this.ended.details[i] = detail
    this.ended.microseconds[i] = Math.round(microseconds)
    if (reason !== 'PASSED') return
    if (this.#passes[slot] !== detail) this.ended.areOther[i] = 1
    this.#passes[slot] = detail
  }

  #reasonOf(slot: number, errno: number): Reason {
    return this.#hosts.reasonOf(getSystemErrorName(-errno), this.#flights.targets.targetOf(slot))
  }

  #familyOf(slot: number): 4 | 6 {
    return this.#flights.targets.families[slot] === 6 ? 6 : 4
  }

  #wireOf(family: 4 | 6): UdpWire | undefined {
    return family === 4 ? this.#wire4 : this.#wire6
  }
}
