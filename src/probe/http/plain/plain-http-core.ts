/**
 * HTTP/1.x by the batch, in plain text: connect, send, receive, end (http.ts says what such a probe means). An ordinary
 * answer that is expected is read by its bytes (plain-head.ts), and becomes numbers. For any other one a conversation is
 * made, the one of the prober (http1.ts): it gets the bytes that have come, goes on on the same socket, and its verdict is
 * the result.
 *
 *   UNCONNECTED → SENDING (as long as the socket has no room) → READING → ended, or KEPT → SENDING for the next probe
 *
 * Where the target says so, its connection is kept for its next probe (kept-connections.ts). The target may close it just
 * then: a probe on it that ends before the first byte of an answer is made once more, on a new connection.
 *
 * A look is late, a batch takes a millisecond to start: so durations are those between the start of the single probe and
 * the kernel's stamp on the answer.
 */
import { constants } from 'node:os'
import { getSystemErrorName } from 'node:util'
import { BATCH_TARGETS_FIRST } from '../../../domain/limits.ts'
import type { Phases, ProbeResult } from '../../../domain/result/probe-result.ts'
import { isExpectedCode } from '../../../domain/target/expected-codes.ts'
import type { ProbeTarget } from '../../../domain/target/probe-target.ts'
import { type EndedProbes, NO_SLOT } from '../../batch/core.ts'
import type { HostAddresses } from '../../socket-errors.ts'
import { CONNECTED_TO_ITSELF, type SourcePorts } from '../../source-ports.ts'
import { CONNECTED, CONNECTING, type KernelCalls } from '../../tcp/kernel-calls.ts'
import { areAllEvents, callOf, Connections, errnoOf } from '../../tcp/plain/connections.ts'
import { Destinations, grown } from '../../tcp/plain/destinations.ts'
import { type SocketCore, TRIAL_ON_LOOPBACK } from '../../tcp/plain/socket-core.ts'
import type { Conversation, Verdict } from '../../wire/conversation.ts'
import type { IdleRoom } from '../../wire/idle-room.ts'
import { KeptConnections } from './kept-connections.ts'
import { NOT_PLAIN, plainStatus } from './plain-head.ts'
import { LINE, type PlainRequests } from './plain-requests.ts'
import { PlainResults } from './plain-results.ts'
import { ProbeTimes } from './probe-times.ts'
import { canConverse, NOTHING_NOW, type StreamSockets } from './stream-sockets.ts'

const UNCONNECTED = 0
const SENDING = 1
const READING = 2
const KEPT = 3
const { ECANCELED } = constants.errno

/** How a connection stands when its probe has ended. */
interface Standing {
  /** The target has ended its side. */
  readonly hasTargetEnded: boolean
  /** All of the answer was received. */
  readonly isComplete: boolean
  /** And another request may follow it. */
  readonly canGoOn: boolean
}
const BROKEN: Standing = { hasTargetEnded: false, isComplete: false, canGoOn: false }
const ENDED_BY_TARGET: Standing = { ...BROKEN, hasTargetEnded: true }
const ANSWERED: Standing = { ...BROKEN, isComplete: true }
const ANSWERED_AND_ENDED: Standing = { ...ANSWERED, hasTargetEnded: true }
const GOES_ON: Standing = { ...ANSWERED, canGoOn: true }
const IDLE_CLOSED: Verdict = { reason: 'IDLE_CLOSED', detail: 'closed between two probes' }

export interface PlainHttpParts {
  readonly hostAddresses: HostAddresses
  readonly sourcePorts: SourcePorts
  readonly requests: PlainRequests
  readonly idleRoom: IdleRoom
}

export class PlainHttpCore implements SocketCore {
  readonly #tcp: KernelCalls
  readonly #hosts: HostAddresses
  readonly #requests: PlainRequests
  readonly #sockets: StreamSockets
  readonly #targets = new Destinations()
  readonly #connections: Connections
  readonly #kept: KeptConnections
  readonly #times: ProbeTimes
  readonly #results: PlainResults
  /** By slot. */
  #states = new Uint8Array(BATCH_TARGETS_FIRST)
  /** Bytes of the request that are sent. */
  #sent = new Int32Array(BATCH_TARGETS_FIRST)
  /** 1 = the probe is not the first one on its connection. */
  #areReusing = new Uint8Array(BATCH_TARGETS_FIRST)
  #nowMs = 0
  #isClosed = false

