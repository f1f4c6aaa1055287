/**
 * A session of BFD in asynchronous mode: what it sends and when, and what it makes of packets and of silence. It has neither
 * sockets nor clocks: the caller gives packets, the monotonic time in milliseconds, and random numbers. It has no demand
 * mode of its own, no echo packets and no authentication.
 */
import { type BfdState, type ControlPacket, DIAGNOSTIC } from './packet.ts'
import { onReceived, onSilence, type Transition } from './transition.ts'

/** Intervals are microseconds. */
export interface BfdTimers {
  /** The shortest interval in which we want to send. */
  readonly minTxUs: number
  /** The shortest interval in which we can receive. */
  readonly minRxUs: number
  /** 1 to 255: so many packets of ours may be lost before the peer gives up. */
  readonly multiplier: number
}

export interface BfdSessionOptions {
  readonly timers: BfdTimers
  /** Not 0, and no other session's of this host. */
  readonly discriminator: number
  /** Sends nothing before the peer has sent something (docs/peers/bfd.md 4). */
  readonly isPassive?: boolean
  /** From 0 to below 1. */
  readonly random: () => number
}

/** A change of the state of a session. */
export interface BfdChange {
  readonly from: BfdState
  readonly to: BfdState
  /** Ours; BFD_DIAGNOSTICS has the names. */
  readonly diagnostic: number
  /** What the peer said last; AdminDown is no failure of the path (RFC 5882 section 3.2). */
  readonly remoteState: BfdState
  readonly remoteDiagnostic: number
  /** We have sent nothing for longer than the peer waits: that it gave us up is no failure of its own (docs/peers/bfd.md 7). */
  readonly isOwnStall: boolean
}

/** While a session is not Up, no packet is sent more often (docs/peers/bfd.md 3). */
export const SLOW_TX_US = 1_000_000
/** As a session begins: the peer may be sent to as often as we like (RFC 5880 section 6.8.1). */
const REMOTE_MIN_RX_AT_FIRST_US = 1
/** Parts of the interval by which a packet is sent earlier, at random (docs/peers/bfd.md 4). */
const JITTER_MAX = 0.25
/** With a multiplier of 1 a packet may not be sent later than at 90 %, or the peer would give up without any loss. */
const JITTER_MIN_ALONE = 0.1

export class BfdSession {
  readonly discriminator: number
  readonly #isPassive: boolean
  readonly #random: () => number
  #timers: BfdTimers
  #state: BfdState = 'Down'
  #diagnostic: number = DIAGNOSTIC.none
  #remoteState: BfdState = 'Down'
  #remoteDiagnostic: number = DIAGNOSTIC.none
  #remoteDiscriminator = 0
  #remoteMinRxUs = REMOTE_MIN_RX_AT_FIRST_US
  #remoteMinTxUs = 0
  #remoteMultiplier = 0
  #isRemoteDemanding = false
  /** What holds until the peer has answered the poll: the longer of old and new. */
  #txInUseUs: number
  #rxInUseUs: number
  #isPolling = false
  /** The timers have changed since the packet with the poll was sent first: another poll follows. */
  #isPollStale = false
  #lastSentMs: number
  #nextSendMs: number
  #expiresMs = Infinity
  /** Until then, that the peer gives us up is our own stall. */
  #ownStallUntilMs = -Infinity

  constructor({ timers, discriminator, isPassive = false, random }: BfdSessionOptions, nowMs: number) {
    this.#timers = timers
    this.discriminator = discriminator
    this.#isPassive = isPassive
    this.#random = random
    this.#txInUseUs = slowTxUs(timers)
    this.#rxInUseUs = timers.minRxUs
    this.#lastSentMs = nowMs
    this.#nextSendMs = nowMs
  }

  get state(): BfdState {
    return this.#state
  }

  /** 0 = the peer is not known. */
  get remoteDiscriminator(): number {
    return this.#remoteDiscriminator
  }

