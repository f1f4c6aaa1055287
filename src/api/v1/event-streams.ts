/**
 * Open streams of events, in Server-Sent Events (WHATWG HTML, section 9.2). A stream holds a place of its project and
 * no connection to PostgreSQL. A stream that is too far behind is closed. Its reader reconnects with Last-Event-ID and
 * misses nothing.
 */
import type { ServerResponse } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { DomainError } from '../../domain/errors.ts'
import {
  STREAM_BACKLOG_BYTES,
  STREAM_BACKLOG_SMALL_BYTES,
  STREAM_CHECKS,
  STREAM_HEARTBEAT_MS,
  STREAM_HEARTBEATS_PER_TURN,
  STREAM_RETRY_MS,
  STREAMS_BACKLOG_BYTES,
  STREAMS_MAX,
} from '../../domain/limits.ts'
import { FairShare } from '../../domain/share/fair-share.ts'
import type { ServiceEvent } from '../../domain/event/event.ts'
import { eventText } from './render-event.ts'

const HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store',
  // Without this, nginx buffers the response and delays its events.
  'X-Accel-Buffering': 'no',
}

/** For how long a reader may read. */
export interface Permission {
  /** Rejects when the token is no longer valid, with IDENTITY_UNAVAILABLE when that is not known. */
  readonly identify: () => Promise<unknown>
  /** When the token ends: wall clock, milliseconds since 1970. Undefined: not known. */
  readonly endsAtMs: number | undefined
}

/** What all streams of a process hold in memory for readers that are behind. */
interface Backlog {
  bytes: number
}

export class EventStream {
  readonly #response: ServerResponse
  readonly #backlog: Backlog
  readonly #permission: Permission
  /** Bytes of this stream in the backlog. */
  #counted = 0
  #isEnded = false

