/**
 * UDP-CONNECT with an ICMP echo before (profile elb), by the batch: what echo-core.ts does, and for the targets that have
 * answered, in the same look, what udp-core.ts does. One deadline ends both. A result means the same as one of
 * udp-connect.ts. A slot of this core stands for one of each of the two.
 */
import { ECHO_PACE_MS, IN_FLIGHT_MAX } from '../../domain/limits.ts'
import type { Phases, ProbeResult } from '../../domain/result/probe-result.ts'
import type { ProbeTarget } from '../../domain/target/probe-target.ts'
import { type BatchCore, EndedProbes, NO_SLOT } from '../batch/core.ts'
import type { EchoCore } from '../icmp/echo-core.ts'
import { result } from '../result.ts'
import { REPLIED, type UdpCore } from './udp-core.ts'

/** `#echoUs` of a probe whose echo has not been answered. */
const NO_ECHO = -1

export class UdpAfterEchoCore implements BatchCore {
  readonly ended = new EndedProbes()
  readonly echo: EchoCore
  readonly udp: UdpCore
  readonly #echoSlots: number[] = []
  readonly #udpSlots: number[] = []
  readonly #startedMs: number[] = []
  readonly #echoUs: number[] = []
  /** The same of the last probe that passed. */
  readonly #passedEchoUs: number[] = []
  readonly #free: number[] = []
  /** Slots of this core, by those of the two. */
  readonly #ofEcho: number[] = []
  readonly #ofUdp: number[] = []
  /** Of each result in `ended`. */
  readonly #endedEchoUs = new Float64Array(IN_FLIGHT_MAX)
  readonly #batch = new Int32Array(IN_FLIGHT_MAX)

  constructor(parts: { readonly echo: EchoCore; readonly udp: UdpCore }) {
    this.echo = parts.echo
    this.udp = parts.udp
  }

  /** Undefined, or the call that failed. */
  open(): string | undefined {
    return this.echo.open() ?? this.udp.open()
  }

  get inFlight(): number {
    return this.echo.inFlight + this.udp.inFlight
  }

  get descriptors(): number {
    return this.echo.descriptors + this.udp.descriptors
  }

  /** A datagram leaves up to a look after the echo was answered: where there is no time for that, there is no slot. */
  hold(target: ProbeTarget): number {
    if (target.timeoutMs < ECHO_PACE_MS) return NO_SLOT
    const echoSlot = this.echo.hold(target)
    if (echoSlot === NO_SLOT) return NO_SLOT
    const udpSlot = this.udp.hold(target)
    if (udpSlot === NO_SLOT) {
      this.echo.release(echoSlot)
      return NO_SLOT
    }
    const slot = this.#free.pop() ?? this.#echoSlots.length
    this.#echoSlots[slot] = echoSlot
    this.#udpSlots[slot] = udpSlot
    this.#startedMs[slot] = 0
    this.#echoUs[slot] = NO_ECHO
    this.#passedEchoUs[slot] = NO_ECHO
    this.#ofEcho[echoSlot] = slot
    this.#ofUdp[udpSlot] = slot
    return slot
  }

  release(slot: number): void {
    this.echo.release(this.#echoSlots[slot]!)
    this.udp.release(this.#udpSlots[slot]!)
    this.#free.push(slot)
  }

  start(slots: Int32Array, count: number, nowMs: number): void {
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!
      this.#startedMs[slot] = nowMs
      this.#echoUs[slot] = NO_ECHO
      this.#batch[i] = this.#echoSlots[slot]!
    }
    this.echo.start(this.#batch, count, nowMs)
    this.#goOn(nowMs)
  }

  collect(nowMs: number): void {
    this.echo.collect(nowMs)
    this.#goOn(nowMs)
    this.udp.collect(nowMs)
    this.#takeUdp(nowMs)
  }

  expire(slot: number, nowMs: number): void {
    if (this.#echoUs[slot] === NO_ECHO) {
      this.echo.expire(this.#echoSlots[slot]!, nowMs)
      this.#goOn(nowMs)
    } else {
      this.udp.expire(this.#udpSlots[slot]!, nowMs)
      this.#takeUdp(nowMs)
    }
  }

  drop(slot: number): void {
    this.echo.drop(this.#echoSlots[slot]!)
    this.udp.drop(this.#udpSlots[slot]!)
  }

  resultOf(i: number): ProbeResult {
    const slot = this.ended.slotOf(i)
    const reason = this.ended.reasonOf(i)
    const detail = this.ended.details[i]!
    const totalMs = this.ended.microseconds[i]! / 1000
    const echoUs = this.#endedEchoUs[i]!
    if (echoUs === NO_ECHO)
      return result(reason, this.echo.detailOf(this.#echoSlots[slot]!, reason, detail), { totalMs })
    const phases = phasesWith(echoUs, totalMs, detail === REPLIED)
    return result(reason, this.udp.detailOf(this.#udpSlots[slot]!, reason, detail), phases)
  }

  phasesOf(microseconds: number, slot: number): Phases {
    const isReply = this.udp.phasesOf(microseconds, this.#udpSlots[slot]!).firstByteMs !== undefined
    return phasesWith(this.#passedEchoUs[slot]!, microseconds / 1000, isReply)
  }

  close(): void {
    this.echo.close()
    this.udp.close()
  }

  /** Sends datagrams to the targets whose echo was answered, and takes the other results of echoes. */
  #goOn(nowMs: number): void {
    const { ended } = this.echo
    let count = 0
    for (let i = 0; i < ended.count; i++) {
      const slot = this.#ofEcho[ended.slotOf(i)]!
      if (ended.hasPassed(i)) {
        this.#echoUs[slot] = ended.microseconds[i]!
        this.#batch[count++] = this.#udpSlots[slot]!
      } else this.#take(slot, ended, i, ended.microseconds[i]!)
    }
    ended.clear()
    if (count > 0) this.udp.start(this.#batch, count, nowMs)
    this.#takeUdp(nowMs)
  }

  #takeUdp(nowMs: number): void {
    const { ended } = this.udp
    for (let i = 0; i < ended.count; i++) {
      const slot = this.#ofUdp[ended.slotOf(i)]!
      const isReply = ended.details[i] === REPLIED
      const elapsedUs = Math.round((nowMs - this.#startedMs[slot]!) * 1000)
      this.#take(slot, ended, i, isReply ? this.#echoUs[slot]! + ended.microseconds[i]! : elapsedUs)
    }
    ended.clear()
  }

  /** Result `from` of one of the two is one of this core. */
  #take(slot: number, ended: EndedProbes, from: number, microseconds: number): void {
    const i = this.ended.add(slot, ended.reasonOf(from))
    this.ended.details[i] = ended.details[from]!
    this.ended.microseconds[i] = microseconds
    this.ended.areOther[i] = ended.areOther[from]!
    this.#endedEchoUs[i] = this.#echoUs[slot]!
    if (this.ended.reasonOf(i) === 'PASSED') this.#passedEchoUs[slot] = this.#echoUs[slot]!
  }
}

function phasesWith(echoUs: number, totalMs: number, isReply: boolean): Phases {
  const echoMs = echoUs / 1000
  return isReply ? { echoMs, firstByteMs: totalMs, totalMs } : { echoMs, totalMs }
}
