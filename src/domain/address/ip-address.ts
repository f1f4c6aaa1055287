/**
 * IP addresses, strictly: four decimal numbers without leading zeros (RFC 6943 section 3.1.1: not `127.1`, not
 * `0177.0.0.1`, not `0x7f000001`), or RFC 4291 section 2.2 text for IPv6 without zone and without brackets. Some C
 * libraries read the refused forms as another address than a person does.
 */
import { DomainError } from '../errors.ts'

export interface IpAddress {
  readonly family: 4 | 6
  /** Network byte order; 4 or 16 numbers 0..255. */
  readonly bytes: readonly number[]
  /** RFC 5952 text: one spelling per address. */
  readonly canonical: string
}

/** A range of addresses; a single address has the full prefix. */
export interface Cidr {
  readonly address: IpAddress
  readonly prefix: number
}

const OCTET = /^(?:0|[1-9]\d{0,2})$/
const GROUP = /^[0-9a-fA-F]{1,4}$/
const IPV4_MAPPED: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]
/** Longer than any address: `ffff:` six times and a dotted quad. */
const TEXT_MAX = 45
const ZEROS: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]

/** The address in `text`; undefined when it is not one, or in a refused form. */
export function parseAddress(text: string): IpAddress | undefined {
  if (text.length > TEXT_MAX) return undefined
  if (text.includes(':')) {
    const bytes = parseIpv6(text)
    return bytes === undefined ? undefined : { family: 6, bytes, canonical: formatIpv6(bytes) }
  }
  const bytes = parseIpv4(text)
  return bytes === undefined ? undefined : { family: 4, bytes, canonical: bytes.join('.') }
}

/** The address that packets to `address` carry: IPv4 for an IPv4-mapped one (RFC 4291 section 2.5.5.2), else its own. */
export function wireAddress(address: IpAddress): IpAddress {
  if (address.family === 4 || !startsWith(address.bytes, IPV4_MAPPED, 96)) return address
  const bytes = address.bytes.slice(12)
  return { family: 4, bytes, canonical: bytes.join('.') }
}

function parseIpv4(text: string): number[] | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  const bytes: number[] = []
  for (const part of parts) {
    const value = Number(part)
    if (!OCTET.test(part) || value > 255) return undefined
    bytes.push(value)
  }
  return bytes
}

function parseIpv6(text: string): number[] | undefined {
  const halves = text.split('::')
  const head = parseGroups(halves[0] ?? '', halves.length === 1)
  if (head === undefined || halves.length > 2) return undefined
  if (halves.length === 1) return head.length === 16 ? head : undefined
  const tail = parseGroups(halves[1] ?? '', true)
  // `::` means at least one group of zeros.
  if (tail === undefined || head.length + tail.length > 14) return undefined
  return [...head, ...ZEROS.slice(head.length + tail.length), ...tail]
}

/** Bytes of groups between colons; the last may be a dotted quad when `endsAddress`. */
function parseGroups(text: string, endsAddress: boolean): number[] | undefined {
  if (text === '') return []
  const bytes: number[] = []
  const groups = text.split(':')
  for (const [index, group] of groups.entries()) {
    if (GROUP.test(group)) {
      const value = Number.parseInt(group, 16)
      bytes.push(value >> 8, value & 0xff)
      continue
    }
    const quad = endsAddress && index === groups.length - 1 ? parseIpv4(group) : undefined
    if (quad === undefined) return undefined
    bytes.push(...quad)
  }
  return bytes
}

/** The canonical text of an address of 4 or 16 bytes. */
export function formatAddress(bytes: readonly number[]): string {
  return bytes.length === 4 ? bytes.join('.') : formatIpv6(bytes)
}

function formatIpv6(bytes: readonly number[]): string {
  if (startsWith(bytes, IPV4_MAPPED, 96)) return `::ffff:${bytes.slice(12).join('.')}`
  const groups: number[] = []
  for (let i = 0; i < 16; i += 2) groups.push(((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0))
  // The longest run of at least two zero groups, the first of equals (RFC 5952 section 4.2).
  let runStart = 0
  let runLength = 1
  for (let start = 0; start < 8; start++) {
    let end = start
    while (end < 8 && groups[end] === 0) end++
    if (end - start > runLength) {
      runStart = start
      runLength = end - start
    }
  }
  const hex = groups.map((group) => group.toString(16))
  if (runLength < 2) return hex.join(':')
  return `${hex.slice(0, runStart).join(':')}::${hex.slice(runStart + runLength).join(':')}`
}

function startsWith(bytes: readonly number[], wanted: readonly number[], bits: number): boolean {
  const whole = bits >> 3
  for (let i = 0; i < whole; i++) if (bytes[i] !== wanted[i]) return false
  const rest = bits & 7
  return rest === 0 || ((bytes[whole] ?? 0) ^ (wanted[whole] ?? 0)) >> (8 - rest) === 0
}

export function isInRange(address: IpAddress, range: Cidr): boolean {
  return (
    address.family === range.address.family && startsWith(address.bytes, range.address.bytes, range.prefix)
  )
}

/** Whether every address of `inner` is in `outer`. */
export function isRangeWithin(inner: Cidr, outer: Cidr): boolean {
  return inner.prefix >= outer.prefix && isInRange(inner.address, outer)
}

/** One range, `address/prefix` or an address alone. Refused as INVALID_FIELD; so are bits set behind the prefix. */
export function parseCidr(text: string): Cidr {
  const slash = text.indexOf('/')
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash))
  if (address === undefined) throw refused(text, 'is not an IP address or address/prefix')
  const bits = address.family === 4 ? 32 : 128
  const prefixText = slash < 0 ? String(bits) : text.slice(slash + 1)
  const prefix = Number(prefixText)
  if (!OCTET.test(prefixText) || prefix > bits) throw refused(text, `needs a prefix of 0..${bits}`)
  const masked = address.bytes.map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, prefix - i * 8))))
  if (masked.some((byte, i) => byte !== address.bytes[i]))
    throw refused(text, 'has bits set behind its prefix')
  return { address, prefix }
}

/** Ranges separated by commas or white space; the empty text is the empty list. Refused as INVALID_FIELD. */
export function parseCidrList(text: string): readonly Cidr[] {
  return text
    .split(/[\s,]+/)
    .filter((item) => item !== '')
    .map(parseCidr)
}

function refused(text: string, why: string): DomainError {
  return new DomainError('INVALID_FIELD', `${JSON.stringify(text)} ${why}`, { value: text })
}
