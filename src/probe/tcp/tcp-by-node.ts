/** TCP on a `net.Socket`: by public API alone, wherever Node runs. The meaning is told in tcp.ts. */
import type { Reason } from '../../domain/reasons.ts'
import type { ProbeResult, ProbeTarget } from '../../domain/results.ts'
import { CONNECTED_TO_ITSELF, isConnectedToItself } from '../wire/connection.ts'
import type { Probe } from '../probe.ts'
import { millisecondsSince, result } from '../result.ts'
import { reasonOfSocketError } from '../socket-errors.ts'
import { closeSocket, connectSocket, type ProbeSocket, type SocketUser } from '../wire/node-sockets.ts'

/** By public API alone. */
export const probeTcpByNode: Probe = (target, done) => {
  const attempt = new NodeAttempt(target, done)
  return (why) => attempt.cancel(why)
}

class NodeAttempt implements SocketUser {
  readonly #target: ProbeTarget
  readonly #done: (result: ProbeResult) => void
  readonly #startedAt = performance.now()
  readonly #socket: ProbeSocket
  #ended = false

  constructor(target: ProbeTarget, done: (result: ProbeResult) => void) {
    this.#target = target
    this.#done = done
    this.#socket = connectSocket(target, 'silent', this)
  }

  cancel(why: 'timeout' | 'shutdown'): void {
    if (why === 'timeout')
      this.#fail('CONNECT_TIMEOUT', `no answer to SYN within ${this.#target.timeoutMs} ms`)
    else this.#fail('PROBER_STOPPING', 'stopped while connecting')
  }

  onConnect(): void {
    const socket = this.#socket
    if (isConnectedToItself(socket, this.#target)) return this.#fail('CONNECT_REFUSED', CONNECTED_TO_ITSELF)
    this.#ended = true
    const connectMs = millisecondsSince(this.#startedAt)
    closeSocket(socket, this.#target.close === 'fin' ? 'close' : 'reset')
    this.#done(result('PASSED', 'connected', { connectMs, totalMs: connectMs }))
  }

  onError(error: NodeJS.ErrnoException): void {
    this.#fail(
      reasonOfSocketError(error.code, this.#target),
      `${error.syscall ?? 'socket'} ${error.code ?? 'error'}`,
    )
  }

  /** Nothing is read. */
  onData(): void {}

  onEnd(): void {}

  #fail(reason: Reason, detail: string): void {
    if (this.#ended) return
    this.#ended = true
    closeSocket(this.#socket, 'close')
    this.#done(result(reason, detail, { totalMs: millisecondsSince(this.#startedAt) }))
  }
}
