/**
 * Reads HTTP/1.x responses, chunk by chunk, and remembers only what a verdict needs. As lenient as the RFCs let a
 * reader be: a lone LF ends a line and empty lines before the status line are skipped (RFC 9112 section 2.2), its words
 * are between any blanks (RFC 9112 section 4), folded header lines are unfolded (RFC 9112 section 5.2), values hold every
 * character but CR, LF and NUL (RFC 9110 section 5.5). A bare CR, a blank before the colon and a line without a colon
 * are refused.
 *
 * States: status line → header lines → (interim 1xx: status line again) → body → complete. Everything is bounded: all
 * heads together by HTTP_HEAD_MAX_BYTES or the monitor's limit, the body with its framing by HTTP_BODY_MAX_BYTES. Once
 * the head is complete nothing in the body can make the response malformed, it only ends the reading.
 */
import { HTTP_BODY_MAX_BYTES, HTTP_HEAD_MAX_BYTES } from '../../domain/limits.ts'
import type { BodySearch } from './body-search.ts'
import { IMMEDIATE_FAIL_HEADER, SERVICE_HEADER } from './http-verdict.ts'

type State =
  | 'status-line'
  | 'headers'
  | 'body'
  | 'chunk-size'
  | 'chunk-data'
  | 'trailers'
  | 'complete'
  | 'malformed'

const LF = 0x0a
const TAB = 0x09
const SPACE = 0x20
const ZERO = 0x30
const PREFIX = 'HTTP/1.'
const STATUS_LINE = /^HTTP\/1\.\d[ \t]+([1-9]\d\d)(?:[ \t][^\0\r]*)?$/
const HEADER_LINE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[^\0\r]*$/
const FOLDED_LINE = /^[ \t][^\0\r]*$/
const CHUNK_SIZE = /^([0-9a-fA-F]+)[ \t]*(?:;|$)/
/** A chunk that claims more is read as if it had no end: its bytes are bounded elsewhere. */
const CHUNK_MAX = 2 ** 52
const CONTENT_LENGTH = 'content-length'
const TRANSFER_ENCODING = 'transfer-encoding'
const CONNECTION = 'connection'
/** 101 is final: another protocol follows it, which the probe did not request (RFC 9110 section 15.2.2). */
const SWITCHING_PROTOCOLS = 101

/** What is looked for besides the status. */
export interface Sought {
  /** In lower case. */
  readonly degradedHeader?: string | undefined
  readonly search?: BodySearch | undefined
  /** Bytes of all heads of one answer; absent = HTTP_HEAD_MAX_BYTES. */
  readonly headMaxBytes?: number | undefined
}

export class HttpResponseReader {
  /** The status of the final response; 0 until its status line was read. */
  status = 0
  /** The line that it is in, bytes as latin1. */
  statusLine = ''
  /** Why the response is malformed, for people. */
  problem = ''
  /** Whether the final response has the sought header, and IMMEDIATE_FAIL_HEADER. */
  saysDegraded = false
  asksToFail = false
  /** Value of SERVICE_HEADER. */
  service = ''
  readonly #expectsNoBody: boolean
  readonly #degradedHeader: string | undefined
  readonly #search: BodySearch | undefined
  readonly #headMaxBytes: number
  #state: State = 'status-line'
  #line = ''
  /** The last header line; the next line may continue it. */
  #field = ''
  #headBytes = 0
  #bodyBytes = 0
  /** Bytes of the body, or of a chunk and its line end, that are still to come. */
  #remaining = Number.POSITIVE_INFINITY
  #chunked = false
  /** Whether the target lets the connection go on after this response. */
  #persists = false
  /** Whether bytes came after the end of the response, or its end is not sure. */
  #isOverrun = false

  constructor(method: string, { degradedHeader, search, headMaxBytes = HTTP_HEAD_MAX_BYTES }: Sought = {}) {
    this.#expectsNoBody = method === 'HEAD'
    this.#headMaxBytes = headMaxBytes
    this.#degradedHeader = degradedHeader
    this.#search = search
  }

