/**
 * One connection of a probe, from SYN to close: TCP, then a PROXY protocol header when the target wants one, then TLS.
 * Whoever uses it hears through `user`: an attempt while it lasts, the pool of idle connections in between. The socket's
 * events have one handler each for all connections, so that a connection that waits costs no closure.
 *
 * States: connecting → handshaking (TLS only) → ready → closed.
 */
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Reason } from '../domain/reasons.ts'
import type { ProbeTarget } from '../domain/results.ts'
import { isConnectedToItself, openConnection } from './connection.ts'
import type { Conversation } from './conversation.ts'
import { proxyHeader } from './proxy-header.ts'
import { reasonOfSocketError } from './socket-errors.ts'
import { certificateProblem, isTlsError, openTlsConnection, type SecureContext } from './tls.ts'

/** Who has the connection now. After `onReady` nothing but `onData`, then one of `onEnd` and `onFailure`. */
export interface ConnectionUser {
  onReady(connection: StreamConnection): void
  /** The bytes are the caller's again afterwards. */
  onData(connection: StreamConnection, chunk: Buffer): void
  /** A connection that was ready is gone: ended by the target's FIN or RST. */
  onEnd(connection: StreamConnection, how: 'closed' | 'reset'): void
  /** The connection never became ready, or broke for another reason than the target's ending it. */
  onFailure(connection: StreamConnection, reason: Reason, detail: string): void
}

/** What carries a conversation with a target. Made and closed by attempts and by the pool. */
export class StreamConnection {
  readonly target: ProbeTarget
  readonly conversation: Conversation
  user: ConnectionUser
  /** `performance.now()` at which a phase ended; undefined = not yet. */
  connectedAt: number | undefined
  securedAt: number | undefined
  isReady = false
  /** Attempts that this connection has served. */
  uses = 0
  /** Of the pool: its place among the idle ones (-1 = not idle), and when it was given back, milliseconds of `performance.now()`. */
  idleIndex = -1
  idleSince = 0
  /** Of the pool: milliseconds between the last two attempts; infinite before the second. */
  gapMs = Number.POSITIVE_INFINITY
  readonly #secure: SecureContext | undefined
  /** Whether TLS goes on a socket that is ours: a PROXY header comes before it. */
  readonly #isLayered: boolean
  /** The socket below TLS of a layered connection. */
  #plain: Socket | undefined
  #socket: Socket

  /** Starts to connect; with `secure`, TLS follows. Nothing is told before this returned. */
  constructor(
    target: ProbeTarget,
    conversation: Conversation,
    secure: SecureContext | undefined,
    user: ConnectionUser,
  ) {
    this.target = target
    this.conversation = conversation
    this.user = user
    this.#secure = secure
    this.#isLayered = secure !== undefined && target.proxyProtocol !== undefined
    const socket =
      secure === undefined || this.#isLayered ? openConnection(target) : openTlsConnection(target, secure)
    this.#socket = this.#own(socket)
    socket.on('connect', onConnect)
    if (!this.#isLayered) this.#listen(socket)
  }

  /** Protocol version of TLS, or what ALPN chose; for details and for HTTP/2. */
  get tls(): { readonly version: string; readonly alpn: string | undefined } | undefined {
    if (this.#secure === undefined) return undefined
    const socket = this.#socket as TLSSocket
    return {
      version: socket.getProtocol() ?? 'TLS',
      alpn: typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : undefined,
    }
  }

  /** Whether another attempt can be made: neither side has ended it. */
  get isUsable(): boolean {
    return this.isReady && this.#socket.readable && this.#socket.writable
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  /**
   * Ends the connection now. What the target still sends is answered by the kernel's RST. Below TLS there is no asking for
   * RST: Node 20 crashes (SIGSEGV) when the socket under a TLS socket is reset.
   */
  close(): void {
    this.isReady = false
    const isReset =
      this.target.close === 'rst' && this.#secure === undefined && this.connectedAt !== undefined
    if (isReset && !this.#socket.destroyed) this.#socket.resetAndDestroy()
    this.#socket.destroy()
    this.#plain?.destroy()
  }

  onConnect(): void {
    if (this.connectedAt !== undefined || this.#socket.destroyed) return
    if (isConnectedToItself(this.#socket, this.target)) {
      return this.user.onFailure(this, 'CONNECT_REFUSED', 'nobody listens: connected to itself')
    }
    this.connectedAt = performance.now()
    if (this.target.proxyProtocol !== undefined) {
      // Nagle would hold back what follows the header until the target acknowledged it.
      this.#socket.setNoDelay(true)
      this.#socket.write(proxyHeader(this.target.proxyProtocol, this.#socket))
    }
    if (this.#secure === undefined) this.#becomeReady()
    else if (this.#isLayered) this.#startTls(this.#secure)
  }

  onSecureConnect(): void {
    if (this.#socket.destroyed) return
    const problem = certificateProblem(this.#socket as TLSSocket, this.target)
    if (problem !== undefined) return this.user.onFailure(this, 'TLS_CERTIFICATE', problem)
    this.securedAt = performance.now()
    this.#becomeReady()
  }

  onData(chunk: Buffer): void {
    if (this.isReady) this.user.onData(this, chunk)
  }

  onEnd(how: 'closed' | 'reset'): void {
    if (this.isReady) this.user.onEnd(this, how)
    else if (this.#secure === undefined) this.user.onFailure(this, 'CONNECT_RESET', how)
    else this.user.onFailure(this, 'TLS_HANDSHAKE', `${how} during the handshake`)
  }

  onError(error: NodeJS.ErrnoException): void {
    const detail = `${error.syscall ?? 'socket'} ${error.code ?? 'error'}`
    if (isTlsError(error)) return this.user.onFailure(this, 'TLS_HANDSHAKE', error.code ?? 'TLS error')
    const reason = reasonOfSocketError(error.code, this.target)
    if (this.connectedAt === undefined) return this.user.onFailure(this, reason, detail)
    if (reason === 'CONNECT_RESET') return this.onEnd('reset')
    if (reason === 'CONNECT_TIMEOUT') {
      return this.user.onFailure(this, this.isReady ? 'RECV_TIMEOUT' : 'TLS_TIMEOUT', detail)
    }
    this.user.onFailure(this, reason, detail)
  }

  #becomeReady(): void {
    this.isReady = true
    this.user.onReady(this)
  }

  #startTls(secure: SecureContext): void {
    this.#plain = this.#socket
    this.#socket = this.#own(openTlsConnection(this.target, secure, this.#plain))
    this.#listen(this.#socket)
  }

  #listen(socket: Socket): void {
    if (this.#secure !== undefined) socket.on('secureConnect', onSecureConnect)
    socket.on('data', onData)
    socket.on('end', onEnd)
  }

  #own(socket: Socket): Socket {
    const owned = socket as OwnedSocket
    owned[OWNER] = this
    owned.on('error', onError)
    return owned
  }
}

const OWNER = Symbol('the connection of a socket')
type OwnedSocket = Socket & { [OWNER]: StreamConnection }

function onConnect(this: Socket): void {
  ;(this as OwnedSocket)[OWNER].onConnect()
}
function onSecureConnect(this: Socket): void {
  ;(this as OwnedSocket)[OWNER].onSecureConnect()
}
function onData(this: Socket, chunk: Buffer): void {
  ;(this as OwnedSocket)[OWNER].onData(chunk)
}
function onEnd(this: Socket): void {
  ;(this as OwnedSocket)[OWNER].onEnd('closed')
}
function onError(this: Socket, error: NodeJS.ErrnoException): void {
  ;(this as OwnedSocket)[OWNER].onError(error)
}
