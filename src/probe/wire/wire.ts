/** What carries bytes between a probe and its target: a socket of Node's. */
import type { X509Certificate } from 'node:crypto'
import type { Endpoints } from './proxy-header.ts'

/** Gets the events of a wire. No method is called before the wire was made, nor after it was closed. */
export interface WireUser {
  /** TCP is established. */
  onConnect(): void
  /** TLS is established; only for a wire with TLS. */
  onSecure(): void
  /** The bytes are the wire's again afterwards. */
  onData(chunk: Buffer): void
  /** The target sent its FIN. */
  onEnd(): void
  onError(error: WireError): void
}

export type WireError = Pick<NodeJS.ErrnoException, 'code' | 'syscall'>

export interface Wire {
  /** Whether neither side has ended it. */
  readonly isOpen: boolean
  /** Of an established wire. */
  readonly endpoints: Endpoints
  /** Version of TLS, and what ALPN chose; undefined = no TLS. */
  readonly tls: { readonly version: string; readonly alpn: string | undefined } | undefined
  /** Whether its handshake has resumed a session: then the target showed no certificate, and that of Node is of an earlier one. */
  readonly isResumed: boolean
  /** Why the target's certificate is refused, where it is verified. */
  readonly certificateProblem: string | undefined
  /**
   * The target's certificate, of a wire that has just become secure; undefined = it showed none. To be called once: Node 20
   * takes the certificate out of its connection.
   */
  takeCertificate(): X509Certificate | undefined
  /** The session that another connection can resume, of a wire that is secure; undefined = there is none. */
  takeSession(): Buffer | undefined
  write(bytes: Uint8Array): void
  /** Starts the TLS handshake of a wire that first sends something unencrypted (the PROXY header). */
  startTls(): void
  close(): void
  /** Closes with RST. */
  reset(): void
}
