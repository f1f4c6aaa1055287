/**
 * UDP-CONNECT: with `echoFirst` (profile elb) an ICMP echo must be answered; then a datagram is sent from a connected
 * socket. ICMP port unreachable = failed, any reply = passed at once, silence until the deadline = passed (ELB manual, umn
 * health_check). Phases: echo, first byte (the reply).
 *
 * States: echo → opening → sent. The one deadline ends the attempt wherever it is: an echo may use all of it, and what it
 * leaves is the time that silence must last. Where no echo can be sent, that step is skipped and the detail says so.
 *
 * Known doubt: Linux targets limit the rate of port unreachables (net.ipv4.icmp_ratelimit), and firewalls drop them; a
 * dead service then looks alive.
 */
import { createSocket, type Socket } from 'node:dgram'
import { parseAddress } from '../domain/ip-address.ts'
import { UDP_PAYLOAD } from '../domain/limits.ts'
import type { Reason } from '../domain/reasons.ts'
import type { Phases, ProbeResult, ProbeTarget } from '../domain/results.ts'
import { type EchoChannel, type EchoOutcome, echoChannel } from './icmp-echo.ts'
import type { Probe } from './probe.ts'
import { millisecondsSince, result } from './result.ts'
import { reasonOfSocketError } from './socket-errors.ts'

const PAYLOAD = Buffer.from(UDP_PAYLOAD, 'latin1')

/** A UDP-CONNECT prober on `channelOf`'s raw sockets; tests bring their own. */
export function makeProbeUdpConnect(channelOf: (family: 4 | 6) => EchoChannel): Probe {
  return (target, done) => {
    const attempt = new UdpAttempt(target, done)
    const channel = target.echoFirst === true ? channelOf(target.family) : undefined
    if (channel === undefined) attempt.open()
    else if (channel.availability.available) attempt.echo(channel)
    else attempt.skipEcho()
    return (why) => attempt.cancel(why)
  }
}

export const probeUdpConnect: Probe = makeProbeUdpConnect(echoChannel)

/** A target is an address: no resolver, and no sooner than the resolver would answer. */
function withoutLookup(
  address: string,
  options: { readonly family?: unknown } | number,
  callback: (error: null, address: string, family: number) => void,
): void {
  process.nextTick(callback, null, address, typeof options === 'number' ? options : 0)
}

class UdpAttempt {
  readonly #target: ProbeTarget
  readonly #done: (result: ProbeResult) => void
  readonly #startedAt = performance.now()
  #state: 'echo' | 'opening' | 'sent' | 'ended' = 'echo'
  #stopEcho: (() => void) | undefined
  #socket: Socket | undefined
  #echoMs: number | undefined
  #firstByteMs: number | undefined
  #note = ''

  constructor(target: ProbeTarget, done: (result: ProbeResult) => void) {
    this.#target = target
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
    const { family, address, port, sourceAddress } = this.#target
    this.#state = 'opening'
    const socket = createSocket({ type: family === 4 ? 'udp4' : 'udp6', lookup: withoutLookup })
    this.#socket = socket
    socket.on('error', (error: NodeJS.ErrnoException) => this.#onError(error))
    socket.on('connect', () => this.#send(socket))
    socket.on('message', () => this.#onReply(socket))
    if (sourceAddress === undefined) {
      socket.connect(port, address)
    } else {
      // Not at once: a close that waits behind a bind is forgotten when the bind fails.
      socket.once('listening', () => socket.connect(port, address))
      socket.bind({ address: sourceAddress, exclusive: true })
    }
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
      this.#end(reasonOfSocketError(outcome.errno, this.#target), `echo ${outcome.errno}`)
    }
  }

  #send(socket: Socket): void {
    if (this.#state !== 'opening') return
    socket.send(PAYLOAD, (error) => {
      if (error !== null) this.#onError(error)
      else if (this.#state === 'opening') this.#state = 'sent'
    })
  }

  #onReply(socket: Socket): void {
    if (this.#state === 'ended') return
    // A closed port of this host that the kernel also chose as source port answers with our own datagram.
    const local = socket.address()
    if (local.port === this.#target.port && local.address === socket.remoteAddress().address) {
      return this.#end('ICMP_UNREACHABLE', 'nobody listens: connected to itself')
    }
    this.#firstByteMs = millisecondsSince(this.#startedAt)
    this.#end('PASSED', `got a reply${this.#note}`)
  }

  #onError(error: NodeJS.ErrnoException): void {
    const reason = reasonOfSocketError(error.code, this.#target)
    const isIcmp =
      reason === 'CONNECT_REFUSED' || (reason === 'CONNECT_UNREACHABLE' && error.syscall === 'recvmsg')
    const what =
      isIcmp && reason === 'CONNECT_REFUSED'
        ? 'port unreachable'
        : `${error.syscall ?? 'socket'} ${error.code}`
    this.#end(isIcmp ? 'ICMP_UNREACHABLE' : reason, `${what}${this.#note}`)
  }

  #end(reason: Reason, detail: string): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#stopEcho?.()
    this.#socket?.close()
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
