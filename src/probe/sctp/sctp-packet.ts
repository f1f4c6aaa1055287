/**
 * The few SCTP packets of a probe (RFC 9260): INIT goes out; INIT ACK, ABORT, or an ICMP error that quotes the INIT comes
 * back; ABORT ends what the INIT ACK began. As raw sockets give and take them: IPv4 sockets deliver the IP header too.
 */
import { withoutIpHeader } from '../icmp/icmp-packet.ts'

/** IP protocol number. */
export const IPPROTO_SCTP = 132

const COMMON_HEADER_BYTES = 12
const CHUNK_HEADER_BYTES = 4
const INIT_CHUNK_BYTES = 20
const CHECKSUM_AT = 8
/** Where the initiate tag of an INIT or INIT ACK is, which must be the first chunk of its packet. */
const INITIATE_TAG_AT = COMMON_HEADER_BYTES + CHUNK_HEADER_BYTES
const INITIATE_TAG_END = INITIATE_TAG_AT + 4

const CHUNK = { init: 1, initAck: 2, abort: 6 } as const

/** Bytes that the target might send at once; RFC 9260 asks for 1500 at least. Nothing is ever sent. */
const RECEIVER_WINDOW_BYTES = 1500
const STREAMS = 1

export interface SctpPorts {
  readonly source: number
  readonly destination: number
}

/** `tag` is ours, 1..2^32−1: whatever the target answers carries it. */
export function writeInit({ source, destination }: SctpPorts, tag: number): Buffer {
  const packet = Buffer.alloc(COMMON_HEADER_BYTES + INIT_CHUNK_BYTES)
  packet.writeUInt16BE(source, 0)
  packet.writeUInt16BE(destination, 2)
  packet.writeUInt8(CHUNK.init, COMMON_HEADER_BYTES)
  packet.writeUInt16BE(INIT_CHUNK_BYTES, COMMON_HEADER_BYTES + 2)
  packet.writeUInt32BE(tag, INITIATE_TAG_AT)
  packet.writeUInt32BE(RECEIVER_WINDOW_BYTES, INITIATE_TAG_END)
  packet.writeUInt16BE(STREAMS, INITIATE_TAG_END + 4)
  packet.writeUInt16BE(STREAMS, INITIATE_TAG_END + 6)
  // The first transmission sequence number may be anything.
  packet.writeUInt32BE(tag, INITIATE_TAG_END + 8)
  return withChecksum(packet)
}

/** ABORT for an association whose INIT ACK had this tag. */
export function writeAbort({ source, destination }: SctpPorts, peerTag: number): Buffer {
  const packet = Buffer.alloc(COMMON_HEADER_BYTES + CHUNK_HEADER_BYTES)
  packet.writeUInt16BE(source, 0)
  packet.writeUInt16BE(destination, 2)
  packet.writeUInt32BE(peerTag, 4)
  packet.writeUInt8(CHUNK.abort, COMMON_HEADER_BYTES)
  packet.writeUInt16BE(CHUNK_HEADER_BYTES, COMMON_HEADER_BYTES + 2)
  return withChecksum(packet)
}

export type SctpMessage = {
  /** The tag that our INIT carried. */
  readonly tag: number
  /** As our INIT had them. */
  readonly ports: SctpPorts
} & (
  | { readonly kind: 'init-ack'; readonly peerTag: number }
  | { readonly kind: 'abort' }
  /** `destination`: bytes of the address that the undeliverable INIT went to. */
  | { readonly kind: 'unreachable'; readonly destination: Buffer }
)

/**
 * A packet from a raw SCTP socket, if it can be an answer to an INIT. Checksums are not looked at: a packet that never
 * left the host has none yet (the kernel leaves it to the hardware, also on loopback and veth), and the tag proves
 * more.
 */
export function readSctp(family: 4 | 6, packet: Buffer): SctpMessage | undefined {
  const sctp = family === 4 ? withoutIpHeader(4, packet) : packet
  if (sctp === undefined || sctp.length < INITIATE_TAG_AT) return undefined
  const ports = { source: sctp.readUInt16BE(2), destination: sctp.readUInt16BE(0) }
  const tag = sctp.readUInt32BE(4)
  const type = sctp[COMMON_HEADER_BYTES]
  if (type === CHUNK.abort) return { kind: 'abort', tag, ports }
  if (type !== CHUNK.initAck || sctp.length < INITIATE_TAG_END) return undefined
  return { kind: 'init-ack', tag, ports, peerTag: sctp.readUInt32BE(INITIATE_TAG_AT) }
}

/** `quoted`: the IP header of our INIT and what an ICMP error repeats of it; too little to hold the tag proves nothing. */
export function readQuotedInit(family: 4 | 6, quoted: Buffer): SctpMessage | undefined {
  const sctp = withoutIpHeader(family, quoted)
  const protocol = quoted[family === 4 ? 9 : 6]
  if (protocol !== IPPROTO_SCTP || sctp === undefined || sctp.length < INITIATE_TAG_END) return undefined
  if (sctp[COMMON_HEADER_BYTES] !== CHUNK.init) return undefined
  return {
    kind: 'unreachable',
    tag: sctp.readUInt32BE(INITIATE_TAG_AT),
    ports: { source: sctp.readUInt16BE(0), destination: sctp.readUInt16BE(2) },
    destination: family === 4 ? quoted.subarray(16, 20) : quoted.subarray(24, 40),
  }
}

/** Puts the checksum into a packet whose field for it is zero. */
export function withChecksum(packet: Buffer): Buffer {
  packet.writeUInt32LE(crc32c(packet), CHECKSUM_AT)
  return packet
}

/** Reflected polynomial of CRC32c (RFC 9260, appendix A). */
const POLYNOMIAL = 0x82f63b78

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
  return crc
})

/** CRC32c; goes into a packet with its lowest byte first. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = (TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}
