/**
 * ICMP echo packets (RFC 792, RFC 4443), as raw sockets give and take them: IPv4 sockets deliver the IP header too, IPv6
 * sockets do not, and the kernel computes the ICMPv6 checksum.
 */
export type EchoMessage =
  | { readonly kind: 'reply'; readonly sequence: number }
  /** `destination`: bytes of the address that the unreachable echo request went to. */
  | { readonly kind: 'unreachable'; readonly sequence: number; readonly destination: Buffer }

/** IP protocol numbers. */
export const ICMP_PROTOCOL = { 4: 1, 6: 58 } as const
/** ICMP message types. */
export const ECHO_REPLY = { 4: 0, 6: 129 } as const
export const DESTINATION_UNREACHABLE = { 4: 3, 6: 1 } as const
export const ECHO_REQUEST = { 4: 8, 6: 128 } as const

const HEADER_BYTES = 8
const IPV6_HEADER_BYTES = 40
const TOKEN_BYTES = 8

/** What makes an echo ours: the identifier and the token are random per process. */
export interface EchoIdentity {
  readonly identifier: number
  /** 8 bytes that the target sends back. */
  readonly token: Buffer
}

export function writeEchoRequest(
  family: 4 | 6,
  { identifier, token }: EchoIdentity,
  sequence: number,
): Buffer {
  const packet = Buffer.alloc(HEADER_BYTES + TOKEN_BYTES)
  packet.writeUInt8(ECHO_REQUEST[family], 0)
  packet.writeUInt16BE(identifier, 4)
  packet.writeUInt16BE(sequence, 6)
  token.copy(packet, HEADER_BYTES, 0, TOKEN_BYTES)
  if (family === 4) packet.writeUInt16BE(internetChecksum(packet), 2)
  return packet
}

/** RFC 1071, for an even number of bytes. */
export function internetChecksum(packet: Buffer): number {
  let sum = 0
  for (let i = 0; i < packet.length; i += 2) sum += packet.readUInt16BE(i)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

/** The answer to one of our echoes in `packet`; undefined for every other packet that a raw socket receives. */
export function readEchoMessage(
  family: 4 | 6,
  identity: EchoIdentity,
  packet: Buffer,
): EchoMessage | undefined {
  const icmp = family === 4 ? withoutIpHeader(4, packet) : packet
  if (icmp === undefined || icmp.length < HEADER_BYTES) return undefined
  if (icmp[0] === DESTINATION_UNREACHABLE[family])
    return readUnreachable(family, identity, icmp.subarray(HEADER_BYTES))
  if (icmp[0] !== ECHO_REPLY[family] || icmp.readUInt16BE(4) !== identity.identifier) return undefined
  if (!icmp.subarray(HEADER_BYTES).equals(identity.token)) return undefined
  return { kind: 'reply', sequence: icmp.readUInt16BE(6) }
}

/** `quoted`: the IP header of our request and at least its ICMP header. */
function readUnreachable(family: 4 | 6, identity: EchoIdentity, quoted: Buffer): EchoMessage | undefined {
  const request = withoutIpHeader(family, quoted)
  if (request === undefined || request.length < HEADER_BYTES) return undefined
  if (request[0] !== ECHO_REQUEST[family] || request.readUInt16BE(4) !== identity.identifier) return undefined
  const destination = family === 4 ? quoted.subarray(16, 20) : quoted.subarray(24, 40)
  return { kind: 'unreachable', sequence: request.readUInt16BE(6), destination }
}

/** A datagram that the network or its target's host says it could not deliver. */
export interface UndeliverableDatagram {
  /** Our address (bytes) and port, then those that it was sent to. */
  readonly source: Buffer
  readonly sourcePort: number
  readonly destination: Buffer
  readonly destinationPort: number
  readonly isPortUnreachable: boolean
  /**
   * False where the error may be temporary: a reply is still possible, and without one the probe does not count as
   * silent.
   */
  readonly isFinal: boolean
}

/**
 * Codes that Linux treats as fatal for a connected UDP socket (net/ipv4/icmp.c icmp_err_convert `fatal`,
 * net/ipv6/icmp.c tab_unreach); and codes that may be temporary: no route, host unreachable. In neither list: code 4 of
 * IPv4, a datagram that is too big for the path.
 */
const FINAL_CODES = { 4: new Set([2, 3, 6, 7, 8, 9, 10, 13, 14, 15]), 6: new Set([1, 4, 5, 6]) } as const
const PASSING_CODES = { 4: new Set([0, 1, 5, 11, 12]), 6: new Set([0, 2, 3]) } as const
const PORT_UNREACHABLE = { 4: 3, 6: 4 } as const
const PROTOCOL_UDP = 17

/** What a code of "destination unreachable" means for a datagram; undefined = nothing. */
export function meaningOfUnreachable(
  family: 4 | 6,
  code: number,
): 'port unreachable' | 'unreachable' | 'doubtful' | undefined {
  if (code === PORT_UNREACHABLE[family]) return 'port unreachable'
  if (FINAL_CODES[family].has(code)) return 'unreachable'
  return PASSING_CODES[family].has(code) ? 'doubtful' : undefined
}

/**
 * The undelivered datagram that `packet` reports; undefined for every other packet. The caller looks up whose datagram
 * it is.
 */
export function readUndeliverableDatagram(family: 4 | 6, packet: Buffer): UndeliverableDatagram | undefined {
  const unreachable = readUnreachableQuote(family, packet)
  if (unreachable === undefined) return undefined
  const { code, quoted } = unreachable
  const protocol = quoted[family === 4 ? 9 : 6]
  const meaning = meaningOfUnreachable(family, code)
  if (meaning === undefined || protocol !== PROTOCOL_UDP) return undefined
  const udp = withoutIpHeader(family, quoted)
  if (udp === undefined || udp.length < 4) return undefined
  return {
    source: family === 4 ? quoted.subarray(12, 16) : quoted.subarray(8, 24),
    sourcePort: udp.readUInt16BE(0),
    destination: family === 4 ? quoted.subarray(16, 20) : quoted.subarray(24, 40),
    destinationPort: udp.readUInt16BE(2),
    isPortUnreachable: meaning === 'port unreachable',
    isFinal: meaning !== 'doubtful',
  }
}

/**
 * The code of an ICMP "destination unreachable", and the part of the original packet that it quotes, from the IP header
 * on.
 */
export function readUnreachableQuote(
  family: 4 | 6,
  packet: Buffer,
): { readonly code: number; readonly quoted: Buffer } | undefined {
  const icmp = family === 4 ? withoutIpHeader(4, packet) : packet
  if (icmp?.[0] !== DESTINATION_UNREACHABLE[family] || icmp.length < HEADER_BYTES) return undefined
  return { code: icmp.readUInt8(1), quoted: icmp.subarray(HEADER_BYTES) }
}

/** What is behind the IP header; extension headers of IPv6 are not skipped. */
export function withoutIpHeader(family: 4 | 6, packet: Buffer): Buffer | undefined {
  if (family === 6) return packet.length > IPV6_HEADER_BYTES ? packet.subarray(IPV6_HEADER_BYTES) : undefined
  const first = packet[0] ?? 0
  const headerBytes = (first & 0x0f) * 4
  if (first >> 4 !== 4 || headerBytes < 20 || packet.length < headerBytes) return undefined
  return packet.subarray(headerBytes)
}
