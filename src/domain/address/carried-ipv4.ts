/**
 * IPv6 addresses that carry an IPv4 one: somewhere on the way a host or gateway takes it out again and sends to it. A policy
 * that sees only the outer address lets through what it denies.
 *
 * | address | form | source |
 * |---|---|---|
 * | IPv4-mapped | `::ffff:a.b.c.d` | RFC 4291 section 2.5.5.2 |
 * | IPv4-compatible | `::a.b.c.d` | RFC 4291 section 2.5.5.1 |
 * | IPv4-translated | `::ffff:0:a.b.c.d` | RFC 2765 section 2.1 |
 * | NAT64, well-known prefix | `64:ff9b::a.b.c.d` | RFC 6052 section 2.1 |
 * | NAT64, local prefix | in 64:ff9b:1::/48, at one of four places | RFC 8215; RFC 6052 section 2.2 |
 * | 6to4 | `2002:abcd:efgh::` | RFC 3056 section 2 |
 * | Teredo | in 2001::/32: the server, and the client with all bits inverted | RFC 4380 section 4 |
 * | ISATAP | interface identifier 0:5efe:a.b.c.d or 200:5efe:a.b.c.d | RFC 5214 section 6.1 |
 */
import { formatAddress, type IpAddress, isInRange, parseCidr } from './ip-address.ts'

export interface Carried {
  readonly address: IpAddress
  /**
   * The outer address is only another spelling of this one, or the route to it: a list that allows one means the other.
   * False where any IPv6 host can have an address of that form.
   */
  readonly isSame: boolean
}

const THROUGHOUT = [
  { range: parseCidr('::ffff:0:0/96'), places: [[12, 13, 14, 15]] },
  { range: parseCidr('::ffff:0:0:0/96'), places: [[12, 13, 14, 15]] },
  { range: parseCidr('64:ff9b::/96'), places: [[12, 13, 14, 15]] },
  {
    range: parseCidr('64:ff9b:1::/48'),
    // Of a prefix of 96, 64, 56 and 48 bits; byte 8 is left out.
    places: [
      [12, 13, 14, 15],
      [9, 10, 11, 12],
      [7, 9, 10, 11],
      [6, 7, 9, 10],
    ],
  },
  { range: parseCidr('2002::/16'), places: [[2, 3, 4, 5]] },
  { range: parseCidr('::/96'), places: [[12, 13, 14, 15]] },
] as const
const TEREDO = parseCidr('2001::/32')

/** The IPv4 addresses that an address carries, judged by its form; none for IPv4, `::` and `::1`. */
export function carriedIpv4(address: IpAddress): readonly Carried[] {
  const { family, bytes, canonical } = address
  if (family === 4 || canonical === '::' || canonical === '::1') return []
  const carrier = THROUGHOUT.find(({ range }) => isInRange(address, range))
  const same = carrier === undefined ? [] : likely(carrier.places.map((place) => ipv4(bytes, place)))
  const look = isInRange(address, TEREDO) ? teredo(bytes) : isIsatap(bytes) ? [ipv4(bytes, LAST)] : []
  return [
    ...same.map((found) => ({ address: found, isSame: true })),
    ...look.map((found) => ({ address: found, isSame: false })),
  ]
}

const LAST = [12, 13, 14, 15] as const

/**
 * Where several places are possible, what begins with a zero is the padding of another one; when all do, the last four
 * bytes are meant.
 */
function likely(found: readonly IpAddress[]): readonly IpAddress[] {
  const sure = found.filter(({ bytes }) => bytes[0] !== 0)
  return sure.length > 0 ? sure : found.slice(0, 1)
}

function teredo(bytes: readonly number[]): readonly IpAddress[] {
  const client = bytes.map((byte) => byte ^ 0xff)
  return [ipv4(client, LAST), ipv4(bytes, [4, 5, 6, 7])]
}

function isIsatap(bytes: readonly number[]): boolean {
  // The universal bit (2) may be set or not.
  return ((bytes[8] ?? 0) & 0xfd) === 0 && bytes[9] === 0 && bytes[10] === 0x5e && bytes[11] === 0xfe
}

function ipv4(bytes: readonly number[], places: readonly number[]): IpAddress {
  const found = places.map((place) => bytes[place] ?? 0)
  return { family: 4, bytes: found, canonical: formatAddress(found) }
}
