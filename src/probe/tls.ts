/**
 * TLS connections of probes, as HAProxy's `check-ssl verify none`: any certificate, any protocol version and cipher that
 * OpenSSL still speaks. Whether a member's TLS is good is not what a health check is asked.
 */
import { isIP } from 'node:net'
import { type ConnectionOptions, connect, createSecureContext, type TLSSocket } from 'node:tls'
import type { ProbeTarget } from '../domain/results.ts'
import { connectOptions } from './connection.ts'

/** Built once, on first use: it reads OpenSSL's configuration, which costs more than a probe. */
let anyTls: ReturnType<typeof createSecureContext> | undefined

/** Starts to connect and to shake hands: 'connect', then 'secureConnect', or 'error'. */
export function openTlsConnection(target: ProbeTarget): TLSSocket {
  anyTls ??= createSecureContext({ minVersion: 'TLSv1', ciphers: 'DEFAULT:@SECLEVEL=0' })
  const options: ConnectionOptions = {
    ...connectOptions(target),
    secureContext: anyTls,
    rejectUnauthorized: false,
  }
  const servername = serverName(target)
  if (servername !== undefined) options.servername = servername
  return connect(options)
}

/** Server Name Indication: the Host without its port, unless it is an address (RFC 6066 section 3). */
function serverName(target: ProbeTarget): string | undefined {
  const host = target.http?.host?.replace(/:\d+$/, '')
  if (host === undefined || host.startsWith('[') || isIP(host) !== 0) return undefined
  return host
}

/** Whether OpenSSL speaks of the peer: an alert, another protocol, no common version or cipher. */
export function isTlsError(error: NodeJS.ErrnoException): boolean {
  return (
    error.code === 'EPROTO' ||
    error.code?.startsWith('ERR_SSL_') === true ||
    error.code?.startsWith('ERR_TLS_') === true
  )
}
