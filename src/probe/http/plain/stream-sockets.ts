/** What is sent and received on connected sockets, by system calls: one buffer for all, and when it arrived. */
import { constants } from 'node:os'
import { PLAIN_READ_BYTES } from '../../../domain/limits.ts'
import { KernelClock, arrivedUs } from '../../batch/kernel-time.ts'
import { MessageBatch } from '../../batch/message-batch.ts'
import { CONNECTED, type KernelCalls, succeedsSoon } from '../../tcp/kernel-calls.ts'
import type { StreamCalls } from './stream-calls.ts'

const { EAGAIN, EIO } = constants.errno
const CONTROL_BYTES = 64
const SOL_SOCKET = 1
const SO_TIMESTAMPNS = 35
const ON = new Uint8Array(new Uint32Array([1]).buffer)
const MSG_DONTWAIT = 0x40
const MSG_NOSIGNAL = 0x4000
const SHUT_WR = 1

/** What `read` and `send` return where nothing is there to be read, or no room for what is to be sent. */
export const NOTHING_NOW = -EAGAIN

export class StreamSockets {
  /** What was read last is at its beginning. */
  readonly received: Buffer
  readonly #calls: StreamCalls
  readonly #messages: MessageBatch
  readonly #clock: KernelClock

  constructor(calls: StreamCalls) {
    this.#calls = calls
    this.#clock = new KernelClock(calls)
    this.#messages = new MessageBatch(calls, {
      count: 1,
      name: 8,
      nameLength: 0,
      data: PLAIN_READ_BYTES,
      control: CONTROL_BYTES,
    })
    this.received = Buffer.from(this.#messages.data.bytes.buffer)
  }

  /** Whether what arrives on this socket is stamped from now on. */
  stamp(fd: number): boolean {
    return this.#calls.setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, ON, ON.length) === 0
  }

  /** By the clock of the stamps; 0 = not known. */
  nowUs(): number {
    return this.#clock.nowUs()
  }

  /** Bytes that were taken, or a negative errno. */
  send(fd: number, bytes: Uint8Array): number {
    const sent = this.#calls.send(fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL)
    return sent >= 0 ? sent : -(this.#calls.errno() || EIO)
  }

  /** Bytes that were received, 0 = the target has ended its side, or a negative errno. */
  read(fd: number): number {
    this.#messages.renew(1)
    if (this.#messages.receive(fd) === 0) return -(this.#calls.errno() || EIO)
    return this.#messages.lengthOf(0)
  }

  /** When the last of what was read arrived; 0 = not known. */
  get arrivedUs(): number {
    return arrivedUs(this.#messages, 0)
  }

  /** Sends the FIN of our side. */
  endSending(fd: number): void {
    this.#calls.shutdown(fd, SHUT_WR)
  }

  /**
   * Tries all of it on a socket that is connected to itself: what it sends it receives, with the time, and then its own
   * end. The first that arrive on a host where nothing was stamped before have no stamp.
   */
  works(fd: number): boolean {
    const said = Buffer.from('once', 'latin1')
    if (!this.stamp(fd) || this.nowUs() <= 0 || this.read(fd) !== NOTHING_NOW) return false
    const receives = (count: number): boolean => succeedsSoon(() => this.read(fd) === count)
    const isRight = (): boolean =>
      this.send(fd, said) === said.length &&
      receives(said.length) &&
      this.received.subarray(0, said.length).equals(said)
    if (!succeedsSoon(() => isRight() && this.arrivedUs > 0)) return false
    this.endSending(fd)
    return receives(0)
  }
}

/** Tries a conversation of a socket with itself. */
export function canConverse(tcp: KernelCalls, sockets: StreamSockets): boolean {
  const fd = tcp.open(4)
  if (fd < 0) return false
  try {
    const port = tcp.reservePort(fd)
    if (port < 0 || tcp.connect(fd, { family: 4, address: '127.0.0.1', port }) !== 0) return false
    if (!succeedsSoon(() => tcp.outcome(fd) === CONNECTED) || !sockets.works(fd)) return false
    return succeedsSoon(() => tcp.countEnded() === 1 && tcp.hasTargetEndedAt(0))
  } finally {
    tcp.close(fd)
  }
}