  /** For the next response on the same connection. */
  reset(): void {
    this.status = 0
    this.statusLine = ''
    this.problem = ''
    this.saysDegraded = false
    this.asksToFail = false
    this.service = ''
    this.#state = 'status-line'
    this.#line = ''
    this.#field = ''
    this.#headBytes = 0
    this.#bodyBytes = 0
    this.#remaining = Number.POSITIVE_INFINITY
    this.#chunked = false
    this.#persists = false
    this.#isOverrun = false
  }

  /** After a complete response: whether another request may follow on the connection (RFC 9112 section 9.3). */
  get canPersist(): boolean {
    return this.isComplete && this.#persists && !this.#isOverrun && this.status !== SWITCHING_PROTOCOLS
  }

  /** Whether the body that is being read goes on until the target closes. */
  get endsWithConnection(): boolean {
    return this.#state === 'body' && this.#remaining === Number.POSITIVE_INFINITY
  }

  get isMalformed(): boolean {
    return this.#state === 'malformed'
  }

  /** Whether the final head was read: from here on the status is the verdict. */
  get hasHead(): boolean {
    return this.#state !== 'status-line' && this.#state !== 'headers' && this.#state !== 'malformed'
  }

  get isComplete(): boolean {
    return this.#state === 'complete'
  }

  /** Bytes of all response heads so far. */
  get headBytes(): number {
    return this.#headBytes
  }

  /** Takes the next bytes. `chunk` may be reused by the caller afterwards. */
  read(chunk: Buffer): void {
    let offset = 0
    while (offset < chunk.length && this.#state !== 'complete' && this.#state !== 'malformed') {
      offset =
        this.#state === 'body' || this.#state === 'chunk-data'
          ? this.#skip(chunk, offset)
          : this.#readLine(chunk, offset)
    }
    if (offset < chunk.length) this.#isOverrun = true
  }

  #readLine(chunk: Buffer, offset: number): number {
    const newline = chunk.indexOf(LF, offset)
    const end = newline < 0 ? chunk.length : newline + 1
    this.#count(end - offset)
    if (this.#state === 'malformed' || this.#state === 'complete') return end
    this.#line += chunk.toString('latin1', offset, newline < 0 ? end : newline)
    if (newline < 0) {
      if (this.#state === 'status-line' && !couldBeStatusLine(this.#line)) this.#refuse('no HTTP status line')
      return end
    }
    const line = this.#line.endsWith('\r') ? this.#line.slice(0, -1) : this.#line
    this.#line = ''
    this.#takeLine(line)
    return end
  }

  #takeLine(line: string): void {
    switch (this.#state) {
      case 'status-line':
        return this.#takeStatusLine(line)
      case 'headers':
        return this.#takeHeadLine(line)
      case 'chunk-size':
        return this.#takeChunkSize(line)
      case 'trailers':
        if (line === '') this.#state = 'complete'
        return
      case 'body':
      case 'chunk-data':
      case 'complete':
      case 'malformed':
        return
    }
  }

