/**
 * An HTTP/2 client that sends one request at a time (RFC 9113), with prior knowledge on a plain connection (h2c) or
 * chosen by ALPN over TLS. A `StreamExchange` writes the request and judges the answer: HTTP or gRPC.
 *
 * States: preface sent, the target's SETTINGS awaited → a stream open → the stream ended → the next one opens. A target
 * that answers with anything but SETTINGS does not speak HTTP/2. GOAWAY without an error lets the open stream end. Why
 * not node:http2: docs/adr/0002-own-http-writer.md.
 */
import { HTTP_BODY_MAX_BYTES, HTTP_HEAD_MAX_BYTES, HTTP2_FRAMES_MAX } from '../../domain/limits.ts'
import type { Conversation, Line, Verdict } from '../wire/conversation.ts'
import { decodeHeaders } from './hpack.ts'
import {
  ACK,
  END_HEADERS,
  END_STREAM,
  FRAME,
  type Frame,
  FrameReader,
  INITIAL_WINDOW,
  NO_ERROR,
  PADDED,
  PRIORITY,
  REFUSED_STREAM,
  SETTING_INITIAL_WINDOW_SIZE,
  SETTINGS_ACK,
  writeFrame,
} from './http2-frames.ts'
import { FIRST_STREAM, type Http2Request } from './http2-request.ts'

/** One request and the judgement of its answer; it is sent again for each attempt. */
export interface StreamExchange {
  readonly request: Http2Request
  /** Starts the next request: forgets the last answer. */
  reset(): void
  /** A header of the final response, or of its trailers. */
  onHeader(name: string, value: string): void
  /** A header block is over. */
  onHeadersEnd(): Verdict | undefined
  onBody(bytes: Uint8Array): Verdict | undefined
  /** The stream ended. */
  judge(): Verdict
  /** The verdict at the deadline, or when the target closes the connection. */
  standing(): Verdict | undefined
  readonly hasHead: boolean
  readonly hasFirstByte: boolean
}

