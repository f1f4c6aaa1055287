/**
 * One connection of a probe, from SYN to close: TCP, then a PROXY protocol header when the target wants one, then TLS.
 * Its `user` gets the events: an attempt during a probe, the pool of idle connections between two probes.
 *
 * States: connecting → handshaking (TLS only) → ready → closed.
 */
import type { LeafCertificate } from '../../domain/result/leaf-certificate.ts'
import type { Reason } from '../../domain/result/reasons.ts'
import type { ProbeTarget } from '../../domain/target/probe-target.ts'
import type { Conversation } from './conversation.ts'
import type { NodeSockets } from './node-sockets.ts'
import { openWire } from './open-wire.ts'
import { proxyHeader } from './proxy-header.ts'
import type { HostAddresses } from '../socket-errors.ts'
import { CONNECTED_TO_ITSELF, isConnectedToItself, type SourcePorts } from '../source-ports.ts'
import { isTlsError, type Security } from '../tls/tls.ts'
import type { LeafCertificates } from '../tls/leaf-certificates.ts'
import type { Handshake } from '../tls/tls-sessions.ts'
import type { Wire, WireError, WireUser } from './wire.ts'

/** The present user of the connection. After `onReady` only `onData`, then one of `onEnd` and `onFailure`. */
export interface ConnectionUser {
  onReady(connection: StreamConnection): void
  /** The bytes are the caller's again afterwards. */
  onData(connection: StreamConnection, chunk: Buffer): void
  /** A connection that was ready is gone: ended by the target's FIN or RST. */
  onEnd(connection: StreamConnection, how: 'closed' | 'reset'): void
  /** The connection never became ready, or failed for another reason than the target's FIN or RST. */
  onFailure(connection: StreamConnection, reason: Reason, detail: string): void
}

/** What all connections share. */
export interface ConnectionParts {
  readonly nodeSockets: NodeSockets
  readonly sourcePorts: SourcePorts
  readonly hostAddresses: HostAddresses
  readonly leafCertificates: LeafCertificates
}

/** What carries a conversation with a target. Made and closed by attempts and by the pool. */
export class StreamConnection implements WireUser {
  readonly target: ProbeTarget
  readonly conversation: Conversation
  user: ConnectionUser
  /** `performance.now()` at which a phase ended; undefined = not yet. */
  connectedAt: number | undefined
  securedAt: number | undefined
  /** What the target showed in the handshake, also where it is refused; undefined too where a session was resumed. */
  certificate: LeafCertificate | undefined
  /** Whether the handshake resumed the session that was offered. */
  wasResumed = false
  isReady = false
  /** Attempts that this connection has served. */
  uses = 0
  /** Of the pool: its place among the idle ones (-1 = not idle), and when it was given back, milliseconds of `performance.now()`. */
  idleIndex = -1
  idleSince = 0
  /** Of the pool: milliseconds between the last two attempts; infinite before the second. */
  gapMs = Number.POSITIVE_INFINITY
  readonly #parts: ConnectionParts
  readonly #secure: Security | undefined
  readonly #wire: Wire

  /** Starts to connect; with `secure`, TLS follows. The user is not called before this has returned. */
  constructor(
    parts: ConnectionParts,
    {
      target,
      conversation,
      secure,
    }: {
      readonly target: ProbeTarget
      readonly conversation: Conversation
      readonly secure: Security | undefined
    },
    user: ConnectionUser,
  ) {
    this.#parts = parts
    this.target = target
    this.conversation = conversation
    this.user = user
    this.#secure = secure
    this.#wire = openWire({ target, secure, sockets: parts.nodeSockets }, this)
  }

  /** Protocol version of TLS, and what ALPN chose; for details and for HTTP/2. */
  get tls(): Wire['tls'] {
    return this.#wire.tls
  }

  /** Whether the session of an earlier connection was offered. */
  get hasOfferedSession(): boolean {
    return this.#secure?.session !== undefined
  }

  /** Its TLS handshake; undefined = there was none, or it is not over. */
  get handshake(): Handshake | undefined {
    if (this.#secure === undefined || this.securedAt === undefined) return undefined
    return {
      context: this.#secure.context,
      atMs: this.securedAt,
      wasOffered: this.hasOfferedSession,
      wasResumed: this.wasResumed,
      notAfter: this.certificate?.notAfter,
      takeSession: () => this.#wire.takeSession(),
    }
  }

  /** Whether another attempt can be made: neither side has ended it. */
  get isUsable(): boolean {
    return this.isReady && this.#wire.isOpen
  }

  write(bytes: Uint8Array): void {
    this.#wire.write(bytes)
  }

  /** Ends the connection now, as the target's `close` says. What the target still sends is answered by the kernel's RST. */
  close(): void {
    this.isReady = false
    if (this.target.close === 'rst' && this.connectedAt !== undefined) this.#wire.reset()
    else this.#wire.close()
  }

  onConnect(): void {
    const { port } = this.target
    if (this.#parts.sourcePorts.includes(port) && isConnectedToItself(port, this.#wire.endpoints)) {
      return this.user.onFailure(this, 'CONNECT_REFUSED', CONNECTED_TO_ITSELF)
    }
    this.connectedAt = performance.now()
    const { proxyProtocol } = this.target
    if (proxyProtocol !== undefined) this.write(proxyHeader(proxyProtocol, this.#wire.endpoints))
    if (this.#secure === undefined) this.#becomeReady()
    else if (proxyProtocol !== undefined) this.#wire.startTls()
  }

  onSecure(): void {
    this.wasResumed = this.#wire.isResumed
    const certificate = this.wasResumed ? undefined : this.#wire.takeCertificate()
    if (certificate !== undefined) this.certificate = this.#parts.leafCertificates.of(certificate)
    const problem = this.#wire.certificateProblem
    if (problem !== undefined) return this.user.onFailure(this, 'TLS_CERTIFICATE', problem)
    this.securedAt = performance.now()
    this.#becomeReady()
  }

  onData(chunk: Buffer): void {
    if (this.isReady) this.user.onData(this, chunk)
  }

  onEnd(): void {
    this.#onGone('closed')
  }

  onError(error: WireError): void {
    const detail = `${error.syscall ?? 'socket'} ${error.code ?? 'error'}`
    if (isTlsError(error)) return this.user.onFailure(this, 'TLS_HANDSHAKE', error.code ?? 'TLS error')
    const reason = this.#parts.hostAddresses.reasonOf(error.code, this.target)
    if (this.connectedAt === undefined) return this.user.onFailure(this, reason, detail)
    if (reason === 'CONNECT_RESET') return this.#onGone('reset')
    if (reason === 'CONNECT_TIMEOUT') {
      return this.user.onFailure(this, this.isReady ? 'RECV_TIMEOUT' : 'TLS_TIMEOUT', detail)
    }
    this.user.onFailure(this, reason, detail)
  }

  #onGone(how: 'closed' | 'reset'): void {
    if (this.isReady) this.user.onEnd(this, how)
    else if (this.#secure !== undefined)
      this.user.onFailure(this, 'TLS_HANDSHAKE', `${how} during the handshake`)
    else this.user.onFailure(this, 'CONNECT_RESET', how)
  }

  #becomeReady(): void {
    this.isReady = true
    this.user.onReady(this)
  }
}
