/**
 * ICMP errors about what a socket has sent (IP_RECVERR, ip(7)): the kernel keeps them in a queue of the socket, each with
 * the address (and port) that the datagram went to, with type and code of the error, and with what it quotes of the datagram.
 */
import { BATCH_MESSAGES } from '../../domain/limits.ts'
import type { BatchCalls } from './batch-calls.ts'
import type { IpFamily } from './ip-family.ts'
import { isLittleEndian, MessageBatch } from './message-batch.ts'
import { NAME_BYTES } from './outgoing-packets.ts'
import { type SocketOption, word } from './socket-option.ts'
import { DESTINATION_UNREACHABLE, meaningOfUnreachable } from '../icmp/icmp-packet.ts'

const MSG_ERRQUEUE = 0x2000
const RECEIVE_ERRORS = {
  4: { level: 0, option: 11, name: 'IP_RECVERR' },
  6: { level: 41, option: 25, name: 'IPV6_RECVERR' },
} as const
/** Two control messages: time of arrival, and the error with the address of who sent it. */
const CONTROL_BYTES = 128
/** Of what an error quotes behind the IP header: an echo of PING is not longer. */
const DATA_BYTES = 16
const HEADER_BYTES = 16
/** In struct sock_extended_err. */
const ORIGIN_AT = 4
const TYPE_AT = 5
const CODE_AT = 6
const ERROR_BYTES = 16
const ORIGIN = { 4: 2, 6: 3 } as const

/** The socket has such a queue. */
export function receivesErrors({ version }: IpFamily): SocketOption {
  return { ...RECEIVE_ERRORS[version], value: word(1) }
}

export type Undelivered = Exclude<ReturnType<typeof meaningOfUnreachable>, undefined>

export class ErrorQueue {
  readonly #family: IpFamily
  readonly #batch: MessageBatch

  constructor(calls: BatchCalls, family: IpFamily) {
    this.#family = family
    this.#batch = new MessageBatch(calls, {
      count: BATCH_MESSAGES,
      name: NAME_BYTES,
      nameLength: family.nameLength,
      data: DATA_BYTES,
      control: CONTROL_BYTES,
    })
  }

  /** Reads some of the errors of a socket; returns how many. `meaningOf` and `names` say what they are, until the next reading. */
  read(fd: number): number {
    return this.#batch.receive(fd, MSG_ERRQUEUE)
  }

  /** What error `i` means to UDP; undefined = nothing. */
  meaningOf(i: number): Undelivered | undefined {
    const code = this.unreachableCodeOf(i)
    return code < 0 ? undefined : meaningOfUnreachable(this.#family.version, code)
  }

  /** The code of error `i`, which is "destination unreachable"; -1 = it is something else. */
  unreachableCodeOf(i: number): number {
    const at = this.#errorAt(i)
    if (at < 0) return -1
    const { view } = this.#batch.controls
    const { version } = this.#family
    if (view.getUint8(at + ORIGIN_AT) !== ORIGIN[version]) return -1
    if (view.getUint8(at + TYPE_AT) !== DESTINATION_UNREACHABLE[version]) return -1
    return view.getUint8(at + CODE_AT)
  }

  /** What errors quote of datagrams, behind their IP header: of error `i`, `quotedLengthOf` bytes from `quotedAt` on. */
  get quotes(): DataView {
    return this.#batch.data.view
  }

  quotedAt(i: number): number {
    return i * DATA_BYTES
  }

  quotedLengthOf(i: number): number {
    return Math.min(DATA_BYTES, this.#batch.lengthOf(i))
  }

  /** Addresses and ports that the datagrams went to, NAME_BYTES each. */
  get names(): MessageBatch['names'] {
    return this.#batch.names
  }

  /** Makes room for the next reading. */
  renew(count: number): void {
    this.#batch.renew(count)
  }

  /** Where the struct of error `i` begins; -1 = there is none. */
  #errorAt(i: number): number {
    const { level, option } = RECEIVE_ERRORS[this.#family.version]
    const { view } = this.#batch.controls
    const end = i * CONTROL_BYTES + Math.min(CONTROL_BYTES, this.#batch.controlLengthOf(i))
    for (let at = i * CONTROL_BYTES; at + HEADER_BYTES + ERROR_BYTES <= end; ) {
      const bytes = view.getUint32(at + (isLittleEndian ? 0 : 4), isLittleEndian)
      const isError =
        view.getInt32(at + 8, isLittleEndian) === level && view.getInt32(at + 12, isLittleEndian) === option
      if (isError) return at + HEADER_BYTES
      if (bytes < HEADER_BYTES) return -1
      at += Math.ceil(bytes / 8) * 8
    }
    return -1
  }
}