  /** Milliseconds without a packet after which the session is down; 0 before the first packet. */
  get detectionMs(): number {
    return (this.#remoteMultiplier * Math.max(this.#rxInUseUs, this.#remoteMinTxUs)) / 1000
  }

  /** Microseconds between two packets of ours, before the random part is taken off. */
  get txIntervalUs(): number {
    return Math.max(this.#txInUseUs, this.#remoteMinRxUs)
  }

  /** When the next packet is due; Infinity = none is. */
  get nextSendMs(): number {
    return this.#mayNotSend() ? Infinity : this.#nextSendMs
  }

  /** When the detection time ends; Infinity = nothing has come yet. */
  get expiresMs(): number {
    return this.#expiresMs
  }

  /** The packet that is due. */
  send(nowMs: number): ControlPacket {
    this.#noteOwnStall(nowMs)
    this.#lastSentMs = nowMs
    this.#nextSendMs = nowMs + this.#jittered()
    return this.#packet(false)
  }

  /** The answer to a poll of the peer: sent at once, and outside of the schedule. */
  answerPoll(): ControlPacket {
    return this.#packet(true)
  }

  /**
   * A packet for this session that readControlPacket has taken. If it `isPoll`, the caller sends `answerPoll` at once, unless
   * the session is AdminDown. Returns the change of state, if any.
   */
  receive(packet: ControlPacket, nowMs: number): BfdChange | undefined {
    this.#noteOwnStall(nowMs)
    this.#remoteDiscriminator = packet.myDiscriminator
    this.#remoteState = packet.state
    this.#remoteDiagnostic = packet.diagnostic
    this.#isRemoteDemanding = packet.isDemand
    this.#remoteMinTxUs = packet.desiredMinTxUs
    this.#remoteMultiplier = packet.multiplier
    if (packet.requiredMinRxUs !== this.#remoteMinRxUs) {
      this.#remoteMinRxUs = packet.requiredMinRxUs
      this.#reschedule(nowMs)
    }
    if (this.#isPolling && packet.isFinal) this.#endPoll(nowMs)
    if (this.#state === 'AdminDown') return undefined
    const change = this.#apply(onReceived(this.#state, packet.state), nowMs)
    this.#expiresMs = nowMs + this.detectionMs
    return change
  }

  /**
   * The detection time is over. `heardUntilMs`: all packets that had arrived by then were received; a caller that was stalled
   * reads its sockets before it asks. Returns the change of state, if any.
   */
  expire(heardUntilMs: number): BfdChange | undefined {
    if (heardUntilMs < this.#expiresMs) return undefined
    this.#expiresMs = Infinity
    this.#forgetPeer()
    return this.#apply(onSilence(this.#state), heardUntilMs)
  }

  /** Other timers. While the session is up, the peer is asked by a poll before what it does not expect (docs/peers/bfd.md 6). */
  setTimers(timers: BfdTimers, nowMs: number): void {
    const { minTxUs, minRxUs } = this.#timers
    this.#timers = timers
    if (timers.minTxUs === minTxUs && timers.minRxUs === minRxUs) return
    if (this.#state === 'Up') this.#poll(nowMs)
    else this.#useTimersOfNotUp()
  }

  /** AdminDown and back. An AdminDown session goes on sending, so that the peer learns why. */
  setAdmin(isUp: boolean, nowMs: number): BfdChange | undefined {
    if (isUp === (this.#state !== 'AdminDown')) return undefined
    return this.#apply(
      isUp
        ? { state: 'Down', diagnostic: DIAGNOSTIC.none }
        : { state: 'AdminDown', diagnostic: DIAGNOSTIC.adminDown },
      nowMs,
    )
  }

  #apply({ state: to, diagnostic }: Transition, nowMs: number): BfdChange | undefined {
    const from = this.#state
    if (diagnostic !== undefined) this.#diagnostic = diagnostic
    if (to === from) return undefined
    this.#state = to
    if (to === 'Up') {
      this.#diagnostic = DIAGNOSTIC.none
      this.#poll(nowMs)
    } else if (from === 'Up') this.#leaveUp()
    // Between two packets of the schedule, so that the peer sees the change soon (RFC 5880 section 6.8.7).
    this.#nextSendMs = Math.min(this.#nextSendMs, nowMs)
    return {
      from,
      to,
      diagnostic: this.#diagnostic,
      remoteState: this.#remoteState,
      remoteDiagnostic: this.#remoteDiagnostic,
      isOwnStall: this.#isOwnStall(to, nowMs),
    }
  }

  #isOwnStall(to: BfdState, nowMs: number): boolean {
    return to === 'Down' && this.#remoteDiagnostic === DIAGNOSTIC.expired && nowMs < this.#ownStallUntilMs
  }

  /** The peer may have given us up by now, and says so at the latest with the packet after our next one. */
  #noteOwnStall(nowMs: number): void {
    if (this.#state !== 'Up' || this.#mayNotSend()) return
    const waitsMs = this.#peerWaitsMs()
    if (nowMs - this.#lastSentMs > waitsMs) this.#ownStallUntilMs = nowMs + waitsMs
  }

  #leaveUp(): void {
    this.#isPolling = false
    this.#isPollStale = false
    this.#useTimersOfNotUp()
  }

  #useTimersOfNotUp(): void {
    this.#txInUseUs = slowTxUs(this.#timers)
    this.#rxInUseUs = this.#timers.minRxUs
  }

  /** What is faster for both holds at once; what is slower to send, or faster to detect, when the peer has answered. */
  #poll(nowMs: number): void {
    this.#txInUseUs = Math.min(this.#txInUseUs, this.#timers.minTxUs)
    this.#rxInUseUs = Math.max(this.#rxInUseUs, this.#timers.minRxUs)
    this.#isPollStale = this.#isPolling
    this.#isPolling = true
    this.#reschedule(nowMs)
  }

  #endPoll(nowMs: number): void {
    if (this.#isPollStale) {
      // The answer may be to the packet of before: one poll at a time, so the next one begins.
      this.#isPollStale = false
      return
    }
    this.#isPolling = false
    this.#txInUseUs = this.#timers.minTxUs
    this.#rxInUseUs = this.#timers.minRxUs
    this.#reschedule(nowMs)
  }

  /** Another interval holds from the packet that was sent last. */
  #reschedule(nowMs: number): void {
    this.#nextSendMs = Math.max(nowMs, this.#lastSentMs + this.#jittered())
  }

  /** As if the session had just begun (docs/peers/bfd.md 5): another peer may come to this address. */
  #forgetPeer(): void {
    this.#remoteDiscriminator = 0
    this.#remoteState = 'Down'
    this.#remoteMinRxUs = REMOTE_MIN_RX_AT_FIRST_US
    this.#isRemoteDemanding = false
  }

