/**
 * ICMP echo over one raw socket per family and prober, opened on first use. `net-ping` (an optional dependency) opens
 * the socket and nothing else: its own sessions match replies by identifier and sequence alone, keep a timer and three
 * Dates per request, and read one packet per turn of the event loop. At some hundred probes a second that is so late
 * that healthy targets fail. Here a reply counts only if it comes from the address that was probed, with our identifier
 * and token.
 *
 * The socket is paused while no answer is awaited, so that it causes no wake-ups and does not keep the process alive.
 */
import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import { type IpAddress, parseAddress } from '../../domain/address/ip-address.ts'
import { ICMP_RECEIVE_BUFFER_BYTES } from '../../domain/limits.ts'
import {
  DESTINATION_UNREACHABLE,
  ECHO_REPLY,
  type EchoIdentity,
  readEchoMessage,
  readUndeliverableDatagram,
  type UndeliverableDatagram,
  writeEchoRequest,
} from './icmp-packet.ts'
import {
  filterIcmp,
  growReceiveBuffer,
  type RawAvailability,
  type RawSocket,
  receiveAll,
  sendRaw,
  unavailable,
} from '../raw-socket.ts'

export type EchoAvailability = RawAvailability

/** How an echo ended: `errno` is a failure to send. */
export type EchoOutcome =
  | { readonly kind: 'reply' }
  | { readonly kind: 'unreachable' }
  | { readonly kind: 'error'; readonly errno: string }

/** Opens a raw ICMP socket, or throws. */
export type OpenRawSocket = (family: 4 | 6) => RawSocket

interface NetPing {
  readonly NetworkProtocol: { readonly IPv4: number; readonly IPv6: number }
  createSession(options: { readonly networkProtocol: number }): { getSocket(): RawSocket }
}

const require = createRequire(import.meta.url)

function openWithNetPing(family: 4 | 6): RawSocket {
  const netPing = require('net-ping') as NetPing
  const { IPv4, IPv6 } = netPing.NetworkProtocol
  return netPing.createSession({ networkProtocol: family === 4 ? IPv4 : IPv6 }).getSocket()
}

/** Echo sequence numbers have 16 bits. */
const SEQUENCE_NUMBERS = 0x10000

interface Awaited {
  readonly address: IpAddress
  readonly onOutcome: (outcome: EchoOutcome) => void
}

/** The echoes of one family: a raw socket and the answers that are awaited. */
export class EchoChannel {
  readonly availability: EchoAvailability
  readonly #family: 4 | 6
  readonly #identity: EchoIdentity = { identifier: randomBytes(2).readUInt16BE(), token: randomBytes(8) }
  readonly #awaited = new Map<number, Awaited>()
  /** Listeners for undelivered datagrams, by our UDP port (`udpKey`). */
  readonly #udpPorts = new Map<string, (what: UndeliverableDatagram) => void>()
  readonly #onDeaf = new Set<() => void>()
  #socket: RawSocket | undefined
  #nextSequence = 0

  constructor(family: 4 | 6, open: OpenRawSocket = openWithNetPing) {
    this.#family = family
    try {
      this.#socket = this.#prepare(open(family))
      this.availability = { available: true }
    } catch (error) {
      this.availability = unavailable(error)
    }
  }

  get isOpen(): boolean {
    return this.#socket !== undefined
  }

