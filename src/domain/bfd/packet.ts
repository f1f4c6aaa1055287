/** Control packets of BFD on the wire, without authentication (RFC 5880 section 4.1). */

/** In the order of their numbers. */
export const BFD_STATES = ['AdminDown', 'Down', 'Init', 'Up'] as const
export type BfdState = (typeof BFD_STATES)[number]

/** In the order of their numbers, 0 to 8 (RFC 5880 section 4.1). */
export const BFD_DIAGNOSTICS = [
  'none',
  'detection time expired',
  'echo function failed',
  'neighbor signaled session down',
  'forwarding plane reset',
  'path down',
  'concatenated path down',
  'administratively down',
  'reverse concatenated path down',
] as const
export const DIAGNOSTIC = { none: 0, expired: 1, neighborDown: 3, adminDown: 7 } as const

/** Intervals are microseconds, discriminators are 32 bits. */
export interface ControlPacket {
  readonly state: BfdState
  /** 0 to 31; BFD_DIAGNOSTICS has the names of those that are assigned. */
  readonly diagnostic: number
  readonly isPoll: boolean
  readonly isFinal: boolean
  readonly isDemand: boolean
  /** 1 to 255. */
  readonly multiplier: number
  /** Not 0. */
  readonly myDiscriminator: number
  /** 0 = not known yet. */
  readonly yourDiscriminator: number
  readonly desiredMinTxUs: number
  /** 0 = send nothing. */
  readonly requiredMinRxUs: number
}

/** Why a packet is discarded before its session is looked for (RFC 5880 section 6.8.6, in its order; docs/peers/bfd.md 1). */
export type MalformedPacket =
  | 'VERSION'
  | 'LENGTH'
  | 'MULTIPLIER'
  | 'MULTIPOINT'
  | 'MY_DISCRIMINATOR'
  | 'YOUR_DISCRIMINATOR'
  | 'AUTHENTICATION'

export const CONTROL_PACKET_BYTES = 24
const AUTHENTICATED_MIN_BYTES = 26
const VERSION = 1
const POLL = 0x20
const FINAL = 0x10
const AUTHENTICATION = 0x04
const DEMAND = 0x02
const MULTIPOINT = 0x01

/** Writes the packet at the beginning of `into`, which has at least CONTROL_PACKET_BYTES. Echo packets are never asked for. */
export function writeControlPacket(packet: ControlPacket, into: DataView): void {
  into.setUint8(0, (VERSION << 5) | packet.diagnostic)
  into.setUint8(
    1,
    (BFD_STATES.indexOf(packet.state) << 6) |
      (packet.isPoll ? POLL : 0) |
      (packet.isFinal ? FINAL : 0) |
      (packet.isDemand ? DEMAND : 0),
  )
  into.setUint8(2, packet.multiplier)
  into.setUint8(3, CONTROL_PACKET_BYTES)
  into.setUint32(4, packet.myDiscriminator)
  into.setUint32(8, packet.yourDiscriminator)
  into.setUint32(12, packet.desiredMinTxUs)
  into.setUint32(16, packet.requiredMinRxUs)
  into.setUint32(20, 0)
}

/** The packet in `bytes`, the whole payload of a datagram, or why it is discarded. */
export function readControlPacket(bytes: DataView): ControlPacket | MalformedPacket {
  if (bytes.byteLength < CONTROL_PACKET_BYTES) return 'LENGTH'
  const first = bytes.getUint8(0)
  const flags = bytes.getUint8(1)
  const length = bytes.getUint8(3)
  if (first >> 5 !== VERSION) return 'VERSION'
  const hasAuthentication = (flags & AUTHENTICATION) !== 0
  if (length < (hasAuthentication ? AUTHENTICATED_MIN_BYTES : CONTROL_PACKET_BYTES)) return 'LENGTH'
  if (length > bytes.byteLength) return 'LENGTH'
  const multiplier = bytes.getUint8(2)
  if (multiplier === 0) return 'MULTIPLIER'
  if ((flags & MULTIPOINT) !== 0) return 'MULTIPOINT'
  const myDiscriminator = bytes.getUint32(4)
  if (myDiscriminator === 0) return 'MY_DISCRIMINATOR'
  const yourDiscriminator = bytes.getUint32(8)
  const state = stateOf(flags)
  if (yourDiscriminator === 0 && state !== 'Down' && state !== 'AdminDown') return 'YOUR_DISCRIMINATOR'
  // No session of ours uses authentication.
  if (hasAuthentication) return 'AUTHENTICATION'
  return {
    state,
    diagnostic: first & 0x1f,
    isPoll: (flags & POLL) !== 0,
    isFinal: (flags & FINAL) !== 0,
    isDemand: (flags & DEMAND) !== 0,
    multiplier,
    myDiscriminator,
    yourDiscriminator,
    desiredMinTxUs: bytes.getUint32(12),
    requiredMinRxUs: bytes.getUint32(16),
  }
}

function stateOf(flags: number): BfdState {
  const number = flags >> 6
  return number === 3 ? 'Up' : number === 2 ? 'Init' : number === 1 ? 'Down' : 'AdminDown'
}
