/**
 * PING by the batch: echo requests from a raw socket whose filter lets nothing but our answers through
 * (docs/adr/0033-ping-and-udp-by-the-batch.md has the figures). A result means the same as one of ping.ts.
 *
 *   start: flight (sequence number) → echo request → sendmmsg;   collect: recvmmsg → flight → reply or ICMP error
 *
 * Of several echoes of one probe each leaves when the one before was answered. The duration is that of all of them,
 * without the time in which an answer waited to be read.
 *
 * All echoes of a family have one socket, or (dedicated-echo-wire.ts) each has its own.
 */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:os'
import { getSystemErrorName } from 'node:util'
import { BATCH_READ_MS, ECHO_PACE_MS } from '../../domain/limits.ts'
import type { Phases, ProbeResult } from '../../domain/result/probe-result.ts'
import type { Reason } from '../../domain/result/reasons.ts'
import type { ProbeTarget } from '../../domain/target/probe-target.ts'
import { tookUs } from '../batch/arrival-times.ts'
import type { BatchCalls } from '../batch/batch-calls.ts'
import { BatchTargets, NO_FLIGHT } from '../batch/batch-targets.ts'
import { type BatchCore, EndedProbes, NO_SLOT } from '../batch/core.ts'
import type { HostDrops } from '../batch/host-drops.ts'
import { IPV4, IPV6 } from '../batch/ip-family.ts'
import { isOwnSource } from '../batch/own-address.ts'
import { result } from '../result.ts'
import type { HostAddresses } from '../socket-errors.ts'
import { EchoFlights } from './echo-flights.ts'
import { DedicatedEchoWire } from './dedicated-echo-wire.ts'
import type { EchoEvents, EchoParts, EchoSockets } from './echo-sockets.ts'
import { EchoWire } from './echo-wire.ts'
import { answeredWithin, ECHO_UNDELIVERED, echoesAnswered } from './ping.ts'

const { EADDRNOTAVAIL, ENOBUFS } = constants.errno
const LOST_ANSWERS = 'answers were lost or are not read yet: too many packets arrive'

export class EchoCore implements BatchCore, EchoEvents {
  readonly ended = new EndedProbes()
  readonly #calls: BatchCalls
  readonly #hosts: HostAddresses
  readonly #targets = new BatchTargets()
  readonly #flights = new EchoFlights(this.#targets)
  readonly #dedicated: HostDrops | undefined
  #wire4: EchoSockets | undefined
  #wire6: EchoSockets | undefined
  #nowMs = 0
  /** Echoes were added that `#flush` has not sent yet. */
  #hasUnsent = false
  /** When answers were last found lost, or left unread, by family: each has its socket. */
  readonly #lostMs = { 4: Number.NEGATIVE_INFINITY, 6: Number.NEGATIVE_INFINITY }

  /** `dedicated`: each echo has a socket of its own, and loses its answer only where the host drops packets. */
  constructor(calls: BatchCalls, hosts: HostAddresses, dedicated?: HostDrops) {
    this.#calls = calls
    this.#hosts = hosts
    this.#dedicated = dedicated
  }