  constructor(response: ServerResponse, backlog: Backlog, permission: Permission) {
    this.#response = response
    this.#backlog = backlog
    this.#permission = permission
    response.on('drain', () => this.#count())
    response.once('close', () => this.#count(0))
  }

  get isOpen(): boolean {
    return !this.#isEnded && !this.#response.destroyed
  }

  begin(): void {
    this.#response.writeHead(200, HEADERS)
    this.#write(`retry: ${STREAM_RETRY_MS}\n\n`)
  }

  send(events: readonly ServiceEvent[]): void {
    let text = ''
    for (const event of events) text += frame(event)
    if (text !== '') this.#write(text)
  }

  /** Reports that the events after `from`, up to `to`, were deleted. */
  sendGap(from: number, to: number): void {
    this.#write(`id: ${to}\nevent: gap\ndata: ${JSON.stringify({ from: String(from), to: String(to) })}\n\n`)
  }

  /** A comment: shows both ends, and proxies between them, that the other is there. Ends the stream with its token. */
  beat(): void {
    if (Date.now() >= (this.#permission.endsAtMs ?? Number.POSITIVE_INFINITY)) return this.end()
    this.#write(': heartbeat\n\n')
  }

  /**
   * Ends the stream when its token is no longer valid. While Keystone is away, a token that was valid counts until its
   * own end; without a known end the stream ends. Never rejects.
   */
  async check(): Promise<void> {
    if (!this.isOpen) return
    try {
      await this.#permission.identify()
    } catch (error) {
      const isUnknown = error instanceof DomainError && error.code === 'IDENTITY_UNAVAILABLE'
      if (!isUnknown || this.#permission.endsAtMs === undefined) this.end()
    }
  }

  /** Resolves when what was sent has left, or the stream is closed. */
  async drained(): Promise<void> {
    const response = this.#response
    if (!this.isOpen || !response.writableNeedDrain) return
    await new Promise<void>((resolve) => {
      const done = () => {
        response.off('drain', done)
        response.off('close', done)
        resolve()
      }
      response.on('drain', done)
      response.on('close', done)
    })
  }

  end(): void {
    this.#isEnded = true
    this.#response.end()
  }

  #write(text: string): void {
    if (!this.isOpen) return
    this.#response.write(text)
    this.#count()
    const behind = this.#response.writableLength
    const isTooFar =
      behind > STREAM_BACKLOG_BYTES ||
      (behind > STREAM_BACKLOG_SMALL_BYTES && this.#backlog.bytes > STREAMS_BACKLOG_BYTES)
    if (!isTooFar) return
    this.#isEnded = true
    this.#response.destroy()
  }

  #count(bytes = this.#response.writableLength): void {
    this.#backlog.bytes += bytes - this.#counted
    this.#counted = bytes
  }
}

const frames = new WeakMap<ServiceEvent, string>()

function frame(event: ServiceEvent): string {
  const known = frames.get(event)
  if (known !== undefined) return known
  const text = `id: ${event.position}\nevent: ${event.type}\ndata: ${eventText(event)}\n\n`
  frames.set(event, text)
  return text
}

/** All open streams of the process: their places, their heartbeats, and their end with it. */
export class EventStreams {
  readonly #open = new Set<EventStream>()
  readonly #closing = new Set<() => void>()
  readonly #places = new FairShare(STREAMS_MAX)
  readonly #backlog: Backlog = { bytes: 0 }
  readonly #heartbeatMs: number
  #timer: NodeJS.Timeout | undefined
  #isBeating = false
  #isChecking = false
  #isClosed = false

  /** `heartbeatMs` is replaced in tests. */
  constructor({ heartbeatMs = STREAM_HEARTBEAT_MS }: { readonly heartbeatMs?: number } = {}) {
    this.#heartbeatMs = heartbeatMs
  }

  get count(): number {
    return this.#open.size
  }

  /** Places that streams and waits hold. */
  get taken(): number {
    return STREAMS_MAX - this.#places.free
  }

  /**
   * Takes a place for a stream or a wait of a sharer (sharer.ts). Returns the function that frees it; undefined when
   * there are too many.
   */
  take(sharer: string): (() => void) | undefined {
    if (!this.#places.take(sharer)) return undefined
    let isTaken = true
    return () => {
      if (isTaken) this.#places.give(sharer)
      isTaken = false
    }
  }

  /** A stream on this response, until it is closed. */
  open(response: ServerResponse, permission: Permission): EventStream {
    const stream = new EventStream(response, this.#backlog, permission)
    this.#open.add(stream)
    response.once('close', () => this.#open.delete(stream))
    stream.begin()
    this.#timer ??= setInterval(() => {
      void this.#beat()
      void this.#checkAll()
    }, this.#heartbeatMs).unref()
    return stream
  }

  /**
   * Registers `end`, which is called when streams and waits have to end; soon, if that has happened already. Returns the
   * function that removes it.
   */
  onClose(end: () => void): () => void {
    if (this.#isClosed) queueMicrotask(end)
    const entry = () => end()
    this.#closing.add(entry)
    return () => this.#closing.delete(entry)
  }

  /** Ends every stream and wait: their clients go to another process. */
  close(): void {
    this.#isClosed = true
    clearInterval(this.#timer)
    for (const stream of this.#open) stream.end()
    for (const end of this.#closing) end()
  }

  async #beat(): Promise<void> {
    if (this.#isBeating) return
    this.#isBeating = true
    let inTurn = 0
    for (const stream of this.#open) {
      if (++inTurn % STREAM_HEARTBEATS_PER_TURN === 0) await nextTurn()
      stream.beat()
    }
    this.#isBeating = false
  }

  /**
   * Looks at the token of each stream again, STREAM_CHECKS at a time. All at once would exceed what may wait for
   * Keystone, and requests would wait behind them. A round may last longer than a heartbeat.
   */
  async #checkAll(): Promise<void> {
    if (this.#isChecking) return
    this.#isChecking = true
    const streams = [...this.#open].values()
    const checkSome = async (): Promise<void> => {
      let inTurn = 0
      for (const stream of streams) {
        if (++inTurn % STREAM_HEARTBEATS_PER_TURN === 0) await nextTurn()
        await stream.check()
      }
    }
    await Promise.all(Array.from({ length: STREAM_CHECKS }, checkSome))
    this.#isChecking = false
  }
}
