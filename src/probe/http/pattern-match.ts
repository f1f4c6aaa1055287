/**
 * Searches a text that comes in pieces for a pattern: one look-up per character, and only the state is kept. The text
 * is UTF-8; an invalid byte counts as U+FFFD, as in Go and RE2.
 */
import { columnOf, type PatternTable } from './body-pattern.ts'

const REPLACEMENT = 0xfffd

export class PatternMatch {
  readonly #table: PatternTable
  #state: number
  /** A character of several bytes that is incomplete: its bits, its bytes so far and the number of missing bytes. */
  #bits = 0
  #bytes = 0
  #missing = 0
  /** What its next byte may be. */
  #low = 0x80
  #high = 0xbf

  constructor(table: PatternTable) {
    this.#table = table
    this.#state = table.start
  }

  /** Whether the pattern was found, whatever follows. */
  get isFound(): boolean {
    return this.#state === 0
  }

  /** Whether the pattern is found if the text ends here. */
  get isFoundAtEnd(): boolean {
    let state = this.#state
    for (let i = 0; i < this.#bytes; i++) state = this.#after(state, REPLACEMENT)
    return this.#table.foundAtEnd[state] === 1
  }

  reset(): void {
    this.#state = this.#table.start
    this.#bytes = 0
    this.#missing = 0
  }

  take(bytes: Uint8Array): void {
    const { next, width, asciiColumn } = this.#table
    let state = this.#state
    for (let i = 0; i < bytes.length && state !== 0; i++) {
      const byte = bytes[i] ?? 0
      if (byte < 0x80 && this.#missing === 0) {
        state = next[state * width + (asciiColumn[byte] ?? 0)] ?? 0
      } else {
        this.#state = state
        this.#takeByte(byte)
        state = this.#state
      }
    }
    this.#state = state
  }

  #takeByte(byte: number): void {
    if (this.#missing > 0) {
      if (byte >= this.#low && byte <= this.#high) return this.#goOn(byte)
      for (; this.#bytes > 0; this.#bytes--) this.#step(REPLACEMENT)
      this.#missing = 0
    }
    if (byte < 0x80) this.#step(byte)
    else this.#begin(byte)
  }

  /**
   * The first of several bytes, and the bytes that may follow it: no overlong form, no surrogate, nothing above
   * U+10FFFF (RFC 3629 section 4).
   */
  #begin(byte: number): void {
    if (byte < 0xc2 || byte > 0xf4) return this.#step(REPLACEMENT)
    this.#missing = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3
    this.#bits = byte & (0x3f >> this.#missing)
    this.#bytes = 1
    this.#low = byte === 0xe0 ? 0xa0 : byte === 0xf0 ? 0x90 : 0x80
    this.#high = byte === 0xed ? 0x9f : byte === 0xf4 ? 0x8f : 0xbf
  }

  #goOn(byte: number): void {
    this.#bits = (this.#bits << 6) | (byte & 0x3f)
    this.#bytes++
    this.#low = 0x80
    this.#high = 0xbf
    if (--this.#missing > 0) return
    this.#bytes = 0
    this.#step(this.#bits)
  }

  #step(rune: number): void {
    this.#state = this.#after(this.#state, rune)
  }

  #after(state: number, rune: number): number {
    const { next, width } = this.#table
    return state === 0 ? 0 : (next[state * width + columnOf(this.#table, rune)] ?? 0)
  }
}
