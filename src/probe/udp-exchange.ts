/**
 * UDP with a payload and a reply of one's own choosing, as keepalived's UDP_CHECK: a datagram is sent from a connected
 * socket. ICMP port unreachable = failed; a reply that begins with the pattern (any reply without one) = passed at once,
 * another reply = failed; silence until the deadline fails where a reply is required, else it passes.
 * Phases: first byte (the reply). With `echoFirst` an ICMP echo must be answered first.
 */
import { createSocket, type Socket } from 'node:dgram'
import { UDP_PAYLOAD } from '../domain/limits.ts'
import type { Reason } from '../domain/reasons.ts'
import type { ProbeResult, ProbeTarget, UdpExchange } from '../domain/results.ts'
import { afterEcho } from './echo-first.ts'
import type { Probe } from './probe.ts'
import { millisecondsSince, result } from './result.ts'
import { reasonOfSocketError } from './socket-errors.ts'

const PAYLOAD = Buffer.from(UDP_PAYLOAD, 'latin1')

const exchangeDatagrams: Probe = (target, done) => {
  const { udp } = target
  if (udp === undefined) throw new TypeError('a UDP exchange says what to send')
  const attempt = new ExchangeAttempt(target, udp, done)
  attempt.open()
  return (why) => attempt.cancel(why)
}

export const probeUdpExchange: Probe = afterEcho(exchangeDatagrams)

/** Whether the reply begins with the pattern; null stands for any byte. */
export function matchesPattern(reply: Uint8Array, pattern: readonly (number | null)[]): boolean {
  return (
    reply.length >= pattern.length && pattern.every((byte, index) => byte === null || byte === reply[index])
  )
}

/** A target is an address: no resolver, and no sooner than the resolver would answer. */
function withoutLookup(
  address: string,
  options: { readonly family?: unknown } | number,
  callback: (error: null, address: string, family: number) => void,
): void {
  process.nextTick(callback, null, address, typeof options === 'number' ? options : 0)
}

class ExchangeAttempt {
  readonly #target: ProbeTarget
  readonly #exchange: UdpExchange
  readonly #done: (result: ProbeResult) => void
  readonly #startedAt = performance.now()
  #socket: Socket | undefined
  #state: 'opening' | 'sent' | 'ended' = 'opening'

  constructor(target: ProbeTarget, exchange: UdpExchange, done: (result: ProbeResult) => void) {
    this.#target = target
    this.#exchange = exchange
    this.#done = done
  }

  open(): void {
    const { family, address, port, sourceAddress } = this.#target
    const socket = createSocket({ type: family === 4 ? 'udp4' : 'udp6', lookup: withoutLookup })
    this.#socket = socket
    socket.on('error', (error: NodeJS.ErrnoException) => this.#onError(error))
    socket.on('connect', () => this.#send(socket))
    socket.on('message', (reply) => this.#onReply(socket, reply))
    if (sourceAddress === undefined) {
      socket.connect(port, address)
    } else {
      // Not at once: a close that waits behind a bind is forgotten when the bind fails.
      socket.once('listening', () => socket.connect(port, address))
      socket.bind({ address: sourceAddress, exclusive: true })
    }
  }

  cancel(why: 'timeout' | 'shutdown'): void {
    if (why === 'shutdown') return this.#end('PROBER_STOPPING', 'stopped while waiting for the target')
    if (this.#state === 'opening') return this.#end('PROBER_OVERLOAD', 'the datagram was not sent in time')
    if (this.#exchange.requireReply) {
      return this.#end('RECV_TIMEOUT', `no reply within ${this.#target.timeoutMs} ms`)
    }
    this.#end('PASSED', 'no reply, no port unreachable')
  }

  #send(socket: Socket): void {
    if (this.#state !== 'opening') return
    socket.send(this.#exchange.payload ?? PAYLOAD, (error) => {
      if (error !== null) this.#onError(error)
      else if (this.#state === 'opening') this.#state = 'sent'
    })
  }

  #onReply(socket: Socket, reply: Buffer): void {
    if (this.#state === 'ended') return
    // A closed port of this host that the kernel also chose as source port answers with our own datagram.
    const local = socket.address()
    if (local.port === this.#target.port && local.address === socket.remoteAddress().address) {
      return this.#end('ICMP_UNREACHABLE', 'nobody listens: connected to itself')
    }
    const { replyPattern } = this.#exchange
    const isGood = replyPattern === undefined || matchesPattern(reply, replyPattern)
    if (isGood) this.#end('PASSED', `got a reply of ${reply.length} bytes`, true)
    else this.#end('BODY_MISMATCH', `got another reply, of ${reply.length} bytes`, true)
  }

  #onError(error: NodeJS.ErrnoException): void {
    const reason = reasonOfSocketError(error.code, this.#target)
    if (reason === 'CONNECT_REFUSED') return this.#end('ICMP_UNREACHABLE', 'port unreachable')
    const isIcmp = reason === 'CONNECT_UNREACHABLE' && error.syscall === 'recvmsg'
    this.#end(isIcmp ? 'ICMP_UNREACHABLE' : reason, `${error.syscall ?? 'socket'} ${error.code}`)
  }

  #end(reason: Reason, detail: string, isReply = false): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#socket?.close()
    const totalMs = millisecondsSince(this.#startedAt)
    this.#done(result(reason, detail, isReply ? { firstByteMs: totalMs, totalMs } : { totalMs }))
  }
}