  /**
   * Sends one echo request to `address` (of this channel's family) and calls `onOutcome` at most once, in a later turn
   * of the event loop. The returned function stops waiting; an outcome that has already arrived may still be reported.
   * There is no timeout.
   */
  send(address: IpAddress, onOutcome: (outcome: EchoOutcome) => void): () => void {
    if (this.#awaited.size === SEQUENCE_NUMBERS) {
      setImmediate(onOutcome, { kind: 'error', errno: 'ENOBUFS' })
      return () => undefined
    }
    const sequence = this.#freeSequence()
    const awaited = { address, onOutcome }
    this.#awaited.set(sequence, awaited)
    const errno = this.#transmit(address, sequence)
    if (errno !== undefined) this.#settle(sequence, { kind: 'error', errno })
    return () => {
      if (this.#awaited.get(sequence) === awaited) this.#forget(sequence)
    }
  }

  /**
   * Calls `onUndeliverable` for each datagram that left from UDP port `port` of our address `source` (undefined = of
   * all our addresses) and for which an ICMP error has arrived, in a later turn of the event loop, until the returned
   * function is called. Calls `onDeaf` when the raw socket is gone, so that no more errors will be seen.
   */
  watchPort(
    port: number,
    source: string | undefined,
    onUndeliverable: (what: UndeliverableDatagram) => void,
    onDeaf: () => void = () => undefined,
  ): () => void {
    // Sockets that are bound to different addresses may have the same port.
    const key = udpKey(port, source === undefined ? [] : (parseAddress(source)?.bytes ?? []))
    this.#udpPorts.set(key, onUndeliverable)
    this.#onDeaf.add(onDeaf)
    this.#socket?.resumeRecv()
    return () => {
      this.#onDeaf.delete(onDeaf)
      if (this.#udpPorts.get(key) === onUndeliverable) this.#udpPorts.delete(key)
      this.#rest()
    }
  }

  close(): void {
    const socket = this.#socket
    this.#socket = undefined
    for (const sequence of this.#awaited.keys()) this.#settle(sequence, { kind: 'error', errno: 'ECANCELED' })
    for (const onDeaf of this.#onDeaf) onDeaf()
    socket?.close()
  }

  #prepare(socket: RawSocket): RawSocket {
    // net-ping's session must not parse our packets: it would pause the socket.
    socket.removeAllListeners()
    growReceiveBuffer(socket, ICMP_RECEIVE_BUFFER_BYTES)
    filterIcmp(socket, this.#family, [ECHO_REPLY[this.#family], DESTINATION_UNREACHABLE[this.#family]])
    receiveAll(
      socket,
      () => this.#isWaiting,
      (packet, source) => this.#receive(packet, source),
    )
    socket.on('error', () => undefined)
    socket.on('close', () => this.close())
    socket.pauseRecv()
    return socket
  }

  #freeSequence(): number {
    do this.#nextSequence = (this.#nextSequence + 1) % SEQUENCE_NUMBERS
    while (this.#awaited.has(this.#nextSequence))
    return this.#nextSequence
  }

  #transmit(address: IpAddress, sequence: number): string | undefined {
    const socket = this.#socket
    if (socket === undefined) return 'ECANCELED'
    const packet = writeEchoRequest(this.#family, this.#identity, sequence)
    if (this.#awaited.size === 1 && this.#udpPorts.size === 0) socket.resumeRecv()
    return sendRaw(socket, packet, address.canonical)
  }

  #receive(packet: Buffer, source: string): void {
    const message = readEchoMessage(this.#family, this.#identity, packet)
    if (message === undefined) return this.#receiveUndeliverable(packet)
    const awaited = this.#awaited.get(message.sequence)
    if (awaited === undefined) return
    const { address } = awaited
    if (message.kind === 'unreachable') {
      if (Buffer.from(address.bytes).equals(message.destination)) this.#settle(message.sequence, message)
    } else if (source === address.canonical || parseAddress(source)?.canonical === address.canonical) {
      this.#settle(message.sequence, message)
    }
  }

  #receiveUndeliverable(packet: Buffer): void {
    if (this.#udpPorts.size === 0) return
    const what = readUndeliverableDatagram(this.#family, packet)
    if (what === undefined) return
    const { source: from, sourcePort, destination } = what
    const receiver =
      this.#udpPorts.get(udpKey(sourcePort, from)) ?? this.#udpPorts.get(udpKey(sourcePort, []))
    // The packet's buffer is used again.
    if (receiver !== undefined) {
      setImmediate(receiver, { ...what, source: Buffer.from(from), destination: Buffer.from(destination) })
    }
  }

  /**
   * In a turn of its own: raw-socket calls us outside of Node's callback scope (next ticks would not run until something
   * else happens) and swallows what is thrown.
   */
  #settle(sequence: number, outcome: EchoOutcome): void {
    const awaited = this.#awaited.get(sequence)
    if (awaited === undefined) return
    this.#forget(sequence)
    setImmediate(awaited.onOutcome, outcome)
  }

  #forget(sequence: number): void {
    this.#awaited.delete(sequence)
    this.#rest()
  }

  get #isWaiting(): boolean {
    return this.#awaited.size > 0 || this.#udpPorts.size > 0
  }

  #rest(): void {
    if (!this.#isWaiting) this.#socket?.pauseRecv()
  }
}

/** `address`: bytes of the address that a socket is bound to; none = of all. */
function udpKey(port: number, address: Iterable<number>): string {
  return [port, ...address].join()
}