  #takeStatusLine(line: string): void {
    if (line === '') return
    const match = STATUS_LINE.exec(line)
    if (match === null) return this.#refuse('no HTTP status line')
    this.#state = 'headers'
    const status = Number(match[1])
    if (status < 200 && status !== SWITCHING_PROTOCOLS) return
    this.status = status
    this.statusLine = line
    this.#persists = line.charCodeAt(PREFIX.length) !== ZERO
  }

  /** A header line is looked at when the next one shows that it is complete. */
  #takeHeadLine(line: string): void {
    if (this.#field !== '' && isFolded(line)) {
      this.#field += line
      return
    }
    if (line !== '' && !HEADER_LINE.test(line)) return this.#refuse('a header line is not one')
    if (this.#field !== '' && this.status !== 0) this.#takeHeader(this.#field)
    this.#field = line
    if (line === '') this.#endHead()
  }

  #takeHeader(line: string): void {
    const colon = line.indexOf(':')
    if (colon === CONTENT_LENGTH.length && isNamed(line, CONTENT_LENGTH)) {
      this.#takeLength(line.slice(colon + 1).trim())
    } else if (colon === TRANSFER_ENCODING.length && isNamed(line, TRANSFER_ENCODING)) {
      this.#chunked = /(?:^|,)[ \t]*chunked[ \t]*$/i.test(line.slice(colon + 1))
    } else if (colon === CONNECTION.length && isNamed(line, CONNECTION)) {
      if (/(?:[ \t,]|:)close[ \t]*(?:,|$)/i.test(line)) this.#persists = false
      else if (/(?:[ \t,]|:)keep-alive[ \t]*(?:,|$)/i.test(line)) this.#persists = true
    } else if (colon === IMMEDIATE_FAIL_HEADER.length && isNamed(line, IMMEDIATE_FAIL_HEADER)) {
      this.asksToFail = true
    } else if (colon === SERVICE_HEADER.length && isNamed(line, SERVICE_HEADER)) {
      this.service = line.slice(colon + 1).trim()
    } else if (this.#degradedHeader !== undefined && colon === this.#degradedHeader.length) {
      if (isNamed(line, this.#degradedHeader)) this.saysDegraded = true
    }
  }

  #takeLength(length: string): void {
    if (!/^\d{1,15}$/.test(length)) return
    // Two lengths that differ: where the next response begins is unknown (RFC 9112 section 6.3).
    if (this.#remaining !== Number.POSITIVE_INFINITY && this.#remaining !== Number(length))
      this.#isOverrun = true
    this.#remaining = Number(length)
  }

  #endHead(): void {
    if (this.status === 0) {
      this.#state = 'status-line'
    } else if (this.#expectsNoBody || this.status < 200 || this.status === 204 || this.status === 304) {
      this.#state = 'complete'
    } else if (this.#chunked) {
      if (this.#remaining !== Number.POSITIVE_INFINITY) this.#isOverrun = true
      this.#state = 'chunk-size'
    } else {
      this.#state = this.#remaining === 0 ? 'complete' : 'body'
    }
  }

  #takeChunkSize(line: string): void {
    const match = CHUNK_SIZE.exec(line)
    const size = Number.parseInt(match?.[1] ?? '', 16)
    if (Number.isNaN(size)) {
      this.#isOverrun = true
      this.#state = 'complete'
    } else if (size === 0) {
      this.#state = 'trailers'
    } else {
      this.#remaining = Math.min(size, CHUNK_MAX) + 2
      this.#state = 'chunk-data'
    }
  }

  #skip(chunk: Buffer, offset: number): number {
    const taken = Math.min(chunk.length - offset, this.#remaining)
    if (this.#search !== undefined) {
      // A chunk's line end is counted with it, and is not content.
      const content = this.#state === 'body' ? taken : Math.min(taken, this.#remaining - 2)
      if (content > 0) this.#search.take(chunk.subarray(offset, offset + content))
    }
    this.#remaining -= taken
    this.#count(taken)
    if (this.#remaining === 0 && this.#state === 'body') this.#state = 'complete'
    if (this.#remaining === 0 && this.#state === 'chunk-data') this.#state = 'chunk-size'
    return offset + taken
  }

  #count(bytes: number): void {
    if (this.#state === 'status-line' || this.#state === 'headers') {
      this.#headBytes += bytes
      if (this.#headBytes > this.#headMaxBytes) this.#refuse(`the head exceeds ${this.#headMaxBytes} bytes`)
    } else {
      this.#bodyBytes += bytes
      if (this.#bodyBytes > HTTP_BODY_MAX_BYTES) {
        this.#isOverrun = true
        this.#state = 'complete'
      }
    }
  }

  #refuse(problem: string): void {
    this.problem = problem
    this.#state = 'malformed'
  }
}

/** Whether a line continues the header line before it. */
function isFolded(line: string): boolean {
  const first = line.charCodeAt(0)
  return (first === SPACE || first === TAB) && FOLDED_LINE.test(line)
}

/** Whether a header line has this name (in lower case, of the length that comes before its colon). */
function isNamed(line: string, name: string): boolean {
  return line.startsWith(name) || line.slice(0, name.length).toLowerCase() === name
}

/** `line` has no line end yet. */
function couldBeStatusLine(line: string): boolean {
  if (line === '\r') return true
  return line.length < PREFIX.length ? PREFIX.startsWith(line) : line.startsWith(PREFIX)
}
