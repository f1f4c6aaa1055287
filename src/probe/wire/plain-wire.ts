/** A wire on the sockets of node-sockets.ts: plain TCP without a PROXY header, public API only. */
import type { ProbeTarget } from '../../domain/target/probe-target.ts'
import type { Endpoints } from './proxy-header.ts'
import type { NodeSockets, ProbeSocket, SocketUser } from './node-sockets.ts'
import type { Wire, WireError, WireUser } from './wire.ts'

export class PlainWire implements Wire, SocketUser {
  readonly tls = undefined
  readonly isResumed = false
  readonly certificateProblem = undefined
  readonly #sockets: NodeSockets
  readonly #user: WireUser
  readonly #socket: ProbeSocket
  #isClosed = false

  /** Starts to connect. */
  constructor(sockets: NodeSockets, target: ProbeTarget, user: WireUser) {
    this.#sockets = sockets
    this.#user = user
    this.#socket = sockets.connect(target, 'reading', this)
  }

  get isOpen(): boolean {
    return !this.#isClosed && this.#socket.readable && this.#socket.writable
  }

  get endpoints(): Endpoints {
    return this.#socket
  }

  takeCertificate(): undefined {
    return undefined
  }

  takeSession(): undefined {
    return undefined
  }

  write(bytes: Uint8Array): void {
    if (!this.#isClosed) this.#socket.write(bytes)
  }

  startTls(): void {
    throw new Error('a plain wire has no TLS')
  }

  close(): void {
    this.#end('close')
  }

  reset(): void {
    this.#end('reset')
  }

  onConnect(): void {
    this.#user.onConnect()
  }

  onData(chunk: Buffer): void {
    this.#user.onData(chunk)
  }

  onEnd(): void {
    this.#user.onEnd()
  }

  onError(error: WireError): void {
    this.#user.onError(error)
  }

  /** The socket may be another wire's afterwards. */
  #end(how: 'close' | 'reset'): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#sockets.close(this.#socket, how)
  }
}
