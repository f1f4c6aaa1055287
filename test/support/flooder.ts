/**
 * A host that floods whoever probes it, in a network namespace of a test: `flooder.js <PING|UDP-CONNECT|TCP> <4|6> <address>
 * <port>`. It sends what passes for an answer to its prober (echo replies, datagrams to the ports that probes came from,
 * SYN-ACKs) without end: some 4 000 packets a second, until its standard input ends, for LASTS_MS at most. Writes a line
 * when it listens.
 */
import { createSocket } from 'node:dgram'
import { parseAddress } from '../../src/domain/address/ip-address.ts'
import {
  ECHO_REPLY,
  ECHO_REQUEST,
  ICMP_PROTOCOL,
  internetChecksum,
  withoutIpHeader,
} from '../../src/probe/icmp/icmp-packet.ts'
import { openRawSocket, type RawSocket, sendRaw } from '../../src/probe/raw-socket.ts'

const LASTS_MS = 60_000
const PACKETS_PER_TURN = 4
const TURN_MS = 1
/** Source ports of probes that are remembered: sockets of UDP probes change every second. */
const PORTS = 8
const IPPROTO_TCP = 6
const SYN = 0x02
const SYN_ACK = 0x12
const SEGMENT_BYTES = 20

interface Own {
  readonly family: 4 | 6
  readonly address: string
  readonly port: number
}

/** Sends one more packet; undefined = nobody has probed this host yet. */
type Send = (() => void) | undefined

/** A raw socket that nothing refers to is collected as garbage, and closed. */
function held(socket: RawSocket): RawSocket {
  process.once('exit', () => socket.close())
  return socket
}

function echoReplies({ family }: Own, onSend: (send: Send) => void): void {
  const socket = held(openRawSocket(family, ICMP_PROTOCOL[family]))
  socket.on('message', (packet, source) => {
    const request = family === 4 ? withoutIpHeader(4, packet) : packet
    if (request?.[0] !== ECHO_REQUEST[family]) return
    const reply = Buffer.from(request)
    reply[0] = ECHO_REPLY[family]
    reply.writeUInt16BE(0, 2)
    // The kernel computes that of ICMPv6.
    if (family === 4) reply.writeUInt16BE(internetChecksum(reply), 2)
    onSend(() => void sendRaw(socket, reply, source))
  })
}

function datagrams({ family, address, port }: Own, onSend: (send: Send) => void): void {
  const ports: number[] = []
  let next = 0
  const socket = createSocket(`udp${family}`).bind(port, address)
  socket.on('message', (_, from) => {
    if (ports.includes(from.port)) return
    ports.unshift(from.port)
    ports.length = Math.min(ports.length, PORTS)
    onSend(() =>
      socket.send('flood', ports[next++ % ports.length] ?? from.port, from.address, () => undefined),
    )
  })
}

function handshakes({ family, address }: Own, onSend: (send: Send) => void): void {
  const socket = held(openRawSocket(family, IPPROTO_TCP))
  socket.on('message', (packet, source) => {
    const syn = family === 4 ? withoutIpHeader(4, packet) : packet
    if (syn === undefined || syn.length < SEGMENT_BYTES || syn[13] !== SYN) return
    const segment = Buffer.alloc(SEGMENT_BYTES)
    segment.writeUInt16BE(syn.readUInt16BE(2), 0)
    segment.writeUInt16BE(syn.readUInt16BE(0), 2)
    segment.writeUInt32BE((syn.readUInt32BE(4) + 1) >>> 0, 8)
    segment[12] = (SEGMENT_BYTES / 4) << 4
    segment[13] = SYN_ACK
    segment.writeUInt16BE(0xffff, 14)
    const pseudo = [...bytesOf(address), ...bytesOf(source), 0, IPPROTO_TCP, 0, SEGMENT_BYTES]
    segment.writeUInt16BE(internetChecksum(Buffer.concat([Buffer.from(pseudo), segment])), 16)
    onSend(() => void sendRaw(socket, segment, source))
  })
}

function bytesOf(address: string): readonly number[] {
  return parseAddress(address)?.bytes ?? []
}

const KINDS = { PING: echoReplies, 'UDP-CONNECT': datagrams, TCP: handshakes } as const

export type FloodKind = keyof typeof KINDS

function flood(kind: FloodKind, own: Own): void {
  let send: Send
  KINDS[kind](own, (found) => {
    send = found
  })
  setInterval(() => {
    if (send !== undefined) for (let i = 0; i < PACKETS_PER_TURN; i++) send()
  }, TURN_MS)
  setTimeout(() => process.exit(), LASTS_MS)
  process.stdin.on('end', () => process.exit()).resume()
  process.stdout.write('listening\n')
}

if (process.argv[1]?.endsWith('flooder.js') === true) {
  const [kind, family, address = '', port] = process.argv.slice(2)
  flood(kind as FloodKind, { family: family === '6' ? 6 : 4, address, port: Number(port) })
}
