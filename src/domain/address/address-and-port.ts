/** Addresses as URLs write them (RFC 3986 section 3.2.2). */

/** IPv6 in brackets; an IPv4 address, or a name, as it is. */
export function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}

/** `10.0.0.1:80`, `[::1]:80`. */
export function addressAndPort(address: string, port: number): string {
  return `${bracketed(address)}:${port}`
}