  constructor(tcp: KernelCalls, sockets: StreamSockets, parts: PlainHttpParts) {
    this.#tcp = tcp
    this.#sockets = sockets
    this.#hosts = parts.hostAddresses
    this.#requests = parts.requests
    this.#kept = new KeptConnections(parts.idleRoom)
    this.#times = new ProbeTimes(() => sockets.nowUs())
    this.#results = new PlainResults(this.#times)
    this.#connections = new Connections(tcp, this.#targets, {
      sourcePorts: parts.sourcePorts,
      prepare: (fd) => void sockets.stamp(fd),
      endSending: (fd) => sockets.endSending(fd),
    })
  }

  get ended(): EndedProbes {
    return this.#results.ended
  }

  get inFlight(): number {
    return this.#connections.count
  }

  /** The sockets that wait for the next probe, connected or not, and that of epoll. */
  get descriptors(): number {
    return this.#connections.idle + this.#connections.parked + 1
  }

  get capacity(): number {
    return this.#connections.capacity
  }

  set capacity(sockets: number) {
    this.#connections.capacity = sockets
  }

  open(): string | undefined {
    return this.#tcp.works() && canConverse(this.#tcp, this.#sockets) ? undefined : TRIAL_ON_LOOPBACK
  }

  hold(target: ProbeTarget): number {
    if (this.#isClosed || !this.#requests.canSend(target)) return NO_SLOT
    // The request carries the ACK of the handshake: one packet, and one wake-up of the target, less.
    const slot = this.#targets.add(target, true)
    if (slot === NO_SLOT) return NO_SLOT
    if (this.#states.length < this.#targets.room) this.#grow(this.#targets.room)
    this.#requests.add(slot, target)
    this.#results.forget(slot)
    this.#kept.add(slot)
    return slot
  }

  release(slot: number): void {
    if (this.#kept.has(slot)) this.#endKept(slot)
    this.#targets.remove(slot)
    this.#requests.remove(slot)
    if (this.#targets.size === 0) this.#connections.closeIdle()
  }

  start(slots: Int32Array, count: number, nowMs: number): void {
    this.#nowMs = nowMs
    this.#times.begin()
    for (let i = 0; i < count; i++) this.#begin(slots[i]!)
  }

  collect(nowMs: number): void {
    this.#nowMs = nowMs
    for (const slot of this.#kept.unused(nowMs)) this.#endKept(slot)
    this.#connections.closeUnused(nowMs)
    if (!this.#connections.settle(nowMs)) return
    for (let count = this.#connections.readEvents(); ; count = this.#connections.readEvents()) {
      for (let i = 0; i < count; i++) {
        const slot = this.#connections.slotAt(i)
        if (slot !== NO_SLOT) this.#look(slot, this.#connections.hasTargetEndedAt(i))
      }
      if (areAllEvents(count)) return
    }
  }

  expire(slot: number, nowMs: number): void {
    this.#nowMs = nowMs
    if (this.#isInFlight(slot)) this.#look(slot, false)
    if (!this.#isInFlight(slot)) return
    const { timeoutMs } = this.#targets.targetOf(slot)
    if (this.#states[slot] === UNCONNECTED)
      return this.#conclude(slot, { reason: 'CONNECT_TIMEOUT', detail: `connecting for ${timeoutMs} ms` })
    const conversation = this.#conversationOf(slot)
    const standing = conversation.standing()
    const detail = `${conversation.phase} for ${timeoutMs} ms`
    this.#conclude(slot, standing ?? { reason: 'RECV_TIMEOUT', detail })
  }

  drop(slot: number): void {
    if (!this.#isInFlight(slot)) return
    this.#requests.endConversation(slot)
    this.#end(slot, BROKEN)
  }

  resultOf(i: number): ProbeResult {
    return this.#results.resultOf(i)
  }

  phasesOf(microseconds: number, slot: number): Phases {
    return this.#times.passedPhasesOf(slot, microseconds)
  }

  /** Probes that are in flight end without a result. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (let slot = 0; slot < this.#targets.room; slot++) {
      this.drop(slot)
      if (this.#kept.has(slot)) this.#endKept(slot)
    }
    this.#connections.close()
  }

  #isInFlight(slot: number): boolean {
    return this.#connections.has(slot) && this.#states[slot] !== KEPT
  }

  #begin(slot: number): void {
    this.#times.start(slot)
    if (this.#kept.wasClosed(slot)) return this.#conclude(slot, IDLE_CLOSED)
    if (!this.#kept.has(slot)) return this.#connect(slot)
    this.#kept.remove(slot)
    this.#connections.resume()
    this.#kept.noteUse(slot, false)
    this.#areReusing[slot] = 1
    this.#sent[slot] = 0
    this.#states[slot] = SENDING
    this.#send(slot)
  }

  #connect(slot: number): void {
    this.#kept.noteUse(slot, true)
    this.#areReusing[slot] = 0
    this.#sent[slot] = 0
    this.#states[slot] = UNCONNECTED
    const failure = this.#isClosed ? ECANCELED : this.#connections.start(slot, this.#nowMs)
    if (failure !== 0) this.#failConnecting(slot, failure)
  }

  #look(slot: number, hasTargetEnded: boolean): void {
    if (this.#states[slot] === KEPT) return this.#lookAtKept(slot)
    if (this.#states[slot] === UNCONNECTED && !this.#hasConnected(slot)) return
    if (this.#states[slot] === SENDING && !this.#send(slot)) return
    this.#read(slot, hasTargetEnded)
  }

  /** Whether it is connected now; where it cannot be any more, the probe ends. */
  #hasConnected(slot: number): boolean {
    const outcome = this.#connections.outcome(slot)
    if (outcome === CONNECTING) return false
    if (outcome !== CONNECTED) {
      this.#failConnecting(slot, -outcome)
      return false
    }
    if (this.#connections.isConnectedToItself(slot, this.#nowMs)) {
      this.#conclude(slot, { reason: 'CONNECT_REFUSED', detail: CONNECTED_TO_ITSELF })
      return false
    }
    this.#times.noteConnected(slot, this.#connections.handshakeMs())
    this.#states[slot] = SENDING
    return true
  }

  /** Sends what is left of the request, as far as there is room. False: nothing can be read on this connection. */
  #send(slot: number): boolean {
    const request = this.#requests.bytesOf(slot)
    const fd = this.#connections.socketOf(slot)
    for (let at = this.#sent[slot]!; at < request.length; at = this.#sent[slot]!) {
      const sent = this.#sockets.send(fd, at === 0 ? request : request.subarray(at))
      if (sent === NOTHING_NOW) return true
      if (sent < 0) {
        // A new connection that was reset before anything was said on it has failed to connect.
        if (at === 0 && this.#areReusing[slot] === 0) this.#failConnecting(slot, -sent)
        else this.#breakOff(slot, 'write', -sent)
        return false
      }
      this.#sent[slot] = at + sent
    }
    this.#states[slot] = READING
    return true
  }

  /** Reads all that is there. */
  #read(slot: number, hasTargetEnded: boolean): void {
    const fd = this.#connections.socketOf(slot)
    for (;;) {
      const count = this.#sockets.read(fd)
      if (count === NOTHING_NOW) return
      if (count < 0) return this.#breakOff(slot, 'read', -count)
      if (count === 0) return this.#endOf(slot)
      this.#times.noteArrival(slot, this.#sockets.arrivedUs)
      // What follows an answer that fills the buffer is not known.
      const canGoOn = count < this.#sockets.received.length
      const answered = hasTargetEnded ? ANSWERED_AND_ENDED : canGoOn ? GOES_ON : ANSWERED
      if (this.#takePlain(slot, count, answered)) return
      const conversation = this.#conversationOf(slot)
      const verdict = conversation.read(this.#sockets.received.subarray(0, count), LINE)
      if (conversation.hasFirstByte) this.#times.noteFirstByte(slot)
      if (verdict === undefined) continue
      const unanswered = hasTargetEnded ? ENDED_BY_TARGET : BROKEN
      return this.#conclude(slot, verdict, conversation.canGoOn ? answered : unanswered, true)
    }
  }

  /** Whether what was received is all of a plain answer, which passes. */
  #takePlain(slot: number, count: number, standing: Standing): boolean {
    const rule = this.#requests.ruleOf(slot)
    if (rule === undefined || this.#requests.begunConversation(slot) !== undefined) return false
    const status = plainStatus(this.#sockets.received, count, rule)
    if (status === NOT_PLAIN || !isExpectedCode(rule.expectedCodes, status)) return false
    this.#times.noteFirstByte(slot)
    this.#end(slot, standing)
    this.#results.addPlain(slot, status)
    return true
  }

  #conversationOf(slot: number): Conversation {
    return this.#requests.conversationOf(slot, this.#targets.targetOf(slot))
  }

  /** The target has ended its side, and nothing is left to be read. */
  #endOf(slot: number): void {
    if (this.#triesAgain(slot, ENDED_BY_TARGET)) return
    this.#conclude(slot, this.#conversationOf(slot).ended('closed'), ENDED_BY_TARGET)
  }

  /** The connection failed once it was established. */
  #breakOff(slot: number, call: 'read' | 'write', errno: number): void {
    if (this.#triesAgain(slot, BROKEN)) return
    const code = getSystemErrorName(-errno)
    const conversation = this.#conversationOf(slot)
    const reason = this.#hosts.reasonOf(code, this.#targets.targetOf(slot))
    if (reason === 'CONNECT_RESET') return this.#conclude(slot, conversation.ended('reset'))
    const standing = conversation.standing()
    const failed = reason === 'CONNECT_TIMEOUT' ? 'RECV_TIMEOUT' : reason
    this.#conclude(slot, standing ?? { reason: failed, detail: `${call} ${code}` })
  }

  /** Makes a probe once more whose kept connection has ended before an answer began. */
  #triesAgain(slot: number, standing: Standing): boolean {
    if (this.#areReusing[slot] === 0) return false
    if (this.#requests.begunConversation(slot)?.hasBegunToAnswer === true) return false
    if (this.#targets.targetOf(slot).reuse?.idleCloseIsFailure === true) return false
    this.#requests.endConversation(slot)
    this.#end(slot, standing)
    this.#connect(slot)
    return true
  }

  /** `failure`: an errno, and what failed (connections.ts). */
  #failConnecting(slot: number, failure: number): void {
    const code = getSystemErrorName(-errnoOf(failure))
    const reason = this.#hosts.reasonOf(code, this.#targets.targetOf(slot))
    this.#times.noteUnconnected(slot)
    this.#conclude(slot, { reason, detail: `${callOf(failure)} ${code}` })
  }

  /** `isAnswered`: by what arrived last. */
  #conclude(slot: number, verdict: Verdict, standing = BROKEN, isAnswered = false): void {
    this.#requests.endConversation(slot)
    if (this.#connections.has(slot)) this.#end(slot, standing)
    this.#results.addVerdict(slot, verdict, isAnswered)
  }

  /** Keeps the connection of a probe that has ended, or ends it as the target says: with an RST, or in order. */
  #end(slot: number, { hasTargetEnded, isComplete, canGoOn }: Standing): void {
    const { close, reuse } = this.#targets.targetOf(slot)
    if (canGoOn && reuse !== undefined && this.#keeps(slot, reuse.freshEvery)) return
    const isReset = this.#states[slot] === UNCONNECTED || close === 'rst'
    const inOrder = isComplete || hasTargetEnded ? 'linger' : 'close'
    this.#connections.end(slot, isReset ? 'reset' : inOrder, hasTargetEnded)
  }

  #keeps(slot: number, freshEvery: number): boolean {
    const unwanted = this.#kept.keep(slot, this.#nowMs, freshEvery)
    if (unwanted === slot) return false
    if (unwanted !== NO_SLOT) this.#endParked(unwanted, BROKEN)
    this.#states[slot] = KEPT
    this.#connections.park()
    return true
  }

  /** Something has happened on a connection that waits: it ends, unless that was before. */
  #lookAtKept(slot: number): void {
    const count = this.#sockets.read(this.#connections.socketOf(slot))
    if (count === NOTHING_NOW) return
    this.#endKept(slot, count === 0 ? ENDED_BY_TARGET : BROKEN)
    const isFailure = this.#targets.targetOf(slot).reuse?.idleCloseIsFailure === true
    if (isFailure && count <= 0) this.#kept.noteClosed(slot)
  }

  #endKept(slot: number, standing = BROKEN): void {
    this.#kept.remove(slot)
    this.#endParked(slot, standing)
  }

  #endParked(slot: number, standing: Standing): void {
    this.#connections.resume()
    this.#end(slot, standing)
    this.#states[slot] = UNCONNECTED
  }

  #grow(room: number): void {
    this.#states = grown(this.#states, new Uint8Array(room))
    this.#sent = grown(this.#sent, new Int32Array(room))
    this.#areReusing = grown(this.#areReusing, new Uint8Array(room))
    this.#results.grow(room)
    this.#kept.grow(room)
    this.#times.grow(room)
  }
}
