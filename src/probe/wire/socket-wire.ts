/**
 * A wire of `net.Socket` and `tls.TLSSocket`: public API only, and the only wire with TLS or a PROXY header. The events
 * of a socket have one handler each for all sockets, so that a connection that waits costs no closure.
 */
import type { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { ProbeTarget } from '../../domain/target/probe-target.ts'
import { openConnection } from './connection.ts'
import { certificateProblem, openTlsConnection, type Security, sessionOf } from '../tls/tls.ts'
import type { Wire, WireUser } from './wire.ts'

export class SocketWire implements Wire {
  readonly user: WireUser
  isClosed = false
  readonly #target: ProbeTarget
  readonly #secure: Security | undefined
  /** The socket below TLS, where something goes before the handshake. */
  #plain: Socket | undefined
  #socket: Socket

  /** Starts to connect; with `secure`, TLS follows: at once, or with a PROXY header before it when `startTls` is called. */
  constructor(target: ProbeTarget, secure: Security | undefined, user: WireUser) {
    this.user = user
    this.#target = target
    this.#secure = secure
    const isLayered = secure !== undefined && target.proxyProtocol !== undefined
    const socket =
      secure === undefined || isLayered ? openConnection(target) : openTlsConnection(target, secure)
    this.#socket = this.#own(socket)
    socket.on('connect', onConnect)
    // Nagle's algorithm would delay the bytes after the header until the target has acknowledged it.
    if (target.proxyProtocol !== undefined) socket.setNoDelay(true)
    if (!isLayered) this.#listen(socket)
  }

  get isOpen(): boolean {
    return this.#socket.readable && this.#socket.writable
  }

  get endpoints(): Socket {
    return this.#socket
  }

  get tls(): { readonly version: string; readonly alpn: string | undefined } | undefined {
    if (this.#secure === undefined) return undefined
    const socket = this.#socket as TLSSocket
    return {
      version: socket.getProtocol() ?? 'TLS',
      alpn: typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : undefined,
    }
  }

  get certificateProblem(): string | undefined {
    return certificateProblem(this.#socket as TLSSocket, this.#target)
  }

  get isResumed(): boolean {
    return this.#secure?.session !== undefined && (this.#socket as TLSSocket).isSessionReused()
  }

  takeCertificate(): X509Certificate | undefined {
    return this.#secure === undefined ? undefined : (this.#socket as TLSSocket).getPeerX509Certificate()
  }

  takeSession(): Buffer | undefined {
    return this.#secure === undefined ? undefined : sessionOf(this.#socket as TLSSocket)
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  startTls(): void {
    if (this.#secure === undefined) return
    this.#plain = this.#socket
    this.#socket = this.#own(openTlsConnection(this.#target, this.#secure, this.#plain))
    this.#listen(this.#socket)
  }

  close(): void {
    this.isClosed = true
    this.#socket.destroy()
    this.#plain?.destroy()
  }

  /** No RST under TLS: Node 20 crashes (SIGSEGV) when the socket under a TLS socket is reset. */
  reset(): void {
    if (this.#secure === undefined && !this.#socket.destroyed) this.#socket.resetAndDestroy()
    this.close()
  }

  #own(socket: Socket): Socket {
    const owned = socket as OwnedSocket
    owned[OWNER] = this
    owned.on('error', onError)
    return owned
  }

  #listen(socket: Socket): void {
    if (this.#secure !== undefined) socket.on('secureConnect', onSecureConnect)
    socket.on('data', onData)
    socket.on('end', onEnd)
  }
}

const OWNER = Symbol('the wire of a socket')
type OwnedSocket = Socket & { [OWNER]: SocketWire }

function ownerOf(socket: Socket): WireUser | undefined {
  const wire = (socket as OwnedSocket)[OWNER]
  return wire.isClosed ? undefined : wire.user
}
function onConnect(this: Socket): void {
  ownerOf(this)?.onConnect()
}
function onSecureConnect(this: Socket): void {
  ownerOf(this)?.onSecure()
}
function onData(this: Socket, chunk: Buffer): void {
  ownerOf(this)?.onData(chunk)
}
function onEnd(this: Socket): void {
  ownerOf(this)?.onEnd()
}
function onError(this: Socket, error: NodeJS.ErrnoException): void {
  ownerOf(this)?.onError(error)
}