/** What RFC 9113 section 8.2.1 refuses is not read; a value may hold every other control, as in HTTP/1.x. */
const FIELD_NAME = /^:?[!#$%&'*+\-.^_`|~0-9a-z]*$/
const FIELD_VALUE = /^[^\0\r\n]*$/
/** Bytes received after which a connection's window may become narrow: it is not kept then. */
const RECEIVED_MAX = 0x4000_0000

export class Http2Conversation implements Conversation {
  readonly #exchange: StreamExchange
  readonly #headMaxBytes: number
  readonly #isKept: boolean
  readonly #frames = new FrameReader()
  /** The current stream; 0 = none was opened yet. Clients' streams are odd. */
  #stream = 0
  #isOpen = false
  #hasSettings = false
  #isGoingAway = false
  #hasBegunToAnswer = false
  #framesSeen = 0
  #headBytes = 0
  #bodyBytes = 0
  #received = 0
  /** What the target lets us send: on the connection, and on a new stream. */
  #sendWindow = INITIAL_WINDOW
  #streamWindow = INITIAL_WINDOW
  /** What the target is owed for its SETTINGS and PING frames. */
  #owed: Buffer[] = []
  /** A header block that goes on in CONTINUATION frames. */
  #block: Buffer[] = []
  #blockStream = 0
  #blockFlags = 0

  /**
   * `headMaxBytes`: of the header blocks of one answer, as they are sent. `isKept`: whether other attempts may follow on the
   * connection; else nothing is written any more when the answer is there.
   */
  constructor(
    exchange: StreamExchange,
    {
      headMaxBytes = HTTP_HEAD_MAX_BYTES,
      isKept = true,
    }: { readonly headMaxBytes?: number | undefined; readonly isKept?: boolean } = {},
  ) {
    this.#exchange = exchange
    this.#headMaxBytes = headMaxBytes
    this.#isKept = isKept
  }

  get hasBegunToAnswer(): boolean {
    return this.#hasBegunToAnswer
  }

  get hasFirstByte(): boolean {
    return this.#exchange.hasFirstByte
  }

  get phase(): string {
    if (!this.#hasSettings) return 'waiting for HTTP/2 SETTINGS'
    if (!this.#hasBegunToAnswer) return 'waiting for the response head'
    return this.#exchange.hasHead ? 'reading the response body' : 'reading the response head'
  }

  get canGoOn(): boolean {
    const { bodyBytes } = this.#exchange.request
    return (
      !this.#isOpen &&
      !this.#isGoingAway &&
      this.#blockStream === 0 &&
      this.#received < RECEIVED_MAX &&
      bodyBytes <= Math.min(this.#sendWindow, this.#streamWindow)
    )
  }

  begin(line: Line): Verdict | undefined {
    if (line.tls !== undefined && line.tls.alpn !== 'h2') {
      return { reason: 'RESPONSE_MALFORMED', detail: 'ALPN did not choose h2' }
    }
    const { request } = this.#exchange
    const isFirst = this.#stream === 0
    this.#stream += isFirst ? FIRST_STREAM : 2
    this.#isOpen = true
    this.#hasBegunToAnswer = false
    this.#framesSeen = 0
    this.#headBytes = 0
    this.#bodyBytes = 0
    this.#exchange.reset()
    this.#sendWindow -= request.bodyBytes
    line.write(isFirst ? request.opening : request.on(this.#stream))
    return undefined
  }

  read(chunk: Buffer, line: Line): Verdict | undefined {
    this.#received += chunk.length
    this.#frames.add(chunk)
    const verdict = this.#takeFrames() ?? this.#judgePending()
    if (this.#owed.length > 0 && (verdict === undefined || this.#isKept)) {
      line.write(Buffer.concat(this.#owed))
      this.#owed = []
    }
    return verdict
  }

  #takeFrames(): Verdict | undefined {
    let verdict: Verdict | undefined
    for (let frame = this.#frames.next(); frame !== undefined; frame = this.#frames.next()) {
      const given = this.#take(frame)
      if (given === undefined) continue
      // Frames after an answer still change the state of the connection.
      if (verdict !== undefined) this.#isGoingAway = true
      verdict ??= given
      if (this.#isOpen) break
    }
    return verdict
  }

  ended(how: 'closed' | 'reset'): Verdict {
    return this.standing() ?? { reason: 'RECV_CLOSED', detail: `${how} while ${this.phase}` }
  }

  standing(): Verdict | undefined {
    return this.#exchange.standing()
  }

  readIdle(chunk: Buffer, line: Line): boolean {
    // New settings may leave no room for the next request.
    return this.read(chunk, line) === undefined && this.canGoOn
  }

  /** Checks a frame before it is complete: a frame that cannot be valid is not waited for. */
  #judgePending(): Verdict | undefined {
    const { pendingType, tooLong } = this.#frames
    if (!this.#hasSettings && pendingType !== undefined && pendingType !== FRAME.SETTINGS) return NO_SETTINGS
    return tooLong === undefined ? undefined : malformed(`a frame of ${tooLong} bytes`)
  }

  #take(frame: Frame): Verdict | undefined {
    const { type, stream } = frame
    if (!this.#hasSettings) {
      if (type !== FRAME.SETTINGS || stream !== 0 || (frame.flags & ACK) !== 0) return NO_SETTINGS
      this.#hasSettings = true
    }
    if (++this.#framesSeen > HTTP2_FRAMES_MAX) return this.standing() ?? malformed('too many frames')
    if (this.#blockStream !== 0 && (type !== FRAME.CONTINUATION || stream !== this.#blockStream)) {
      return malformed('a header block is broken off')
    }
    switch (type) {
      case FRAME.DATA:
        return this.#takeData(frame)
      case FRAME.HEADERS:
        return this.#takeHeaders(frame)
      case FRAME.CONTINUATION:
        if (this.#blockStream === 0) return malformed('CONTINUATION of nothing')
        return this.#addToBlock(frame.payload, frame.flags)
      case FRAME.RST_STREAM:
        return this.#takeReset(frame)
      case FRAME.SETTINGS:
        return this.#takeSettings(frame)
      case FRAME.PUSH_PROMISE:
        return malformed('a push that was not asked for')
      case FRAME.PING:
        if ((frame.flags & ACK) === 0) this.#owed.push(writeFrame(FRAME.PING, ACK, 0, frame.payload))
        return undefined
      case FRAME.GOAWAY:
        return this.#takeGoAway(frame)
      case FRAME.WINDOW_UPDATE:
        if (stream === 0 && frame.payload.length === 4) {
          this.#sendWindow += frame.payload.readUInt32BE(0) & 0x7fff_ffff
        }
        return undefined
      default:
        // PRIORITY, and types that are not known (RFC 9113 section 4.1).
        return undefined
    }
  }

  #takeSettings({ flags, payload }: Frame): Verdict | undefined {
    if ((flags & ACK) !== 0) return undefined
    if (payload.length % 6 !== 0) return malformed('SETTINGS of a wrong length')
    for (let at = 0; at < payload.length; at += 6) {
      if (payload.readUInt16BE(at) === SETTING_INITIAL_WINDOW_SIZE)
        this.#streamWindow = payload.readUInt32BE(at + 2)
    }
    this.#owed.push(SETTINGS_ACK)
    return undefined
  }

  #takeGoAway({ payload }: Frame): Verdict | undefined {
    if (payload.length < 8) return malformed('GOAWAY of a wrong length')
    this.#isGoingAway = true
    const code = payload.readUInt32BE(4)
    if (code !== NO_ERROR) return { reason: 'RECV_CLOSED', detail: `GOAWAY with error ${code}` }
    const lastStream = payload.readUInt32BE(0) & 0x7fff_ffff
    if (!this.#isOpen || lastStream >= this.#stream) return undefined
    return { reason: 'RECV_CLOSED', detail: 'GOAWAY before the request was looked at', wasNotProcessed: true }
  }

  #takeReset({ stream, payload }: Frame): Verdict | undefined {
    if (stream !== this.#stream || !this.#isOpen || payload.length !== 4) return undefined
    const standing = this.standing()
    if (standing !== undefined) return standing
    const code = payload.readUInt32BE(0)
    const detail = `the stream was reset with error ${code}`
    return { reason: 'RECV_CLOSED', detail, ...(code === REFUSED_STREAM ? { wasNotProcessed: true } : {}) }
  }

  #takeData(frame: Frame): Verdict | undefined {
    if (frame.stream !== this.#stream || !this.#isOpen) return undefined
    if (!this.#exchange.hasHead) return malformed('DATA before the response head')
    const content = withoutPadding(frame)
    if (content === undefined) return malformed('padding longer than its frame')
    this.#bodyBytes += content.length
    const verdict = this.#exchange.onBody(content)
    if (verdict !== undefined) return verdict
    if ((frame.flags & END_STREAM) !== 0) return this.#endStream()
    return this.#bodyBytes > HTTP_BODY_MAX_BYTES ? this.#exchange.judge() : undefined
  }

  #takeHeaders(frame: Frame): Verdict | undefined {
    if (frame.stream === 0 || frame.stream > this.#stream)
      return malformed('HEADERS of a stream that is not ours')
    let content = withoutPadding(frame)
    if (content !== undefined && (frame.flags & PRIORITY) !== 0) {
      content = content.length < 5 ? undefined : content.subarray(5)
    }
    if (content === undefined) return malformed('padding longer than its frame')
    if (frame.stream === this.#stream) this.#hasBegunToAnswer = true
    this.#blockStream = frame.stream
    this.#blockFlags = frame.flags
    return this.#addToBlock(content, frame.flags)
  }

  #addToBlock(part: Buffer, flags: number): Verdict | undefined {
    this.#headBytes += part.length
    if (this.#headBytes > this.#headMaxBytes) {
      return this.standing() ?? malformed(`the head exceeds ${this.#headMaxBytes} bytes`)
    }
    if (part.length > 0) this.#block.push(Buffer.from(part))
    if ((flags & END_HEADERS) === 0) return undefined
    const block = Buffer.concat(this.#block)
    const isOurs = this.#blockStream === this.#stream && this.#isOpen
    this.#block = []
    this.#blockStream = 0
    if (!isOurs) return undefined
    let isField = true
    const isRead = decodeHeaders(block, (name, value) => {
      if (FIELD_NAME.test(name) && FIELD_VALUE.test(value)) this.#exchange.onHeader(name, value)
      else isField = false
    })
    if (!isRead) return malformed('a header block cannot be read')
    if (!isField) return this.standing() ?? malformed('a header field is not one')
    const verdict = this.#exchange.onHeadersEnd()
    if (verdict !== undefined) return verdict
    return (this.#blockFlags & END_STREAM) === 0 ? undefined : this.#endStream()
  }

  #endStream(): Verdict {
    this.#isOpen = false
    return this.#exchange.hasHead ? this.#exchange.judge() : malformed('the stream ended without a response')
  }
}

const NO_SETTINGS = malformed('not HTTP/2: no SETTINGS')

function malformed(detail: string): Verdict {
  return { reason: 'RESPONSE_MALFORMED', detail }
}

/** The payload of DATA and HEADERS without their padding; undefined = more padding than payload (RFC 9113 section 6.1). */
function withoutPadding({ flags, payload }: Frame): Buffer | undefined {
  if ((flags & PADDED) === 0) return payload
  const padding = payload[0]
  if (padding === undefined || padding + 1 > payload.length) return undefined
  return payload.subarray(1, payload.length - padding)
}