  #mayNotSend(): boolean {
    if (this.#remoteMinRxUs === 0) return true
    if (this.#isPassive && this.#remoteDiscriminator === 0) return true
    return this.#isRemoteDemanding && this.#state === 'Up' && this.#remoteState === 'Up' && !this.#isPolling
  }

  /** Milliseconds; an interval and a random part less (RFC 5880 section 6.8.7). */
  #jittered(): number {
    const least = this.#timers.multiplier === 1 ? JITTER_MIN_ALONE : 0
    const part = least + this.#random() * (JITTER_MAX - least)
    return (this.txIntervalUs * (1 - part)) / 1000
  }

  /** Milliseconds after which the peer gives us up. */
  #peerWaitsMs(): number {
    return (this.#timers.multiplier * this.txIntervalUs) / 1000
  }

  #packet(isFinal: boolean): ControlPacket {
    const { multiplier, minTxUs, minRxUs } = this.#timers
    return {
      state: this.#state,
      diagnostic: this.#diagnostic,
      isPoll: this.#isPolling && !isFinal,
      isFinal,
      isDemand: false,
      multiplier,
      myDiscriminator: this.discriminator,
      yourDiscriminator: this.#remoteDiscriminator,
      desiredMinTxUs: this.#state === 'Up' ? minTxUs : slowTxUs(this.#timers),
      requiredMinRxUs: minRxUs,
    }
  }
}

function slowTxUs({ minTxUs }: BfdTimers): number {
  return Math.max(SLOW_TX_US, minTxUs)
}
