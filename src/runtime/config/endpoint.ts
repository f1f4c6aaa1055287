/** An address and a port, as people write them: `127.0.0.1:80`, `[::1]:80`, and the names of canaries. */
import { addressAndPort } from '../../domain/address/address-and-port.ts'
import { parseAddress } from '../../domain/address/ip-address.ts'
import { HOST_NAME_MAX, PORT } from '../../domain/limits.ts'

/** An address and port to listen on, or to reach. */
export interface Endpoint {
  /** IP literal without brackets; of a canary also a name. */
  readonly host: string
  readonly port: number
}

/** `127.0.0.1:80`, `[::1]:80`. */
export function formatEndpoint({ host, port }: Endpoint): string {
  return addressAndPort(host, port)
}

/** Parses `host:port` and `[v6]:port`; `localhost` is 127.0.0.1. Port 0 lets the kernel choose. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text)
  if (match === null) return undefined
  const port = Number(match[3])
  const address = parseAddress(match[1] ?? (match[2] === 'localhost' ? '127.0.0.1' : (match[2] ?? '')))
  if (address === undefined || port > PORT.max || (match[1] !== undefined) !== (address.family === 6)) {
    return undefined
  }
  return { host: address.canonical, port }
}

/**
 * A name of DNS (RFC 1123 section 2.1): its last label is not a number, so that 10.0.0.256 is an error and not a name.
 */
const NAMED_ENDPOINT =
  /^((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?):(\d{1,5})$/i

/** Parses `name:port`, and what parseEndpoint parses; its port can be reached, so it is not 0. */
export function parseCanary(text: string): Endpoint | undefined {
  const [, host, port] = NAMED_ENDPOINT.exec(text) ?? []
  const endpoint =
    host === undefined || host === 'localhost' ? parseEndpoint(text) : { host, port: Number(port) }
  if (endpoint === undefined || endpoint.port < PORT.min || endpoint.port > PORT.max) return undefined
  return endpoint.host.length <= HOST_NAME_MAX ? endpoint : undefined
}
