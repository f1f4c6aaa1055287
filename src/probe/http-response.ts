/**
 * Reads one HTTP/1.x response, chunk by chunk, and remembers only its status: RFC 9112, a lone LF taken as a line end
 * (section 2.2), obsolete line folding tolerated.
 *
 * States: status line → header lines → (interim 1xx: status line again) → body → complete. Everything is bounded: all
 * heads together by HTTP_HEAD_MAX_BYTES, the body with its framing by HTTP_BODY_MAX_BYTES. The verdict is the status: once
 * the head is complete nothing in the body can make the response malformed, it only ends the reading.
 */
import { HTTP_BODY_MAX_BYTES, HTTP_HEAD_MAX_BYTES } from '../domain/limits.ts'

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
const PREFIX = 'HTTP/1.'
const STATUS_LINE = /^HTTP\/1\.\d ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/
const HEADER_LINE = /^(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:|[ \t])[\t\x20-\x7e\x80-\xff]*$/
const CHUNK_SIZE = /^([0-9a-fA-F]{1,8})[ \t]*(?:;|$)/
const CONTENT_LENGTH = 'content-length'
const TRANSFER_ENCODING = 'transfer-encoding'
/** 101 is final: what follows it is another protocol, which nobody asked for (RFC 9110 section 15.2.2). */
const SWITCHING_PROTOCOLS = 101

export class HttpResponseReader {
  /** The status of the final response; 0 until its status line was read. */
  status = 0
  /** Why the response is malformed, for people. */
  problem = ''
  readonly #expectsNoBody: boolean
  #state: State = 'status-line'
  #line = ''
  #headBytes = 0
  #bodyBytes = 0
  /** Bytes of the body, or of a chunk and its line end, that are still to come. */
  #remaining = Number.POSITIVE_INFINITY
  #chunked = false

  constructor(method: string) {
    this.#expectsNoBody = method === 'HEAD'
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
        return line === '' ? this.#endHead() : this.#takeHeader(line)
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
    const match = STATUS_LINE.exec(line)
    if (match === null) return this.#refuse('no HTTP status line')
    this.#state = 'headers'
    const status = Number(match[1])
    if (status >= 200 || status === SWITCHING_PROTOCOLS) this.status = status
  }

  #takeHeader(line: string): void {
    if (!HEADER_LINE.test(line)) return this.#refuse('a header line is not one')
    if (this.status === 0) return
    const colon = line.indexOf(':')
    if (colon === CONTENT_LENGTH.length && line.slice(0, colon).toLowerCase() === CONTENT_LENGTH) {
      const length = line.slice(colon + 1).trim()
      if (/^\d{1,15}$/.test(length)) this.#remaining = Number(length)
    } else if (
      colon === TRANSFER_ENCODING.length &&
      line.slice(0, colon).toLowerCase() === TRANSFER_ENCODING
    ) {
      this.#chunked = /(?:^|,)[ \t]*chunked[ \t]*$/i.test(line.slice(colon + 1))
    }
  }

  #endHead(): void {
    if (this.status === 0) {
      this.#state = 'status-line'
    } else if (this.#expectsNoBody || this.status < 200 || this.status === 204 || this.status === 304) {
      this.#state = 'complete'
    } else if (this.#chunked) {
      this.#state = 'chunk-size'
    } else {
      this.#state = this.#remaining === 0 ? 'complete' : 'body'
    }
  }

  #takeChunkSize(line: string): void {
    const match = CHUNK_SIZE.exec(line)
    const size = Number.parseInt(match?.[1] ?? '', 16)
    if (Number.isNaN(size)) {
      this.#state = 'complete'
    } else if (size === 0) {
      this.#state = 'trailers'
    } else {
      this.#remaining = size + 2
      this.#state = 'chunk-data'
    }
  }

  #skip(chunk: Buffer, offset: number): number {
    const taken = Math.min(chunk.length - offset, this.#remaining)
    this.#remaining -= taken
    this.#count(taken)
    if (this.#remaining === 0 && this.#state === 'body') this.#state = 'complete'
    if (this.#remaining === 0 && this.#state === 'chunk-data') this.#state = 'chunk-size'
    return offset + taken
  }

  #count(bytes: number): void {
    if (this.#state === 'status-line' || this.#state === 'headers') {
      this.#headBytes += bytes
      if (this.#headBytes > HTTP_HEAD_MAX_BYTES) this.#refuse(`the head exceeds ${HTTP_HEAD_MAX_BYTES} bytes`)
    } else {
      this.#bodyBytes += bytes
      if (this.#bodyBytes > HTTP_BODY_MAX_BYTES) this.#state = 'complete'
    }
  }

  #refuse(problem: string): void {
    this.problem = problem
    this.#state = 'malformed'
  }
}

function couldBeStatusLine(line: string): boolean {
  return line.length < PREFIX.length ? PREFIX.startsWith(line) : line.startsWith(PREFIX)
}
