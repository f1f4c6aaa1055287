/** TCP on the handle below `net.Socket`, at about the cost of its system calls (bare-tcp.ts). The meaning is told in tcp.ts. */
import type { Reason } from '../domain/reasons.ts'
import type { ProbeResult, ProbeTarget } from '../domain/results.ts'
import { type BareTcp, type ConnectRequest, errnoName, type SocketName, type TcpHandle } from './bare-tcp.ts'
import { CONNECTED_TO_ITSELF } from './connection.ts'
import type { Probe } from './probe.ts'
import { millisecondsSince, result } from './result.ts'
import { reasonOfSocketError } from './socket-errors.ts'
import { mayBeSourcePort } from './source-ports.ts'

/** On bare handles. */
export function makeProbeTcpByHandle(bare: BareTcp): Probe {
  return (target, done) => {
    const attempt = new HandleAttempt(bare.open(), target, done)
    attempt.start(bare.request())
    return (why) => attempt.cancel(why)
  }
}

class HandleAttempt {
  readonly #handle: TcpHandle
  readonly #target: ProbeTarget
  readonly #done: (result: ProbeResult) => void
  readonly #startedAt = performance.now()
  #ended = false

  constructor(handle: TcpHandle, target: ProbeTarget, done: (result: ProbeResult) => void) {
    this.#handle = handle
    this.#target = target
    this.#done = done
  }

  start(request: ConnectRequest): void {
    const { family, address, port, sourceAddress } = this.#target
    const handle = this.#handle
    if (sourceAddress !== undefined) {
      const status = family === 4 ? handle.bind(sourceAddress, 0) : handle.bind6(sourceAddress, 0, 0)
      if (status !== 0) return this.#refuse('bind', status)
    }
    request.oncomplete = onConnected
    request.attempt = this
    const status =
      family === 4 ? handle.connect(request, address, port) : handle.connect6(request, address, port)
    if (status !== 0) this.#refuse('connect', status)
  }

  cancel(why: 'timeout' | 'shutdown'): void {
    if (why === 'timeout')
      this.#fail('CONNECT_TIMEOUT', `no answer to SYN within ${this.#target.timeoutMs} ms`)
    else this.#fail('PROBER_STOPPING', 'stopped while connecting')
  }

  onConnected(status: number): void {
    if (this.#ended) return
    if (status !== 0) return this.#failWith('connect', status)
    if (this.#isConnectedToItself()) return this.#fail('CONNECT_REFUSED', CONNECTED_TO_ITSELF)
    this.#ended = true
    const connectMs = millisecondsSince(this.#startedAt)
    if (this.#target.close === 'fin') this.#handle.close()
    else this.#handle.reset()
    this.#done(result('PASSED', 'connected', { connectMs, totalMs: connectMs }))
  }

  /** In a turn of its own: `done` is never called before the prober returned. */
  #refuse(syscall: string, status: number): void {
    setImmediate(() => this.#failWith(syscall, status))
  }

  #failWith(syscall: string, status: number): void {
    const code = errnoName(status)
    this.#fail(reasonOfSocketError(code, this.#target), `${syscall} ${code}`)
  }

  #fail(reason: Reason, detail: string): void {
    if (this.#ended) return
    this.#ended = true
    this.#handle.close()
    this.#done(result(reason, detail, { totalMs: millisecondsSince(this.#startedAt) }))
  }

  /** See `isConnectedToItself` of connection.ts: only a port that the kernel itself may choose is looked at. */
  #isConnectedToItself(): boolean {
    const { port, address } = this.#target
    if (!mayBeSourcePort(port)) return false
    const own: SocketName = {}
    return this.#handle.getsockname(own) === 0 && own.port === port && own.address === address
  }
}

function onConnected(this: ConnectRequest, status: number): void {
  ;(this.attempt as HandleAttempt).onConnected(status)
}
