/**
 * A host that answers echo requests in its own way, in a network namespace of a test: `echo-forger.js <4|6> <answer>`.
 * Writes a line when it listens. The kernel there must not answer (net.ipv4.icmp_echo_ignore_all).
 */
import { parseAddress } from '../../src/domain/address/ip-address.ts'
import {
  DESTINATION_UNREACHABLE,
  ECHO_REPLY,
  ECHO_REQUEST,
  ICMP_PROTOCOL,
  internetChecksum,
  withoutIpHeader,
} from '../../src/probe/icmp/icmp-packet.ts'
import { openRawSocket, sendRaw } from '../../src/probe/raw-socket.ts'

/** Answers to one request. `datagram`: the request with the IP header in which it came. */
type Forger = (request: Buffer, datagram: Buffer, family: 4 | 6) => readonly Buffer[]

const HEADER_BYTES = 8
const TIME_EXCEEDED = { 4: 11, 6: 3 } as const

function replyTo(request: Buffer, family: 4 | 6): Buffer {
  const reply = Buffer.from(request)
  reply[0] = ECHO_REPLY[family]
  return reply
}

/** A copy in which a byte is another. */
function changed(packet: Buffer, at: number): Buffer {
  const copy = Buffer.from(packet)
  copy[at] = (copy[at] ?? 0) ^ 0x01
  return copy
}

function errorAbout(type: number, quoted: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type, 1, 0, 0, 0, 0, 0, 0]), quoted])
}

const unreachable = (datagram: Buffer, family: 4 | 6): Buffer =>
  errorAbout(DESTINATION_UNREACHABLE[family], datagram)

/** Where the request is in its datagram, and the last byte of the destination before it. */
const requestAt = (family: 4 | 6): number => (family === 4 ? 20 : 40)

const FORGERS = {
  right: (request, _, family) => [replyTo(request, family)],
  /** Identifier, sequence number, token and random word that are not those of the request; too short, too long. */
  wrong: (request, _, family) => {
    const reply = replyTo(request, family)
    return [
      ...[4, 5, 6, 7, HEADER_BYTES, reply.length - 1].map((at) => changed(reply, at)),
      reply.subarray(0, reply.length - 2),
      Buffer.concat([reply, Buffer.alloc(2)]),
      Buffer.from(request),
    ]
  },
  unreachable: (_, datagram, family) => [unreachable(datagram, family)],
  'unreachable, quoted in short': (_, datagram, family) => [
    unreachable(datagram.subarray(0, requestAt(family) + HEADER_BYTES), family),
  ],
  /** Errors about echoes with another identifier, number or target, about no echo, and of no header. */
  'unreachable, of others': (_, datagram, family) => {
    const at = requestAt(family)
    return [
      ...[at - 1, at, at + 4, at + 5, at + 6, at + 7].map((byte) =>
        unreachable(changed(datagram, byte), family),
      ),
      unreachable(datagram.subarray(0, at + HEADER_BYTES - 1), family),
      unreachable(datagram.subarray(0, at - 1), family),
      unreachable(Buffer.alloc(0), family),
    ]
  },
  'unreachable, with another random word': (_, datagram, family) => [
    unreachable(changed(datagram, datagram.length - 1), family),
  ],
  'time exceeded': (_, datagram, family) => [errorAbout(TIME_EXCEEDED[family], datagram)],
} as const satisfies Record<string, Forger>

export type ForgedAnswer = keyof typeof FORGERS

/** An IPv6 header, which raw sockets do not receive: of this the reader needs protocol and destination. */
function headed(request: Buffer, source: string): Buffer {
  const header = Buffer.alloc(40)
  header[0] = 0x60
  header[6] = ICMP_PROTOCOL[6]
  header.set(parseAddress(source)?.bytes ?? [], 8)
  header.set(parseAddress('fd77::2')?.bytes ?? [], 24)
  return Buffer.concat([header, request])
}

function summed(packet: Buffer, family: 4 | 6): Buffer {
  // The kernel computes that of ICMPv6.
  if (family === 6) return packet
  packet.writeUInt16BE(0, 2)
  const even = packet.length % 2 === 0 ? packet : Buffer.concat([packet, Buffer.alloc(1)])
  packet.writeUInt16BE(internetChecksum(even), 2)
  return packet
}

function forge(family: 4 | 6, how: ForgedAnswer): void {
  const socket = openRawSocket(family, ICMP_PROTOCOL[family])
  socket.on('message', (packet, source) => {
    const request = family === 4 ? withoutIpHeader(4, packet) : packet
    if (request?.[0] !== ECHO_REQUEST[family]) return
    const datagram = family === 4 ? Buffer.from(packet) : headed(request, source)
    for (const answer of FORGERS[how](Buffer.from(request), datagram, family))
      sendRaw(socket, summed(Buffer.from(answer), family), source)
  })
  // A raw socket that nothing refers to is collected as garbage, and closed.
  process.once('exit', () => socket.close())
  process.stdout.write('listening\n')
}

if (process.argv[1]?.endsWith('echo-forger.js') === true)
  forge(process.argv[2] === '6' ? 6 : 4, process.argv[3] as ForgedAnswer)
