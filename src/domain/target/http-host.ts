import { bracketed } from '../address/address-and-port.ts'

/** Key of a monitor's `echo`: the Host header instead of the member's address, while there is no domain name. */
export const HOST_ADDRESS = 'host_address'

/**
 * The Host header of a probe: the monitor's domain name as the user wrote it, else an address, in brackets
 * when it is IPv6, with the port when it is not the scheme's default (RFC 9110 section 7.2).
 */
export function httpHost(target: {
  readonly domainName: string | null
  readonly address: string
  readonly port: number
  readonly defaultPort: 80 | 443
}): string {
  if (target.domainName !== null && target.domainName !== '') return target.domainName
  const address = bracketed(target.address)
  return target.port === target.defaultPort ? address : `${address}:${target.port}`
}
