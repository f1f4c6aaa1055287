/** Which of many sockets have something to read, by epoll(7): one call for all, whatever their number. */
import { UDP_BATCH_EVENTS } from '../../domain/limits.ts'
import type { BatchCalls } from './batch-calls.ts'
import { isLittleEndian } from './message-batch.ts'

const EPOLL_CLOEXEC = 0o2000000
const EPOLL_CTL_ADD = 1
const EPOLL_CTL_DEL = 2
/** Errors are always reported. */
const EPOLLIN = 1
/** struct epoll_event is packed on x86-64. */
const EVENT = process.arch === 'x64' ? { bytes: 12, fdAt: 4 } : { bytes: 16, fdAt: 8 }

export class Readiness {
  readonly #calls: BatchCalls
  readonly #epoll: number
  readonly #event = new DataView(new ArrayBuffer(EVENT.bytes))
  readonly #eventBytes = new Uint8Array(this.#event.buffer)
  readonly #events = new DataView(new ArrayBuffer(EVENT.bytes * UDP_BATCH_EVENTS))
  readonly #eventsBytes = new Uint8Array(this.#events.buffer)

  constructor(calls: BatchCalls) {
    this.#calls = calls
    this.#epoll = calls.epoll_create1(EPOLL_CLOEXEC)
  }

  get isOpen(): boolean {
    return this.#epoll >= 0
  }

  /** Whether the socket is looked at from now on. */
  add(fd: number): boolean {
    this.#event.setUint32(0, EPOLLIN, isLittleEndian)
    this.#event.setInt32(EVENT.fdAt, fd, isLittleEndian)
    return this.#calls.epoll_ctl(this.#epoll, EPOLL_CTL_ADD, fd, this.#eventBytes) === 0
  }

  remove(fd: number): void {
    this.#calls.epoll_ctl(this.#epoll, EPOLL_CTL_DEL, fd, this.#eventBytes)
  }

  /** How many sockets have something, at most UDP_BATCH_EVENTS; `readyAt` gives each of them. */
  count(): number {
    return Math.max(0, this.#calls.epoll_wait(this.#epoll, this.#eventsBytes, UDP_BATCH_EVENTS, 0))
  }

  readyAt(i: number): number {
    return this.#events.getInt32(i * EVENT.bytes + EVENT.fdAt, isLittleEndian)
  }

  close(): void {
    if (this.isOpen) this.#calls.close(this.#epoll)
  }
}
