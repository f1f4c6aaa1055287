/** The packets of PING by the batch, of one family, on one raw ICMP socket for all of them. */
import { BATCH_MESSAGES, BATCH_READ_MAX } from '../../domain/limits.ts'
import { NO_FLIGHT } from '../batch/batch-targets.ts'
import { echoesOf } from '../batch/packet-filter.ts'
import { PacketSocket } from '../batch/packet-socket.ts'
import { STAMPED } from '../batch/socket-option.ts'
import { EchoAnswers } from './echo-answers.ts'
import { EchoRequests } from './echo-requests.ts'
import type { EchoParts, EchoSockets } from './echo-sockets.ts'
import { DESTINATION_UNREACHABLE, ECHO_REPLY } from './icmp-packet.ts'

export class EchoWire implements EchoSockets {
  received = 0
  readonly #parts: EchoParts
  readonly #socket: PacketSocket
  readonly #requests: EchoRequests
  readonly #answers: EchoAnswers

  private constructor(parts: EchoParts, socket: PacketSocket) {
    this.#parts = parts
    this.#socket = socket
    this.#requests = new EchoRequests(parts)
    this.#answers = new EchoAnswers(parts)
  }

  /** The wire, or the call that failed. */
  static open(parts: EchoParts): EchoWire | string {
    const { calls, family, identifier, token } = parts
    const { version, icmpProtocol: protocol } = family
    const types = [ECHO_REPLY[version], DESTINATION_UNREACHABLE[version]]
    const options = [family.icmpFilter(types), STAMPED]
    const filter = echoesOf(version, identifier, token)
    const socket = new PacketSocket(calls, { family, protocol, filter, options })
    const failed = socket.open()
    // `close` would overwrite the errno that says why.
    const errno = calls.errno()
    const wire = failed === undefined ? new EchoWire(parts, socket) : undefined
    if (wire !== undefined && wire.#requests.hasClock) return wire
    socket.close()
    return `${failed ?? 'clock_gettime'} ${errno}`
  }

  add(flight: number): void {
    if (this.#requests.packets.isFull) this.flush()
    this.#requests.add(flight, this.#parts.flights.slots[flight]!)
  }

  flush(): void {
    this.#requests.send(this.#socket.fd)
  }

  read(endMs: number): boolean {
    const isFull = this.#socket.isFull()
    return this.#readUntil(endMs) && !isFull
  }

  leave(): void {
    // The socket is that of all.
  }

  sendForeign(slot: number): void {
    this.#requests.add(NO_FLIGHT, slot, this.#parts.identifier ^ 1)
    this.flush()
  }

  get descriptors(): number {
    return this.#socket.descriptors
  }

  close(): void {
    this.#socket.close()
  }

  /** False: some are left. */
  #readUntil(endMs: number): boolean {
    for (let read = 0; read < BATCH_READ_MAX; read += BATCH_MESSAGES) {
      const count = this.#answers.read(this.#socket.fd)
      this.received += count
      if (count < BATCH_MESSAGES) return true
      if (performance.now() >= endMs) break
    }
    return false
  }
}
