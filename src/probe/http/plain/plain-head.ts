/**
 * Reads a response that is all there and has nothing to it: a status line, header lines that end with CRLF, and a body
 * whose length a Content-Length says. It looks at bytes, and makes no text. Anything else it does not understand, and
 * leaves to the parser (http-response.ts), which decides what is lenient and what is malformed.
 *
 * What it understands the parser understands in the same way: a test compares the two on random answers.
 */
import { HTTP_HEAD_MAX_BYTES } from '../../../domain/limits.ts'

/** It was not understood, or is not complete. */
export const NOT_PLAIN = 0

const BEGINNING = Buffer.from('HTTP/1.', 'latin1')
const CONTENT_LENGTH = Buffer.from('content-length', 'latin1')
const TRANSFER_ENCODING = Buffer.from('transfer-encoding', 'latin1')
const CONNECTION = Buffer.from('connection', 'latin1')
const KEEP_ALIVE = Buffer.from('keep-alive', 'latin1')
const MINOR_AT = BEGINNING.length
const STATUS_AT = MINOR_AT + 2
const CR = 0x0d
const LF = 0x0a
const SPACE = 0x20
const TAB = 0x09
const COLON = 0x3a
const ZERO = 0x30
const NO_LENGTH = -1
/** Lengths that are surely longer than what one read holds. */
const LENGTH_MAX = 1e9

/** 1 = a character of a header's name (RFC 9110 section 5.6.2). */
const IS_TOKEN = new Uint8Array(256)
for (const character of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
  IS_TOKEN[character.charCodeAt(0)] = 1

/** What is known of an answer before it comes. */
export interface PlainAnswer {
  /** It answers a HEAD. */
  readonly hasNoBody: boolean
  /** The connection is to go on after it: nothing may follow it, nor forbid that (RFC 9112 section 9.3). */
  readonly isKept: boolean
  /** As HttpRequest.headMaxBytes. */
  readonly headMaxBytes?: number | undefined
}

/** The status of the response that the first `end` bytes are, or NOT_PLAIN. */
export function plainStatus(bytes: Uint8Array, end: number, answer: PlainAnswer): number {
  const { isKept, headMaxBytes = HTTP_HEAD_MAX_BYTES } = answer
  const status = statusOf(bytes, end)
  if (status < 200 || (isKept && bytes[MINOR_AT] === ZERO)) return NOT_PLAIN
  let length = NO_LENGTH
  for (let at = lineEnd(bytes, STATUS_AT + 3, end); at > 0; ) {
    if (bytes[at] === CR) {
      const body = at + 2
      if (body > end || bytes[at + 1] !== LF || body > headMaxBytes) return NOT_PLAIN
      return isWhole(end - body, hasBody(status, answer) ? length : 0, isKept) ? status : NOT_PLAIN
    }
    const colon = nameEnd(bytes, at, end)
    if (colon === 0 || isNamed(bytes, at, colon, TRANSFER_ENCODING)) return NOT_PLAIN
    const next = lineEnd(bytes, colon + 1, end)
    if (isNamed(bytes, at, colon, CONTENT_LENGTH)) {
      if (length !== NO_LENGTH) return NOT_PLAIN
      length = lengthOf(bytes, colon + 1, next - 2)
      if (length === NO_LENGTH) return NOT_PLAIN
    }
    if (isKept && isNamed(bytes, at, colon, CONNECTION) && !isKeepAlive(bytes, colon + 1, next - 2))
      return NOT_PLAIN
    at = next
  }
  return NOT_PLAIN
}

function hasBody(status: number, { hasNoBody }: PlainAnswer): boolean {
  return !hasNoBody && status !== 204 && status !== 304
}

/** Whether `count` bytes behind the head are a body of this length (NO_LENGTH: one that is not said), with nothing behind it where the connection is kept. */
function isWhole(count: number, length: number, isKept: boolean): boolean {
  return length !== NO_LENGTH && (isKept ? count === length : count >= length)
}

function statusOf(bytes: Uint8Array, end: number): number {
  if (end <= STATUS_AT + 3) return NOT_PLAIN
  for (let i = 0; i < BEGINNING.length; i++) if (bytes[i] !== BEGINNING[i]) return NOT_PLAIN
  if (!isDigit(bytes[MINOR_AT]!) || bytes[MINOR_AT + 1] !== SPACE) return NOT_PLAIN
  let status = 0
  for (let i = STATUS_AT; i < STATUS_AT + 3; i++) {
    if (!isDigit(bytes[i]!)) return NOT_PLAIN
    status = status * 10 + bytes[i]! - ZERO
  }
  const after = bytes[STATUS_AT + 3]
  return after === SPACE || after === CR ? status : NOT_PLAIN
}

/** Where the line after this one begins; 0 = this one does not end here with CRLF, or has a character that it may not. */
function lineEnd(bytes: Uint8Array, from: number, end: number): number {
  for (let i = from; i < end; i++) {
    const byte = bytes[i]!
    if (byte > CR) continue
    if (byte === CR) return i + 1 < end && bytes[i + 1] === LF ? i + 2 : 0
    if (byte === LF || byte === 0) return 0
  }
  return 0
}

/** Where the colon behind a header's name is; 0 = there is none. */
function nameEnd(bytes: Uint8Array, from: number, end: number): number {
  let i = from
  while (i < end && IS_TOKEN[bytes[i]!] === 1) i++
  return i > from && i < end && bytes[i] === COLON ? i : 0
}

/** `name` is in lower case; letters of a token differ from those by one bit. */
function isNamed(bytes: Uint8Array, from: number, to: number, name: Uint8Array): boolean {
  if (to - from !== name.length) return false
  for (let i = 0; i < name.length; i++) {
    const wanted = name[i]!
    const byte = bytes[from + i]!
    if (byte !== wanted && (wanted < 0x61 || (byte | 0x20) !== wanted)) return false
  }
  return true
}

/** Whether the connection goes on, and nothing else is said of it. */
function isKeepAlive(bytes: Uint8Array, from: number, to: number): boolean {
  let start = from
  while (start < to && isBlank(bytes[start]!)) start++
  return isNamed(bytes, start, to, KEEP_ALIVE)
}

/** The number between blanks; NO_LENGTH for anything else. */
function lengthOf(bytes: Uint8Array, from: number, to: number): number {
  let start = from
  let end = to
  while (start < end && isBlank(bytes[start]!)) start++
  while (end > start && isBlank(bytes[end - 1]!)) end--
  if (start === end) return NO_LENGTH
  let length = 0
  for (let i = start; i < end; i++) {
    if (!isDigit(bytes[i]!)) return NO_LENGTH
    length = length * 10 + bytes[i]! - ZERO
    if (length > LENGTH_MAX) return NO_LENGTH
  }
  return length
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= 0x39
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB
}
