/**
 * The SCTP probes of one family: a raw SCTP socket, which sends INITs and receives the answers, and a raw ICMP socket,
 * which receives the errors of undelivered INITs. All probes of a prober share both, and both are paused while no
 * answer is awaited. An answer counts only if it comes from the address and port that were probed, with the random tag
 * of the INIT.
 */
import { randomInt } from 'node:crypto'
import { type IpAddress, parseAddress } from '../../domain/address/ip-address.ts'
import { ICMP_RECEIVE_BUFFER_BYTES, SCTP_AWAITED_MAX, SCTP_SOURCE_PORT } from '../../domain/limits.ts'
import { DESTINATION_UNREACHABLE, ICMP_PROTOCOL, readUnreachableQuote } from '../icmp/icmp-packet.ts'
import {
  filterIcmp,
  growReceiveBuffer,
  openRawSocket,
  type RawAvailability,
  type RawSocket,
  receiveAll,
  sendRaw,
  unavailable,
} from '../raw-socket.ts'
import {
  IPPROTO_SCTP,
  readQuotedInit,
  readSctp,
  type SctpMessage,
  type SctpPorts,
  writeAbort,
  writeInit,
} from './sctp-packet.ts'

/** How an INIT ended: `errno` is a failure to send. */
export type SctpOutcome =
  | { readonly kind: SctpMessage['kind'] }
  | { readonly kind: 'error'; readonly errno: string }

interface Awaited {
  readonly address: IpAddress
  readonly ports: SctpPorts
  readonly onOutcome: (outcome: SctpOutcome) => void
}

export class SctpChannel {
  readonly availability: RawAvailability
  readonly #family: 4 | 6
  /** By tag. */
  readonly #awaited = new Map<number, Awaited>()
  #sockets: readonly RawSocket[] = []

  constructor(family: 4 | 6, open: typeof openRawSocket = openRawSocket) {
    this.#family = family
    try {
      const sctp = this.#opened(open, IPPROTO_SCTP)
      const icmp = this.#opened(open, ICMP_PROTOCOL[family])
      filterIcmp(icmp, family, [DESTINATION_UNREACHABLE[family]])
      this.#receiveFrom(sctp, (packet) => readSctp(family, packet))
      this.#receiveFrom(icmp, (packet) => {
        const unreachable = readUnreachableQuote(family, packet)
        return unreachable && readQuotedInit(family, unreachable.quoted)
      })
      this.availability = { available: true }
    } catch (error) {
      this.close()
      this.availability = unavailable(error)
    }
  }

  get isOpen(): boolean {
    return this.#sockets.length > 0
  }

  /**
   * Sends one INIT to `address` (of this channel's family) and `port`, and calls `onOutcome` at most once, in a later
   * turn of the event loop. The returned function stops waiting. There is no timeout, and no second INIT.
   */
  send(address: IpAddress, port: number, onOutcome: (outcome: SctpOutcome) => void): () => void {
    const [socket] = this.#sockets
    if (socket === undefined || this.#awaited.size === SCTP_AWAITED_MAX) {
      setImmediate(onOutcome, { kind: 'error', errno: socket === undefined ? 'ECANCELED' : 'ENOBUFS' })
      return () => undefined
    }
    const tag = this.#freeTag()
    const source = randomInt(SCTP_SOURCE_PORT.min, SCTP_SOURCE_PORT.max + 1)
    const ports = { source, destination: port }
    if (this.#awaited.size === 0) for (const each of this.#sockets) each.resumeRecv()
    this.#awaited.set(tag, { address, ports, onOutcome })
    const errno = sendRaw(socket, writeInit(ports, tag), address.canonical)
    if (errno !== undefined) this.#settle(tag, { kind: 'error', errno })
    return () => this.#forget(tag)
  }

  close(): void {
    const sockets = this.#sockets
    this.#sockets = []
    for (const tag of this.#awaited.keys()) this.#settle(tag, { kind: 'error', errno: 'ECANCELED' })
    for (const socket of sockets) socket.close()
  }

  #opened(open: typeof openRawSocket, protocol: number): RawSocket {
    const socket = open(this.#family, protocol)
    this.#sockets = [...this.#sockets, socket]
    growReceiveBuffer(socket, ICMP_RECEIVE_BUFFER_BYTES)
    return socket
  }

  #receiveFrom(socket: RawSocket, read: (packet: Buffer) => SctpMessage | undefined): void {
    receiveAll(
      socket,
      () => this.#awaited.size > 0,
      (packet, from) => this.#receive(read(packet), from),
    )
    socket.on('error', () => undefined)
    socket.on('close', () => this.close())
    socket.pauseRecv()
  }

  #freeTag(): number {
    for (;;) {
      const tag = randomInt(1, 2 ** 32)
      if (!this.#awaited.has(tag)) return tag
    }
  }

  #receive(message: SctpMessage | undefined, from: string): void {
    if (message === undefined) return
    const awaited = this.#awaited.get(message.tag)
    if (awaited === undefined || !isAnswer(message, from, awaited)) return
    this.#settle(message.tag, { kind: message.kind })
    const [socket] = this.#sockets
    if (message.kind !== 'init-ack' || socket === undefined) return
    // The target keeps no state for an INIT without a COOKIE ECHO, so an ABORT that cannot be sent does no harm.
    sendRaw(socket, writeAbort(awaited.ports, message.peerTag), awaited.address.canonical)
  }

  /** In a turn of its own: raw-socket calls us outside of Node's callback scope and swallows what is thrown. */
  #settle(tag: number, outcome: SctpOutcome): void {
    const awaited = this.#awaited.get(tag)
    if (awaited === undefined) return
    this.#forget(tag)
    setImmediate(awaited.onOutcome, outcome)
  }

  #forget(tag: number): void {
    if (!this.#awaited.delete(tag) || this.#awaited.size > 0) return
    for (const socket of this.#sockets) socket.pauseRecv()
  }
}

/** Whether it comes from the target of the INIT; errors may come from any router on the path. */
function isAnswer(message: SctpMessage, from: string, { address, ports }: Awaited): boolean {
  if (message.ports.source !== ports.source || message.ports.destination !== ports.destination) return false
  if (message.kind === 'unreachable') return Buffer.from(address.bytes).equals(message.destination)
  return from === address.canonical || parseAddress(from)?.canonical === address.canonical
}
