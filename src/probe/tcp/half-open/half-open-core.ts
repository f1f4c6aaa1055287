/**
 * TCP, half open, by the batch: a SYN from a raw socket, a SYN-ACK that passes, and the RST with which the kernel ends
 * the handshake, because no socket of its own knows of it. This is the check that HAProxy makes
 * (docs/adr/0032-half-open-core.md has the figures). What is probed never learns of it: no connection is established.
 *
 *   start: flight (port, number) → SYN → sendmmsg;   collect: recvmmsg → flight → SYN-ACK, RST or ICMP error
 *
 * A SYN that is not answered is sent again after 1 s, 3 s, 7 s …, as the kernel does. What fails on this host, and what
 * an ICMP error says, has the errno that connect(2) would give, so a result means the same as one of the other ways
 * over TCP (tcp.ts).
 */
import { constants } from 'node:os'
import { getSystemErrorName } from 'node:util'
import type { Phases, ProbeResult } from '../../../domain/result/probe-result.ts'
import type { Reason } from '../../../domain/result/reasons.ts'
import type { ProbeTarget } from '../../../domain/target/probe-target.ts'
import { tookUs } from '../../batch/arrival-times.ts'
import type { BatchCalls } from '../../batch/batch-calls.ts'
import { isOwnSource } from '../../batch/own-address.ts'
import { type BatchCore, EndedProbes, NO_SLOT } from '../../batch/core.ts'
import { result } from '../../result.ts'
import type { HostAddresses } from '../../socket-errors.ts'
import { Flights } from './flights.ts'
import { IPV4, IPV6 } from '../../batch/ip-family.ts'
import type { OwnPorts } from './own-ports.ts'
import { SourceAddresses } from './source-addresses.ts'
import { BatchTargets, NO_FLIGHT, WORDS_PER_ADDRESS } from '../../batch/batch-targets.ts'
import { HalfOpenWire, type WireEvents } from './wire.ts'

/** The detail of a failure: its errno, and this where not `connect` but `bind` would have failed. */
const OF_BIND = 0x1_0000
const { EADDRNOTAVAIL, ECONNREFUSED, EINVAL } = constants.errno
const LOST_ANSWERS = 'answers were lost or are not read yet: too many packets arrive'

export class HalfOpenCore implements BatchCore, WireEvents {
  readonly ended = new EndedProbes()
  readonly #hosts: HostAddresses
  readonly #ports: OwnPorts
  readonly #targets = new BatchTargets()
  readonly #flights: Flights
  readonly #sources: SourceAddresses
  readonly #calls: BatchCalls
  #wire4: HalfOpenWire | undefined
  #wire6: HalfOpenWire | undefined
  #nowMs = 0
  /** Flights whose source address was not of this host any more: they are sent again from the present one. */
  #moved: number[] = []
  #isSecondTry = false
  /** When answers were last found lost, or left unread, by family: each has its socket. */
  readonly #lostMs = { 4: Number.NEGATIVE_INFINITY, 6: Number.NEGATIVE_INFINITY }

  constructor(calls: BatchCalls, ports: OwnPorts, hosts: HostAddresses) {
    this.#calls = calls
    this.#ports = ports
    this.#hosts = hosts
    this.#flights = new Flights(this.#targets, ports.first)
    this.#sources = new SourceAddresses(calls)
  }