  /** Opens the sockets. Undefined, or the call that failed, for IPv4; without IPv6, its targets have no slot. */
  open(): string | undefined {
    const identity = { identifier: randomBytes(2).readUInt16BE(), token: randomBytes(4).readUInt32BE() }
    const parts = { calls: this.#calls, targets: this.#targets, flights: this.#flights, events: this }
    const wire4 = this.#openSockets({ ...parts, ...identity, family: IPV4 })
    if (typeof wire4 === 'string') return wire4
    this.#wire4 = wire4
    const wire6 = this.#openSockets({ ...parts, ...identity, family: IPV6 })
    if (typeof wire6 !== 'string') this.#wire6 = wire6
    return undefined
  }

  get inFlight(): number {
    return this.#flights.count
  }

  /** Families that can be probed. */
  get families(): readonly (4 | 6)[] {
    return ([4, 6] as const).filter((family) => this.#wireOf(family) !== undefined)
  }

  get descriptors(): number {
    return (this.#wire4?.descriptors ?? 0) + (this.#wire6?.descriptors ?? 0)
  }

  /** Packets that were received. */
  get received(): number {
    return (this.#wire4?.received ?? 0) + (this.#wire6?.received ?? 0)
  }

  hold(target: ProbeTarget): number {
    const { family, echoCount = 1, timeoutMs } = target
    const isTooQuick = echoCount > 1 && timeoutMs < echoCount * ECHO_PACE_MS
    return isTooQuick || this.#wireOf(family) === undefined ? NO_SLOT : this.#targets.add(target)
  }

  release(slot: number): void {
    this.#targets.remove(slot)
  }

  start(slots: Int32Array, count: number, nowMs: number): void {
    this.#nowMs = nowMs
    this.#dedicated?.look(nowMs)
    for (let i = 0; i < count; i++) {
      const flight = this.#flights.take(slots[i]!, nowMs)
      if (flight === NO_FLIGHT) this.#end(slots[i]!, this.#reasonOf(slots[i]!, ENOBUFS), ENOBUFS)
      else this.#send(flight)
    }
    this.#flush()
  }

  collect(nowMs: number): void {
    if (this.#flights.count === 0) return
    this.#nowMs = nowMs
    this.#dedicated?.look(nowMs)
    const endMs = performance.now() + BATCH_READ_MS
    do {
      this.#flush()
      this.#read(4)
      this.#read(6)
      // An answer may have called for the next echo, whose answer may be there at once.
    } while (this.#hasUnsent && performance.now() < endMs)
    this.#flush()
  }

  expire(slot: number, nowMs: number): void {
    this.#nowMs = nowMs
    const flight = this.#targets.flights[slot]!
    if (flight === NO_FLIGHT) return
    const byHostMs = this.#dedicated?.lostMs ?? Number.NEGATIVE_INFINITY
    const lostMs = Math.max(this.#lostMs[this.#familyOf(slot)], byHostMs)
    const hasLost = lostMs >= this.#flights.startedMs[flight]!
    this.#land(flight, hasLost ? 'PROBER_OVERLOAD' : 'ICMP_TIMEOUT', this.#flights.answered[flight]!)
  }

  drop(slot: number): void {
    const flight = this.#targets.flights[slot]!
    if (flight !== NO_FLIGHT) this.#free(flight)
  }

  resultOf(i: number): ProbeResult {
    const reason = this.ended.reasonOf(i)
    const microseconds = this.ended.microseconds[i]!
    const phases = reason === 'PASSED' ? this.phasesOf(microseconds) : { totalMs: microseconds / 1000 }
    return result(reason, this.detailOf(this.ended.slotOf(i), reason, this.ended.details[i]!), phases)
  }

  /** The text of a result of this slot, whose `details` are `detail`. */
  detailOf(slot: number, reason: Reason, detail: number): string {
    const { echoCount = 1, timeoutMs } = this.#targets.targetOf(slot)
    if (reason === 'PASSED') return echoesAnswered(echoCount)
    if (reason === 'ICMP_UNREACHABLE') return ECHO_UNDELIVERED
    if (reason === 'PROBER_OVERLOAD') return LOST_ANSWERS
    if (reason === 'ICMP_TIMEOUT') return answeredWithin({ answered: detail, wanted: echoCount, timeoutMs })
    return `echo ${getSystemErrorName(-detail)}`
  }

  phasesOf(microseconds: number): Phases {
    const echoMs = microseconds / 1000
    return { echoMs, totalMs: echoMs }
  }

  /** Sends an echo to the target of `slot` that is not one of ours, for the trial of the filter. */
  sendForeign(slot: number): void {
    this.#wireOf(this.#familyOf(slot))?.sendForeign(slot)
  }

  /** Probes of this family are not made here any more; none is in flight. */
  closeFamily(family: 6): void {
    this.#wireOf(family)?.close()
    this.#wire6 = undefined
  }

  close(): void {
    this.#wire4?.close()
    this.#wire6?.close()
  }

  answered(flight: number, atUs: number): void {
    const spentUs = this.#flights.spentUs[flight]!
    const elapsedMs = this.#nowMs - this.#flights.startedMs[flight]! - spentUs / 1000
    const microseconds = tookUs(this.#flights.sentUs[flight]!, atUs, elapsedMs)
    const wanted = this.#targets.targetOf(this.#flights.slots[flight]!).echoCount ?? 1
    if (this.#flights.answered[flight]! + 1 >= wanted) {
      this.#land(flight, 'PASSED', 0, spentUs + microseconds)
      return
    }
    this.#wireOf(this.#familyOf(this.#flights.slots[flight]!))?.leave(flight)
    const next = this.#flights.takeNext(flight, microseconds)
    if (next === NO_FLIGHT) this.unsent(flight, ENOBUFS)
    else this.#send(next)
  }

  undelivered(flight: number): void {
    this.#land(flight, 'ICMP_UNREACHABLE', 0)
  }

  unsent(flight: number, errno: number): void {
    const slot = this.#flights.slots[flight]!
    const family = this.#familyOf(slot) === 6 ? IPV6 : IPV4
    const isNotOurs =
      this.#targets.hasSource[slot] === 1 && !isOwnSource(this.#calls, family, this.#targets, slot)
    const said = isNotOurs ? EADDRNOTAVAIL : errno
    this.#land(flight, this.#reasonOf(slot, said), said)
  }

  #openSockets(parts: EchoParts): EchoSockets | string {
    return this.#dedicated === undefined ? EchoWire.open(parts) : DedicatedEchoWire.open(parts)
  }

  #read(family: 4 | 6): void {
    if (this.#flights.countOf(family) === 0) return
    const isAll = this.#wireOf(family)?.read(performance.now() + BATCH_READ_MS)
    if (isAll === false) this.#lostMs[family] = this.#nowMs
  }

  #send(flight: number): void {
    this.#hasUnsent = true
    this.#wireOf(this.#familyOf(this.#flights.slots[flight]!))?.add(flight)
  }

  #flush(): void {
    if (!this.#hasUnsent) return
    this.#hasUnsent = false
    this.#wire4?.flush()
    this.#wire6?.flush()
  }

  #land(flight: number, reason: Reason, detail: number, microseconds?: number): void {
    const slot = this.#flights.slots[flight]!
    const elapsedMs = this.#nowMs - this.#flights.startedMs[flight]!
    this.#free(flight)
    this.#end(slot, reason, detail, microseconds ?? elapsedMs * 1000)
  }

  #free(flight: number): void {
    this.#wireOf(this.#familyOf(this.#flights.slots[flight]!))?.leave(flight)
    this.#flights.release(flight)
  }

  #end(slot: number, reason: Reason, detail: number, microseconds = 0): void {
    const i = this.ended.add(slot, reason)
    this.ended.details[i] = detail
    this.ended.microseconds[i] = Math.round(microseconds)
  }

  #reasonOf(slot: number, errno: number): Reason {
    return this.#hosts.reasonOf(getSystemErrorName(-errno), this.#targets.targetOf(slot))
  }

  #familyOf(slot: number): 4 | 6 {
    return this.#targets.families[slot] === 6 ? 6 : 4
  }

  #wireOf(family: 4 | 6): EchoSockets | undefined {
    return family === 4 ? this.#wire4 : this.#wire6
  }
}
