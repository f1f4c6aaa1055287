/**
 * UDP-CONNECT: with `echoFirst` (profile elb) an ICMP echo must be answered; then a datagram is sent. ICMP port
 * unreachable = failed, any reply = passed at once, silence until the deadline = passed (ELB manual, umn health_check),
 * unless a reply is required or must begin with certain bytes (keepalived's UDP_CHECK; a reply that may be shorter is
 * compared as far as it goes). Phases: echo, first byte (the reply).
 *
 * A host or network that is unreachable (ICMP codes that may pass) makes silence a failure, if shared sockets receive
 * that error.
 *
 * States: echo → opening → sent. The one deadline ends the attempt wherever it is: an echo may use all of it, and what
 * it leaves is the time that silence must last. Where no echo can be sent, that step is skipped and the detail says so.
 *
 * The datagram goes on a shared socket (udp-lanes.ts) where a raw ICMP socket can be had, else on one of its own.
 *
 * Known doubt: Linux targets limit the rate of port unreachables (net.ipv4.icmp_ratelimit), and firewalls drop them; a
 * dead service then looks alive.
 */
import { parseAddress } from '../../domain/address/ip-address.ts'
import type { Reason } from '../../domain/result/reasons.ts'
import type { Phases, ProbeResult } from '../../domain/result/probe-result.ts'
import type { ProbeTarget } from '../../domain/target/probe-target.ts'
import type { EchoChannel, EchoOutcome } from '../icmp/icmp-echo.ts'
import type { Probe } from '../probe.ts'
import { millisecondsSince, result } from '../result.ts'
import { HostAddresses } from '../socket-errors.ts'
import { CONNECTED_TO_ITSELF } from '../source-ports.ts'
import { datagramTo, isExpectedReply } from './datagrams.ts'
import type { UdpLanes } from './udp-lanes.ts'
import type { DatagramUser } from './udp-socket.ts'
import { UdpSockets } from './udp-sockets.ts'

/** What UDP probes share: a part of the `ProbeRuntime`. */
export interface UdpParts {
  readonly udpSockets: UdpSockets
  readonly hostAddresses: HostAddresses
}

/** The probe of UDP-CONNECT, on `channelOf`'s raw sockets. */
export function makeProbeUdpConnect(
  channelOf: (family: 4 | 6) => EchoChannel,
  parts: UdpParts = { udpSockets: new UdpSockets(), hostAddresses: new HostAddresses() },
): Probe {
  return (target, done) => {
    const channel = channelOf(target.family)
    const { isOpen, availability } = channel
    const lanes = isOpen ? parts.udpSockets.lanesOn(channel) : undefined
    const attempt = new UdpAttempt(parts, lanes, target, done)
    if (target.echoFirst !== true) attempt.open()
    else if (availability.available) attempt.echo(channel)
    else attempt.skipEcho()
    return (why) => attempt.cancel(why)
  }
}

class UdpAttempt implements DatagramUser {
  readonly #parts: UdpParts
  readonly #target: ProbeTarget
  readonly #lanes: UdpLanes | undefined
  readonly #done: (result: ProbeResult) => void
  readonly #startedAt = performance.now()
  #state: 'echo' | 'opening' | 'sent' | 'ended' = 'echo'
  #stopEcho: (() => void) | undefined
  /** Stops waiting for the outcome of the datagram. */
  #stopWaiting: (() => void) | undefined
  #isOnLane = false
  #echoMs: number | undefined
  #firstByteMs: number | undefined
  #isDoubtful = false
  #note = ''

  constructor(
    parts: UdpParts,
    lanes: UdpLanes | undefined,
    target: ProbeTarget,
    done: (result: ProbeResult) => void,
  ) {
    this.#parts = parts
    this.#target = target
    this.#lanes = lanes
    this.#done = done
  }

