/**
 * HPACK (RFC 7541) as far as a probe needs it. Written: literals without indexing, not Huffman-coded. Read: everything
 * but a dynamic table, because our SETTINGS give the target none (SETTINGS_HEADER_TABLE_SIZE 0, sent before the first
 * request, so every response is encoded after the target has seen it). So a kept connection stores no headers.
 */
import type { Header } from '../../domain/target/probe-target.ts'
import { decodeHuffman } from './hpack-huffman.ts'

/** RFC 7541 appendix A: names, with the values of the few entries that have one. */
const STATIC_TABLE: readonly (readonly [name: string, value: string])[] = [
  [':authority', ''],
  [':method', 'GET'],
  [':method', 'POST'],
  [':path', '/'],
  [':path', '/index.html'],
  [':scheme', 'http'],
  [':scheme', 'https'],
  [':status', '200'],
  [':status', '204'],
  [':status', '206'],
  [':status', '304'],
  [':status', '400'],
  [':status', '404'],
  [':status', '500'],
  ['accept-charset', ''],
  ['accept-encoding', 'gzip, deflate'],
  ...(
    'accept-language accept-ranges accept access-control-allow-origin age allow authorization cache-control ' +
    'content-disposition content-encoding content-language content-length content-location content-range content-type ' +
    'cookie date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since ' +
    'last-modified link location max-forwards proxy-authenticate proxy-authorization range referer refresh retry-after ' +
    'server set-cookie strict-transport-security transfer-encoding user-agent vary via www-authenticate'
  )
    .split(' ')
    .map((name) => [name, ''] as const),
]

/** A header block. Names are in lower case, strings latin1. */
export function encodeHeaders(headers: readonly Header[]): Buffer {
  const parts: Buffer[] = []
  for (const { name, value } of headers) {
    parts.push(Buffer.from([0]), encodeString(name), encodeString(value))
  }
  return Buffer.concat(parts)
}

function encodeString(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1')
  const length: number[] = []
  let rest = bytes.length
  if (rest < 0x7f) {
    length.push(rest)
  } else {
    length.push(0x7f)
    for (rest -= 0x7f; rest >= 0x80; rest >>= 7) length.push((rest & 0x7f) | 0x80)
    length.push(rest)
  }
  return Buffer.concat([Buffer.from(length), bytes])
}

/**
 * Calls `take` with each header of a block, in order. False = the block is not valid, or refers to a dynamic table, of
 * which there is none.
 */
export function decodeHeaders(block: Uint8Array, take: (name: string, value: string) => void): boolean {
  const reader = new BlockReader(block)
  while (!reader.isAtEnd) {
    const first = reader.peek()
    if ((first & 0x80) !== 0) {
      const entry = STATIC_TABLE[reader.integer(7) - 1]
      if (entry === undefined) return false
      take(entry[0], entry[1])
    } else if ((first & 0xe0) === 0x20) {
      // A change of the size of the dynamic table: there is none, and it may not become one.
      if (reader.integer(5) !== 0) return false
    } else {
      // With incremental indexing (01), without (0000) or never (0001): the same without a table.
      const index = reader.integer((first & 0x40) === 0 ? 4 : 6)
      const name = index === 0 ? reader.string() : STATIC_TABLE[index - 1]?.[0]
      const value = reader.string()
      if (name === undefined || value === undefined) return false
      take(name, value)
    }
    if (reader.isBroken) return false
  }
  return true
}

/** Larger integers are of no use in a block of some KiB (RFC 7541 section 5.1: a limit is to be set). */
const INTEGER_OCTETS_MAX = 4

class BlockReader {
  isBroken = false
  readonly #block: Uint8Array
  #offset = 0

  constructor(block: Uint8Array) {
    this.#block = block
  }

  get isAtEnd(): boolean {
    return this.#offset >= this.#block.length
  }

  peek(): number {
    return this.#block[this.#offset] ?? 0
  }

  /** An integer with a prefix of so many bits (RFC 7541 section 5.1). */
  integer(prefixBits: number): number {
    const mask = (1 << prefixBits) - 1
    let value = this.#octet() & mask
    if (value < mask) return value
    for (let i = 0; i < INTEGER_OCTETS_MAX; i++) {
      const octet = this.#octet()
      value += (octet & 0x7f) * 2 ** (7 * i)
      if ((octet & 0x80) === 0) return value
    }
    this.isBroken = true
    return 0
  }

  /** A string, Huffman-coded or not (RFC 7541 section 5.2); undefined = it is not one. */
  string(): string | undefined {
    const isHuffman = (this.peek() & 0x80) !== 0
    const length = this.integer(7)
    const end = this.#offset + length
    if (this.isBroken || end > this.#block.length) return undefined
    const bytes = this.#block.subarray(this.#offset, end)
    this.#offset = end
    return isHuffman ? decodeHuffman(bytes) : Buffer.from(bytes).toString('latin1')
  }

  #octet(): number {
    const octet = this.#block[this.#offset++]
    if (octet === undefined) this.isBroken = true
    return octet ?? 0
  }
}
