/**
 * What differs between the raw sockets of IPv4 and of IPv6: what a received packet begins with, where addresses are, who
 * computes the checksum of TCP, and what an ICMP error means (net/ipv4/icmp.c icmp_err_convert, net/ipv6/icmp.c
 * tab_unreach: the errno that `connect` would give).
 */
import { constants } from 'node:os'
import type { SocketOption } from './socket-option.ts'

const { ENETUNREACH, EHOSTUNREACH, ENOPROTOOPT, ECONNREFUSED, EMSGSIZE, EOPNOTSUPP, EACCES, EPROTO } =
  constants.errno
const EHOSTDOWN = 112
const ENONET = 64

export interface IpFamily {
  readonly version: 4 | 6
  readonly af: number
  readonly icmpProtocol: number
  /** Words of an address, and where it is in a socket address: bytes. */
  readonly words: number
  readonly addressAt: number
  readonly nameLength: number
  /** Largest segment that is offered (RFC 9293 section 3.7.1): what an Ethernet carries. */
  readonly mss: number
  /** Level, type and length of struct in_pktinfo / in6_pktinfo as a control message, and where the source is in it. */
  readonly packetInfo: {
    readonly level: number
    readonly type: number
    readonly bytes: number
    readonly at: number
  }
  /** Types of ICMP errors, of which `errnoOf` says what they mean. */
  readonly icmpErrors: readonly number[]
  /** With which a raw ICMP socket receives messages of these types only. */
  icmpFilter(types: readonly number[]): SocketOption
  /** Bytes of the IP header before TCP or ICMP in a packet received, and before TCP in one that an error quotes. */
  headerBytes(packet: DataView, at: number): number
  quotedHeaderBytes(packet: DataView, at: number): number
  /** Where the destination is in a quoted IP header. */
  readonly quotedDestinationAt: number
  /** The errno of an ICMP error; 0 = it says nothing about a connection. */
  errnoOf(type: number, code: number): number
}

const CODES4: readonly number[] = [
  ENETUNREACH,
  EHOSTUNREACH,
  ENOPROTOOPT,
  ECONNREFUSED,
  EMSGSIZE,
  EOPNOTSUPP,
  ENETUNREACH,
  EHOSTDOWN,
  ENONET,
  ENETUNREACH,
  EHOSTUNREACH,
  ENETUNREACH,
  EHOSTUNREACH,
  EHOSTUNREACH,
  EHOSTUNREACH,
  EHOSTUNREACH,
]
const UNREACHABLE4 = 3
const TIME_EXCEEDED4 = 11
const PARAMETER_PROBLEM4 = 12
const FRAGMENTATION_NEEDED = 4

const CODES6: readonly number[] = [
  ENETUNREACH,
  EACCES,
  EHOSTUNREACH,
  EHOSTUNREACH,
  ECONNREFUSED,
  EACCES,
  EACCES,
]
const UNREACHABLE6 = 1
const TIME_EXCEEDED6 = 3
const PARAMETER_PROBLEM6 = 4

const ICMP_FILTER = 1

/** 32 bits for the types of IPv4, 256 for those of IPv6, in words of the host's order; set = not received. */
function icmpFilter(level: number, types: readonly number[], words: number): SocketOption {
  const mask = new Uint32Array(words).fill(0xffff_ffff)
  for (const type of types) mask[type >> 5]! &= ~(1 << (type & 31))
  return { level, option: ICMP_FILTER, value: new Uint8Array(mask.buffer), name: 'ICMP_FILTER' }
}

function headerBytes4(packet: DataView, at: number): number {
  return (packet.getUint8(at) & 0x0f) * 4
}

export const IPV4: IpFamily = {
  version: 4,
  af: 2,
  icmpProtocol: 1,
  words: 1,
  addressAt: 4,
  nameLength: 16,
  mss: 1460,
  packetInfo: { level: 0, type: 8, bytes: 12, at: 4 },
  icmpErrors: [UNREACHABLE4, TIME_EXCEEDED4, PARAMETER_PROBLEM4],
  icmpFilter: (types) => icmpFilter(255, types, 1),
  headerBytes: headerBytes4,
  quotedHeaderBytes: headerBytes4,
  quotedDestinationAt: 16,
  errnoOf: (type, code) => {
    if (type === UNREACHABLE4) return code === FRAGMENTATION_NEEDED ? 0 : (CODES4[code] ?? 0)
    if (type === TIME_EXCEEDED4) return EHOSTUNREACH
    return type === PARAMETER_PROBLEM4 ? EPROTO : 0
  },
}

export const IPV6: IpFamily = {
  version: 6,
  af: 10,
  icmpProtocol: 58,
  words: 4,
  addressAt: 8,
  nameLength: 28,
  mss: 1440,
  packetInfo: { level: 41, type: 50, bytes: 20, at: 0 },
  icmpErrors: [UNREACHABLE6, TIME_EXCEEDED6, PARAMETER_PROBLEM6],
  icmpFilter: (types) => icmpFilter(58, types, 8),
  headerBytes: () => 0,
  quotedHeaderBytes: () => 40,
  quotedDestinationAt: 24,
  errnoOf: (type, code) => {
    if (type === UNREACHABLE6) return CODES6[code] ?? EPROTO
    if (type === TIME_EXCEEDED6) return EHOSTUNREACH
    return type === PARAMETER_PROBLEM6 ? EPROTO : 0
  },
}