  echo(channel: EchoChannel): void {
    const address = parseAddress(this.#target.address)
    if (address === undefined)
      throw new TypeError(`${JSON.stringify(this.#target.address)} is not an IP address`)
    this.#stopEcho = channel.send(address, (outcome) => this.#onEcho(outcome))
  }

  skipEcho(): void {
    this.#note = '; echo skipped'
    this.open()
  }

  open(): void {
    this.#state = 'opening'
    const datagram = { target: this.#target, payload: this.#payload, user: this }
    this.#stopWaiting = this.#lanes?.send(datagram)
    this.#isOnLane = this.#stopWaiting !== undefined
    if (!this.#isOnLane) this.#openOwn()
  }

  cancel(why: 'timeout' | 'shutdown'): void {
    if (this.#state === 'ended') return
    if (why === 'shutdown') return this.#end('PROBER_STOPPING', 'stopped while waiting for the target')
    switch (this.#state) {
      case 'echo':
        return this.#end('ICMP_TIMEOUT', `no echo reply within ${this.#target.timeoutMs} ms`)
      case 'opening':
        return this.#end('PROBER_OVERLOAD', 'the datagram was not sent in time')
      case 'sent':
        if (this.#target.udp?.requireReply === true)
          return this.#end('RECV_TIMEOUT', `no reply within ${this.#target.timeoutMs} ms${this.#note}`)
        if (this.#isDoubtful) return this.#end('ICMP_UNREACHABLE', `unreachable, no reply${this.#note}`)
        return this.#end('PASSED', `no reply, no port unreachable${this.#note}`)
    }
  }

  #onEcho(outcome: EchoOutcome): void {
    if (this.#state !== 'echo') return
    if (outcome.kind === 'reply') {
      this.#echoMs = millisecondsSince(this.#startedAt)
      this.open()
    } else if (outcome.kind === 'unreachable') {
      this.#end('ICMP_UNREACHABLE', 'the echo could not be delivered')
    } else {
      this.#end(this.#parts.hostAddresses.reasonOf(outcome.errno, this.#target), `echo ${outcome.errno}`)
    }
  }

  onSent(): void {
    if (this.#state === 'opening') this.#state = 'sent'
  }

  onReply(datagram: Buffer): void {
    if (this.#state === 'ended') return
    this.#firstByteMs = millisecondsSince(this.#startedAt)
    if (isExpectedReply(datagram, datagram.length, this.#target.udp))
      return this.#end('PASSED', `got a reply${this.#note}`)
    this.#end('BODY_MISMATCH', `got another reply than expected${this.#note}`)
  }

  onUnreachable(what: string): void {
    this.#end('ICMP_UNREACHABLE', `${what}${this.#note}`)
  }

  onDoubt(): void {
    this.#isDoubtful = true
  }

  onOwnPort(): void {
    if (!this.#isOnLane) return this.#end('ICMP_UNREACHABLE', CONNECTED_TO_ITSELF)
    if (this.#state !== 'ended') this.#openOwn()
  }

  onFailure(error: NodeJS.ErrnoException): void {
    const reason = this.#parts.hostAddresses.reasonOf(error.code, this.#target)
    this.#end(reason, `${error.syscall ?? 'socket'} ${error.code}${this.#note}`)
  }

  get #payload(): Uint8Array {
    return datagramTo(this.#target)
  }

  #openOwn(): void {
    this.#isOnLane = false
    this.#stopWaiting = this.#parts.udpSockets.sendOnOwn(this.#target, this.#payload, this)
  }

  #end(reason: Reason, detail: string): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#stopEcho?.()
    this.#stopWaiting?.()
    this.#done(result(reason, detail, this.#phases()))
  }

  #phases(): Phases {
    const phases: { echoMs?: number; firstByteMs?: number; totalMs: number } = {
      totalMs: millisecondsSince(this.#startedAt),
    }
    if (this.#echoMs !== undefined) phases.echoMs = this.#echoMs
    if (this.#firstByteMs !== undefined) phases.firstByteMs = this.#firstByteMs
    return phases
  }
}
