/** The key of a client: an IPv4 address, or the /64 of an IPv6 address, because one client may have a whole /64. */
import { parseAddress } from '../domain/address/ip-address.ts'

/** `address` as it was canonicalised; undefined = the connection is gone. */
export function clientKey(address: string | undefined): string {
  const parsed = address === undefined ? undefined : parseAddress(address)
  if (parsed === undefined) return ''
  return parsed.family === 6
    ? `${Buffer.from(parsed.bytes.slice(0, 8)).toString('hex')}/64`
    : parsed.canonical
}
