/** TCP by system calls, on sockets that are used again (kernel-sockets.ts). tcp.ts says what such a probe means. */
import type { Reason } from '../../domain/result/reasons.ts'
import type { ProbeResult } from '../../domain/result/probe-result.ts'
import type { ProbeTarget } from '../../domain/target/probe-target.ts'
import { type ConnectUser, type KernelSockets, NO_SOCKET } from './kernel-sockets.ts'
import type { Probe } from '../probe.ts'
import { millisecondsSince, result } from '../result.ts'
import type { HostAddresses } from '../socket-errors.ts'
import { CONNECTED_TO_ITSELF } from '../source-ports.ts'

/**
 * What these sockets can do: they end with an RST, leave the source address to the kernel, and stay in their family. Linux
 * makes an IPv6 socket that connects to an IPv4-mapped address one of IPv4 for good (`tcp_v6_connect` of net/ipv6/tcp_ipv6.c),
 * also when it is dissolved: every IPv6 connection that is then tried on it gets no answer.
 */
export function suitsSystemCalls(target: ProbeTarget): boolean {
  return target.sourceAddress === undefined && target.close !== 'fin' && !isMapped(target)
}

/** Whether this may be an IPv4-mapped IPv6 address. */
export function isMapped({ family, address }: Pick<ProbeTarget, 'family' | 'address'>): boolean {
  return family === 6 && MAPPED_BEGINNING.test(address)
}

/** Every spelling of `::ffff:0:0/96` begins so, and few other addresses. */
const MAPPED_BEGINNING = /^[0:]+:ffff:/i

export function makeProbeTcpBySystemCalls(sockets: KernelSockets, hosts: HostAddresses): Probe {
  const parts = { sockets, hosts }
  return (target, done) => {
    const attempt = new SystemCallAttempt(parts, target, done)
    sockets.connect(attempt)
    return (why) => attempt.cancel(why)
  }
}

class SystemCallAttempt implements ConnectUser {
  readonly peer: ProbeTarget
  fd = NO_SOCKET
  isWaiting = true
  readonly #sockets: KernelSockets
  readonly #hosts: HostAddresses
  readonly #done: (result: ProbeResult) => void
  readonly #startedAt = performance.now()

  constructor(
    { sockets, hosts }: { readonly sockets: KernelSockets; readonly hosts: HostAddresses },
    target: ProbeTarget,
    done: (result: ProbeResult) => void,
  ) {
    this.#sockets = sockets
    this.#hosts = hosts
    this.peer = target
    this.#done = done
  }

  connected(handshakeMs: number | undefined, toItself: boolean): void {
    if (toItself) return this.#fail('CONNECT_REFUSED', CONNECTED_TO_ITSELF)
    const connectMs = handshakeMs ?? millisecondsSince(this.#startedAt)
    this.#end(result('PASSED', 'connected', { connectMs, totalMs: connectMs }))
  }

  failed(syscall: string, code: string): void {
    this.#fail(this.#hosts.reasonOf(code, this.peer), `${syscall} ${code}`)
  }

  cancel(why: 'timeout' | 'shutdown'): void {
    if (why === 'timeout') this.#sockets.look(this)
    if (!this.isWaiting) return
    this.#sockets.abandon(this)
    if (why === 'timeout') this.#fail('CONNECT_TIMEOUT', `no answer to SYN within ${this.peer.timeoutMs} ms`)
    else this.#fail('PROBER_STOPPING', 'stopped while connecting')
  }

  #fail(reason: Reason, detail: string): void {
    this.#end(result(reason, detail, { totalMs: millisecondsSince(this.#startedAt) }))
  }

  #end(ended: ProbeResult): void {
    this.isWaiting = false
    this.#done(ended)
  }
}