  /** Opens the sockets. Undefined, or the call that failed, for IPv4; without IPv6, its targets have no slot. */
  open(): string | undefined {
    if (!this.#sources.listen()) return `netlink ${this.#calls.errno()}`
    const parts = {
      calls: this.#calls,
      ports: this.#ports,
      targets: this.#targets,
      flights: this.#flights,
      events: this,
    }
    const wire4 = HalfOpenWire.open({ ...parts, family: IPV4 })
    if (typeof wire4 === 'string') return wire4
    this.#wire4 = wire4
    const wire6 = HalfOpenWire.open({ ...parts, family: IPV6 })
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
    const wires = (this.#wire4?.descriptors ?? 0) + (this.#wire6?.descriptors ?? 0)
    return this.#ports.descriptors + this.#sources.descriptors + wires
  }

  /** Packets that the TCP sockets have received, and resets that were sent in place of the kernel's. */
  get counts(): { readonly received: number; readonly resets: number } {
    const wires = [this.#wire4, this.#wire6]
    return {
      received: wires.reduce((sum, wire) => sum + (wire?.received ?? 0), 0),
      resets: wires.reduce((sum, wire) => sum + (wire?.resets ?? 0), 0),
    }
  }

  hold(target: ProbeTarget): number {
    return this.#wireOf(target.family) === undefined ? NO_SLOT : this.#targets.add(target)
  }

  release(slot: number): void {
    this.#targets.remove(slot)
  }

  start(slots: Int32Array, count: number, nowMs: number): void {
    this.#nowMs = nowMs
    this.#sources.look()
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!
      const flight = this.#flights.take(slot, nowMs)
      if (flight === NO_FLIGHT) this.#end(slot, this.#reasonOf(slot, EADDRNOTAVAIL), EADDRNOTAVAIL)
      else this.#send(flight)
    }
    this.#flush()
  }

  collect(nowMs: number): void {
    if (this.#flights.count === 0) return
    this.#nowMs = nowMs
    this.#wire4?.readAnswers()
    this.#wire6?.readAnswers()
    if (this.#wire4?.hasLost === true) this.#lostMs[4] = nowMs
    if (this.#wire6?.hasLost === true) this.#lostMs[6] = nowMs
    // Whoever is still waited for may have an error, or need another SYN.
    if (this.#flights.count === 0) return
    this.#wire4?.readErrors()
    this.#wire6?.readErrors()
    for (let flight = this.#nextRepeat(); flight !== NO_FLIGHT; flight = this.#nextRepeat())
      this.#send(flight)
    this.#flush()
  }

  expire(slot: number, nowMs: number): void {
    this.#nowMs = nowMs
    const flight = this.#targets.flights[slot]!
    if (flight === NO_FLIGHT) return
    const { family } = this.#targets.targetOf(slot)
    const hasLost = this.#lostMs[family] >= this.#flights.startedMs[flight]!
    this.#land(flight, hasLost ? 'PROBER_OVERLOAD' : 'CONNECT_TIMEOUT', 0)
  }

  drop(slot: number): void {
    const flight = this.#targets.flights[slot]!
    if (flight !== NO_FLIGHT) this.#flights.release(flight)
  }

  resultOf(i: number): ProbeResult {
    const reason = this.ended.reasonOf(i)
    const microseconds = this.ended.microseconds[i]!
    const phases = reason === 'PASSED' ? this.phasesOf(microseconds) : { totalMs: microseconds / 1000 }
    return result(reason, this.#detailOf(i, reason), phases)
  }

  phasesOf(microseconds: number): Phases {
    const connectMs = microseconds / 1000
    return { connectMs, totalMs: connectMs }
  }

  /** Probes of this family are not made here any more; none is in flight. */
  closeFamily(family: 6): void {
    this.#wireOf(family)?.close()
    this.#wire6 = undefined
  }

  close(): void {
    this.#wire4?.close()
    this.#wire6?.close()
    this.#sources.close()
    this.#ports.close()
  }

  answered(flight: number, isOpen: boolean, atUs: number): void {
    const elapsedMs = this.#nowMs - this.#flights.startedMs[flight]!
    const microseconds = tookUs(this.#flights.sentUs[flight]!, atUs, elapsedMs)
    this.#land(flight, isOpen ? 'PASSED' : 'CONNECT_REFUSED', isOpen ? 0 : ECONNREFUSED, microseconds)
  }

  undelivered(flight: number, errno: number): void {
    this.#land(flight, this.#reasonOf(this.#flights.slots[flight]!, errno), errno)
  }

  unsent(flight: number, errno: number): void {
    const slot = this.#flights.slots[flight]!
    const { hasSource, families } = this.#targets
    if (hasSource[slot] === 1 && !this.#isOwnSource(slot))
      return this.#land(flight, this.#reasonOf(slot, EADDRNOTAVAIL), EADDRNOTAVAIL | OF_BIND)
    // The source that was found is not an address of this host any more.
    const isMoved = errno === EINVAL && hasSource[slot] === 0 && families[slot] === 4 && !this.#isSecondTry
    if (isMoved) this.#moved.push(flight)
    else this.undelivered(flight, errno)
  }

  #isOwnSource(slot: number): boolean {
    const family = this.#targets.families[slot] === 6 ? IPV6 : IPV4
    return isOwnSource(this.#calls, family, this.#targets, slot)
  }

  #nextRepeat(): number {
    return this.#flights.nextRepeat(this.#nowMs)
  }

  /** Lays out the SYN of a flight, which `#flush` sends. */
  #send(flight: number): void {
    const slot = this.#flights.slots[flight]!
    const errno = this.#findSource(slot)
    if (errno !== 0) return this.undelivered(flight, errno)
    this.#wireOf(this.#targets.families[slot] === 6 ? 6 : 4)?.add(flight)
  }

  #flush(): void {
    this.#wire4?.flush()
    this.#wire6?.flush()
    if (this.#moved.length === 0) return
    const moved = this.#moved
    this.#moved = []
    this.#isSecondTry = true
    for (const flight of moved) {
      this.#targets.epochs[this.#flights.slots[flight]!] = 0
      this.#send(flight)
    }
    this.#wire4?.flush()
    this.#isSecondTry = false
  }

  /** An errno, or 0. */
  #findSource(slot: number): number {
    const { families, hasSource, epochs, sources, addresses } = this.#targets
    if (families[slot] === 6 || hasSource[slot] === 1 || epochs[slot] === this.#sources.epoch) return 0
    const errno = this.#sources.find(addresses[slot * WORDS_PER_ADDRESS]!)
    if (errno !== 0) return errno
    sources[slot * WORDS_PER_ADDRESS] = this.#sources.found
    epochs[slot] = this.#sources.epoch
    return 0
  }

  #land(flight: number, reason: Reason, detail: number, microseconds?: number): void {
    const slot = this.#flights.slots[flight]!
    const elapsedMs = this.#nowMs - this.#flights.startedMs[flight]!
    this.#flights.release(flight)
    this.#end(slot, reason, detail, microseconds ?? elapsedMs * 1000)
  }

  #end(slot: number, reason: Reason, detail: number, microseconds = 0): void {
    const i = this.ended.add(slot, reason)
    this.ended.details[i] = detail
    this.ended.microseconds[i] = Math.round(microseconds)
  }

  #reasonOf(slot: number, errno: number): Reason {
    return this.#hosts.reasonOf(getSystemErrorName(-errno), this.#targets.targetOf(slot))
  }

  #detailOf(i: number, reason: Reason): string {
    if (reason === 'PASSED') return 'connected'
    if (reason === 'PROBER_OVERLOAD') return LOST_ANSWERS
    if (reason === 'CONNECT_TIMEOUT' && this.ended.details[i] === 0) {
      const { timeoutMs } = this.#targets.targetOf(this.ended.slotOf(i))
      return `no answer to SYN within ${timeoutMs} ms`
    }
    const detail = this.ended.details[i]!
    const name = getSystemErrorName(-(detail & ~OF_BIND))
    return `${(detail & OF_BIND) === 0 ? 'connect' : 'bind'} ${name}`
  }

  #wireOf(family: 4 | 6): HalfOpenWire | undefined {
    return family === 4 ? this.#wire4 : this.#wire6
  }
}
