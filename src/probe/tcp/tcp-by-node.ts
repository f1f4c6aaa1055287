/** TCP on a `net.Socket`: public API only, on every platform of Node. tcp.ts says what such a probe means. */
import type { Reason } from '../../domain/result/reasons.ts'
import type { ProbeResult } from '../../domain/result/probe-result.ts'
import type { ProbeTarget } from '../../domain/target/probe-target.ts'
import type { Probe } from '../probe.ts'
import { millisecondsSince, result } from '../result.ts'
import { CONNECTED_TO_ITSELF, isConnectedToItself } from '../source-ports.ts'
import type { ProbeSocket, SocketUser } from '../wire/node-sockets.ts'
import type { StreamParts } from '../wire/stream-parts.ts'

export type TcpParts = Pick<StreamParts, 'nodeSockets' | 'sourcePorts' | 'hostAddresses'>

export function makeProbeTcpByNode(parts: TcpParts): Probe {
  return (target, done) => {
    const attempt = new NodeAttempt(parts, target, done)
    return (why) => attempt.cancel(why)
  }
}

class NodeAttempt implements SocketUser {
  readonly #parts: TcpParts
  readonly #target: ProbeTarget
  readonly #done: (result: ProbeResult) => void
  readonly #startedAt = performance.now()
  readonly #socket: ProbeSocket
  #ended = false

  constructor(parts: TcpParts, target: ProbeTarget, done: (result: ProbeResult) => void) {
    this.#parts = parts
    this.#target = target
    this.#done = done
    this.#socket = parts.nodeSockets.connect(target, 'silent', this)
  }

  cancel(why: 'timeout' | 'shutdown'): void {
    if (why === 'timeout')
      this.#fail('CONNECT_TIMEOUT', `no answer to SYN within ${this.#target.timeoutMs} ms`)
    else this.#fail('PROBER_STOPPING', 'stopped while connecting')
  }

  onConnect(): void {
    const socket = this.#socket
    const { nodeSockets, sourcePorts } = this.#parts
    const { port, close } = this.#target
    if (sourcePorts.includes(port) && isConnectedToItself(port, socket))
      return this.#fail('CONNECT_REFUSED', CONNECTED_TO_ITSELF)
    this.#ended = true
    const connectMs = millisecondsSince(this.#startedAt)
    nodeSockets.close(socket, close === 'fin' ? 'close' : 'reset')
    this.#done(result('PASSED', 'connected', { connectMs, totalMs: connectMs }))
  }

  onError(error: NodeJS.ErrnoException): void {
    this.#fail(
      this.#parts.hostAddresses.reasonOf(error.code, this.#target),
      `${error.syscall ?? 'socket'} ${error.code ?? 'error'}`,
    )
  }

  /** Nothing is read. */
  onData(): void {}

  onEnd(): void {}

  #fail(reason: Reason, detail: string): void {
    if (this.#ended) return
    this.#ended = true
    this.#parts.nodeSockets.close(this.#socket, 'close')
    this.#done(result(reason, detail, { totalMs: millisecondsSince(this.#startedAt) }))
  }
}
