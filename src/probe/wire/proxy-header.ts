/**
 * The PROXY protocol header that goes before everything else (haproxy.org proxy-protocol.txt): version 1 names the real
 * addresses of the connection, version 2 says LOCAL, "a connection of the proxy itself", as HAProxy's and Envoy's checks do.
 */
import type { Socket } from 'node:net'

const V2_LOCAL = Buffer.from('\r\n\r\n\0\r\nQUIT\n\x20\0\0\0', 'latin1')

export type Endpoints = Pick<Socket, 'localAddress' | 'localPort' | 'remoteAddress' | 'remotePort'>

/** The header for an established connection. */
export function proxyHeader(version: 1 | 2, endpoints: Endpoints): Buffer {
  if (version === 2) return V2_LOCAL
  const { localAddress, localPort, remoteAddress, remotePort } = endpoints
  // The address is not available any more (the target has just reset the connection): UNKNOWN, as in the specification.
  if (localAddress === undefined || remoteAddress === undefined) return Buffer.from('PROXY UNKNOWN\r\n')
  const family = remoteAddress.includes(':') ? 'TCP6' : 'TCP4'
  return Buffer.from(
    `PROXY ${family} ${withoutZone(localAddress)} ${withoutZone(remoteAddress)} ${localPort} ${remotePort}\r\n`,
  )
}

function withoutZone(address: string): string {
  return address.replace(/%.*$/, '')
}
