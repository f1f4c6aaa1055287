/** A target that speaks just enough SCTP, on a raw socket: the kernel of the host may have none. */
import { ICMP_RECEIVE_BUFFER_BYTES } from '../../src/domain/limits.ts'
import {
  DESTINATION_UNREACHABLE,
  ICMP_PROTOCOL,
  internetChecksum,
  withoutIpHeader,
} from '../../src/probe/icmp/icmp-packet.ts'
import { growReceiveBuffer, openRawSocket, receiveAll, sendRaw } from '../../src/probe/raw-socket.ts'
import { IPPROTO_SCTP, withChecksum } from '../../src/probe/sctp/sctp-packet.ts'
import type { Ending } from './database.ts'

export type SctpBehaviour = 'acknowledge' | 'abort' | 'unreachable' | 'wrong tag' | 'wrong port' | 'silent'

const PEER_TAG = 0x0a0b0c0d

export interface SctpResponder {
  /** Types of the chunks that came for the port, with the tag of their packet. */
  readonly heard: readonly { readonly type: number; readonly tag: number }[]
}

/** Answers INITs for `port` on every address of the host, and behaves so; it ends with the test. */
export function startSctpResponder(
  t: Ending,
  family: 4 | 6,
  port: number,
  behaviour: SctpBehaviour,
): SctpResponder {
  const heard: { type: number; tag: number }[] = []
  const socket = openRawSocket(family, IPPROTO_SCTP)
  const icmp = openRawSocket(family, ICMP_PROTOCOL[family])
  icmp.pauseRecv()
  growReceiveBuffer(socket, ICMP_RECEIVE_BUFFER_BYTES)
  t.after(() => {
    socket.close()
    icmp.close()
  })
  receiveAll(
    socket,
    () => true,
    (packet, source) => {
      const sctp = family === 4 ? withoutIpHeader(4, packet) : packet
      if (sctp === undefined || sctp.length < 16 || sctp.readUInt16BE(2) !== port) return
      heard.push({ type: sctp[12] ?? 0, tag: sctp.readUInt32BE(4) })
      if (sctp[12] !== 1 || behaviour === 'silent') return
      if (behaviour === 'unreachable') sendRaw(icmp, unreachable(family, packet), source)
      else sendRaw(socket, answerTo(sctp, behaviour), source)
    },
  )
  return { heard }
}

function answerTo(init: Buffer, behaviour: SctpBehaviour): Buffer {
  const header = Buffer.alloc(12)
  header.writeUInt16BE(init.readUInt16BE(2) + (behaviour === 'wrong port' ? 1 : 0), 0)
  header.writeUInt16BE(init.readUInt16BE(0), 2)
  header.writeUInt32BE((init.readUInt32BE(16) ^ (behaviour === 'wrong tag' ? 1 : 0)) >>> 0, 4)
  if (behaviour === 'abort') return withChecksum(Buffer.concat([header, Buffer.from([6, 0, 0, 4])]))
  const chunk = Buffer.alloc(20)
  chunk.set([2, 0, 0, 20])
  chunk.writeUInt32BE(PEER_TAG, 4)
  return withChecksum(Buffer.concat([header, chunk]))
}

/** "Protocol unreachable" (IPv4), "port unreachable" (IPv6), with the packet that it is about. */
function unreachable(family: 4 | 6, packet: Buffer): Buffer {
  const code = family === 4 ? 2 : 4
  const message = Buffer.concat([
    Buffer.from([DESTINATION_UNREACHABLE[family], code, 0, 0, 0, 0, 0, 0]),
    quote(family, packet),
  ])
  if (family === 4) message.writeUInt16BE(internetChecksum(message), 2)
  return message
}

/** IPv6 raw sockets deliver no header: one as the sender wrote it, to ::1. */
function quote(family: 4 | 6, packet: Buffer): Buffer {
  if (family === 4) return packet
  const header = Buffer.alloc(40)
  header.writeUInt8(0x60, 0)
  header.writeUInt8(IPPROTO_SCTP, 6)
  header[39] = 1
  return Buffer.concat([header, packet])
}
