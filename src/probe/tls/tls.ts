/**
 * TLS on connections of probes: the start of the handshake, and the peer's certificate. The contexts are in
 * tls-contexts.ts.
 */
import { isIP, type Socket } from 'node:net'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import type { ProbeTarget } from '../../domain/target/probe-target.ts'
import { connectOptions } from '../wire/connection.ts'
import { withoutCertificate } from './session-der.ts'
import type { SecureContext } from './tls-contexts.ts'

/** How a connection is secured. */
export interface Security {
  readonly context: SecureContext
  /** The session of an earlier connection, to be resumed; undefined = a whole handshake. */
  readonly session: Buffer | undefined
}

/** Starts to connect and to shake hands, or to shake hands on `plain`: 'connect' (without `plain`), 'secureConnect', 'error'. */
export function openTlsConnection(
  target: ProbeTarget,
  { context: secureContext, session }: Security,
  plain?: Socket,
): TLSSocket {
  const options: ConnectionOptions = {
    ...(plain === undefined ? connectOptions(target) : { socket: plain, host: target.address }),
    secureContext,
    // `certificateProblem` reports faults of a certificate, and only where the monitor verifies.
    rejectUnauthorized: false,
  }
  if (session !== undefined) options.session = session
  const servername = serverName(target)
  if (servername !== undefined) options.servername = servername
  const alpn =
    target.tls?.alpn ?? (target.grpc !== undefined || target.http?.version === '2' ? ['h2'] : undefined)
  if (alpn !== undefined) options.ALPNProtocols = [...alpn]
  return connect(options)
}

/** The session that another connection can resume, of an established one; undefined = the target has given none yet. */
export function sessionOf(socket: TLSSocket): Buffer | undefined {
  // The target sends tickets of TLS 1.3 after the handshake (RFC 8446 section 4.6.1); without one nothing can be resumed.
  if (socket.getProtocol() === 'TLSv1.3' && socket.getTLSTicket() === undefined) return undefined
  const session = socket.getSession()
  // With its certificate a session can be resumed too, but saves less.
  return session && (withoutCertificate(session) ?? session)
}

/** Why the target's certificate is refused; undefined = it is accepted, or not verified. */
export function certificateProblem(socket: TLSSocket, target: ProbeTarget): string | undefined {
  if (target.tls?.verify !== true || socket.authorized) return undefined
  const problem: unknown = socket.authorizationError
  if (typeof problem === 'string') return problem
  return (problem as NodeJS.ErrnoException | undefined)?.code ?? 'not verified'
}

/** Server Name Indication: as the monitor says, else the Host without its port; never an address (RFC 6066 section 3). */
function serverName(target: ProbeTarget): string | undefined {
  const host = target.tls?.serverName ?? (target.http?.host ?? target.grpc?.authority)?.replace(/:\d+$/, '')
  if (host === undefined || host === '' || host.startsWith('[') || isIP(host) !== 0) return undefined
  return host
}

/** Whether an error of OpenSSL is about the peer: an alert, another protocol, no common version or cipher. */
export function isTlsError(error: Pick<NodeJS.ErrnoException, 'code'>): boolean {
  return (
    error.code === 'EPROTO' ||
    error.code?.startsWith('ERR_SSL_') === true ||
    error.code?.startsWith('ERR_TLS_') === true
  )
}
