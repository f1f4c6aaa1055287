/**
 * What answers the echoes of PING by the batch, of one family. A reply counts if it comes from the target, with our
 * identifier, the sequence number of a flight and the random word of its echo; an error, if it quotes such a request to the
 * target (RFC 792, RFC 4443).
 */
import { BATCH_MESSAGES } from '../../domain/limits.ts'
import { ARRIVAL_BYTES } from '../batch/arrival-times.ts'
import { NO_FLIGHT } from '../batch/batch-targets.ts'
import { arrivedUs } from '../batch/kernel-time.ts'
import { MessageBatch } from '../batch/message-batch.ts'
import { NAME_BYTES } from '../batch/outgoing-packets.ts'
import { ECHO_BYTES, IDENTIFIER_AT, SEQUENCE_AT, TOKEN_AT, WORD_AT } from './echo-requests.ts'
import type { EchoParts } from './echo-sockets.ts'
import { DESTINATION_UNREACHABLE, ECHO_REPLY, ECHO_REQUEST } from './icmp-packet.ts'

/** Room for two IP headers and what is behind them. */
const PACKET_BYTES = 192
const HEADER_BYTES = 8

export class EchoAnswers {
  readonly #parts: EchoParts
  readonly #messages: MessageBatch

  constructor(parts: EchoParts) {
    const { calls, family } = parts
    this.#parts = parts
    this.#messages = new MessageBatch(calls, {
      count: BATCH_MESSAGES,
      name: NAME_BYTES,
      nameLength: family.nameLength,
      data: PACKET_BYTES,
      control: ARRIVAL_BYTES,
    })
  }

  /** Reads at most BATCH_MESSAGES packets of a socket and says what they answer. Returns how many there were. */
  read(fd: number): number {
    const count = this.#messages.receive(fd)
    for (let i = 0; i < count; i++) this.#readMessage(i)
    this.#messages.renew(count)
    return count
  }

  #readMessage(i: number): void {
    const { family, events } = this.#parts
    const { view } = this.#messages.data
    const at = i * PACKET_BYTES
    const end = at + this.#messages.lengthOf(i)
    const icmp = at + family.headerBytes(view, at)
    if (icmp + HEADER_BYTES > end) return
    const type = view.getUint8(icmp)
    if (type === ECHO_REPLY[family.version]) {
      const flight = end - icmp === ECHO_BYTES ? flightOf(this.#parts, view, icmp, end) : NO_FLIGHT
      if (flight !== NO_FLIGHT && this.#isFrom(i, flight))
        events.answered(flight, arrivedUs(this.#messages, i))
    } else if (type === DESTINATION_UNREACHABLE[family.version]) {
      this.#readError(icmp + HEADER_BYTES, end)
    }
  }

  /** `quoted`: where the IP header of the request begins, in the message that ends at `end`. */
  #readError(quoted: number, end: number): void {
    const { family, targets, flights, events } = this.#parts
    const { view, words } = this.#messages.data
    if (quoted >= end) return
    const request = quoted + family.quotedHeaderBytes(view, quoted)
    const flight = flightOfRequest(this.#parts, view, request, end)
    if (flight === NO_FLIGHT) return
    const destination = (quoted + family.quotedDestinationAt) / 4
    if (targets.isAt(flights.slots[flight]!, family, words, destination)) events.undelivered(flight)
  }

  #isFrom(i: number, flight: number): boolean {
    const { family, targets, flights } = this.#parts
    const name = (i * NAME_BYTES + family.addressAt) / 4
    return targets.isAt(flights.slots[flight]!, family, this.#messages.names.words, name)
  }
}

type Identity = Pick<EchoParts, 'family' | 'flights' | 'identifier' | 'token'>

/** The flight whose request an error quotes: from `icmp` to `end`, which may be no more than the header. */
export function flightOfRequest(parts: Identity, view: DataView, icmp: number, end: number): number {
  if (icmp + HEADER_BYTES > end || view.getUint8(icmp) !== ECHO_REQUEST[parts.family.version])
    return NO_FLIGHT
  return flightOf(parts, view, icmp, end)
}

/** The flight of an echo of ours at `icmp`, whichever its type. */
function flightOf(parts: Identity, view: DataView, icmp: number, end: number): number {
  const { flights, identifier, token } = parts
  if (view.getUint16(icmp + IDENTIFIER_AT) !== identifier) return NO_FLIGHT
  const flight = flights.find(view.getUint16(icmp + SEQUENCE_AT))
  if (flight === NO_FLIGHT || end - icmp < ECHO_BYTES) return flight
  const isOurs =
    view.getUint32(icmp + TOKEN_AT) === token && view.getUint32(icmp + WORD_AT) === flights.words[flight]
  return isOurs ? flight : NO_FLIGHT
}
