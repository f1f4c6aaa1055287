/**
 * TCP by the batch, with a whole handshake: connect, then RST or FIN (tcp.ts says what such a probe means). Per probe
 * three system calls on a socket that is used again: connect, what became of it (with the kernel's own duration of the
 * handshake), and connect to nowhere, which resets it. One epoll_wait finds all that have ended.
 *
 * A half-open probe comes here where there is no raw socket for it (half-open/half-open.ts): its last ACK is delayed, and
 * the reset comes before it.
 */
import { constants } from 'node:os'
import { getSystemErrorName } from 'node:util'
import type { Phases, ProbeResult } from '../../../domain/result/probe-result.ts'
import type { ProbeTarget } from '../../../domain/target/probe-target.ts'
import { BATCH_TARGETS_FIRST, CONNECTS_PER_LOOK } from '../../../domain/limits.ts'
import { EndedProbes, NO_SLOT } from '../../batch/core.ts'
import { result } from '../../result.ts'
import type { HostAddresses } from '../../socket-errors.ts'
import { CONNECTED_TO_ITSELF, type SourcePorts } from '../../source-ports.ts'
import { CONNECTED, CONNECTING, type KernelCalls } from '../kernel-calls.ts'
import { areAllEvents, callOf, Connections, errnoOf } from './connections.ts'
import { Destinations, grown } from './destinations.ts'
import { type SocketCore, TRIAL_ON_LOOPBACK } from './socket-core.ts'

/** Detail of a connection to itself, where others have their errno; and of a deadline, which has none. */
const TO_ITSELF = 0x8_0000
const NO_ANSWER = 0

export class PlainTcpCore implements SocketCore {
  readonly ended = new EndedProbes()
  readonly #tcp: KernelCalls
  readonly #hosts: HostAddresses
  readonly #targets = new Destinations()
  readonly #connections: Connections
  /** By slot: when its probe started. */
  #startedMs = new Float64Array(BATCH_TARGETS_FIRST)
  #isClosed = false

  constructor(
    tcp: KernelCalls,
    parts: { readonly sourcePorts: SourcePorts; readonly hostAddresses: HostAddresses },
  ) {
    this.#tcp = tcp
    // Not `parts` as it is: whoever makes it may have a method that is named as an optional one here.
    const { sourcePorts } = parts
    this.#connections = new Connections(tcp, this.#targets, { sourcePorts })
    this.#hosts = parts.hostAddresses
  }

  get inFlight(): number {
    return this.#connections.count
  }

  /** The sockets that wait for the next probe, and that of epoll. */
  get descriptors(): number {
    return this.#connections.idle + 1
  }

  get capacity(): number {
    return this.#connections.capacity
  }

  set capacity(sockets: number) {
    this.#connections.capacity = sockets
  }

  open(): string | undefined {
    return this.#tcp.works() ? undefined : TRIAL_ON_LOOPBACK
  }

  hold(target: ProbeTarget): number {
    return this.#isClosed ? NO_SLOT : this.#targets.add(target, target.halfOpen === true)
  }

  release(slot: number): void {
    this.#targets.remove(slot)
    if (this.#targets.size === 0) this.#connections.closeIdle()
  }

  start(slots: Int32Array, count: number, nowMs: number): void {
    if (this.#startedMs.length < this.#targets.room)
      this.#startedMs = grown(this.#startedMs, new Float64Array(this.#targets.room))
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!
      this.#startedMs[slot] = nowMs
      const failure = this.#isClosed ? constants.errno.ECANCELED : this.#connections.start(slot, nowMs)
      if (failure !== 0) this.#fail(slot, failure, nowMs)
      if ((i + 1) % CONNECTS_PER_LOOK === 0) this.collect(nowMs)
    }
  }

  collect(nowMs: number): void {
    this.#connections.closeUnused(nowMs)
    if (!this.#connections.settle(nowMs)) return
    for (let count = this.#connections.readEvents(); ; count = this.#connections.readEvents()) {
      for (let i = 0; i < count; i++) {
        const slot = this.#connections.slotAt(i)
        if (slot !== NO_SLOT) this.#look(slot, nowMs)
      }
      if (areAllEvents(count)) return
    }
  }

  expire(slot: number, nowMs: number): void {
    if (!this.#connections.has(slot)) return
    this.#look(slot, nowMs)
    if (!this.#connections.has(slot)) return
    this.#connections.end(slot, 'reset')
    this.#addFailure(this.ended.add(slot, 'CONNECT_TIMEOUT'), NO_ANSWER, nowMs)
  }

  drop(slot: number): void {
    if (this.#connections.has(slot)) this.#connections.end(slot, 'reset')
  }

  resultOf(i: number): ProbeResult {
    const reason = this.ended.reasonOf(i)
    const microseconds = this.ended.microseconds[i]!
    if (reason === 'PASSED') return result(reason, 'connected', this.phasesOf(microseconds))
    return result(reason, this.#detailOf(i), { totalMs: microseconds / 1000 })
  }

  phasesOf(microseconds: number): Phases {
    const connectMs = microseconds / 1000
    return { connectMs, totalMs: connectMs }
  }

  /** Probes that are in flight end without a result. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (let slot = 0; slot < this.#targets.room; slot++) this.drop(slot)
    this.#connections.close()
  }

  #look(slot: number, nowMs: number): void {
    const outcome = this.#connections.outcome(slot)
    if (outcome === CONNECTING) return
    if (outcome !== CONNECTED) {
      this.#connections.end(slot, 'reset')
      return this.#fail(slot, -outcome, nowMs)
    }
    const handshakeMs = this.#connections.handshakeMs()
    const isToItself = this.#connections.isConnectedToItself(slot, nowMs)
    const { close } = this.#targets.targetOf(slot)
    this.#connections.end(slot, close === 'fin' && !isToItself ? 'close' : 'reset')
    if (isToItself) return this.#addFailure(this.ended.add(slot, 'CONNECT_REFUSED'), TO_ITSELF, nowMs)
    const i = this.ended.add(slot, 'PASSED')
    this.ended.microseconds[i] = Math.round((handshakeMs ?? nowMs - this.#startedMs[slot]!) * 1000)
  }

  /** `failure`: an errno, and what failed (connections.ts). */
  #fail(slot: number, failure: number, nowMs: number): void {
    const code = getSystemErrorName(-errnoOf(failure))
    const reason = this.#hosts.reasonOf(code, this.#targets.targetOf(slot))
    this.#addFailure(this.ended.add(slot, reason), failure, nowMs)
  }

  #addFailure(i: number, detail: number, nowMs: number): void {
    this.ended.details[i] = detail
    const elapsedMs = nowMs - this.#startedMs[this.ended.slotOf(i)]!
    this.ended.microseconds[i] = Math.round(elapsedMs * 1000)
  }

  #detailOf(i: number): string {
    const detail = this.ended.details[i]!
    if (detail === TO_ITSELF) return CONNECTED_TO_ITSELF
    if (detail !== NO_ANSWER) return `${callOf(detail)} ${getSystemErrorName(-errnoOf(detail))}`
    return `no answer to SYN within ${this.#targets.targetOf(this.ended.slotOf(i)).timeoutMs} ms`
  }
}
