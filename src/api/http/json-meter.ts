/**
 * Counts the parts of a JSON text while its bytes come in: depth, keys and items. It neither parses nor validates; it
 * makes sure that the parser gets a bounded text.
 */
import { DomainError } from '../../domain/errors.ts'
import { BODY_DEPTH_MAX, BODY_KEYS_MAX } from '../../domain/limits.ts'

const QUOTE = 0x22
const COMMA = 0x2c
const OPEN_ARRAY = 0x5b
const BACKSLASH = 0x5c
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

export class JsonMeter {
  readonly #valuesMax: number
  /** Entries of the array or object that is open at each depth; NaN in arrays, which only count in all. */
  readonly #entries = new Float64Array(BODY_DEPTH_MAX + 1).fill(Number.NaN)
  #depth = 0
  #values = 0
  #inText = false
  #isEscaped = false

  /** `valuesMax`: keys and items in all. */
  constructor(valuesMax: number) {
    this.#valuesMax = valuesMax
  }

  /** Reads the next bytes. Throws BODY_TOO_COMPLEX as soon as a bound is passed. */
  feed(bytes: Uint8Array): void {
    let inText = this.#inText
    let isEscaped = this.#isEscaped
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i]
      if (inText) {
        if (isEscaped) isEscaped = false
        else if (byte === BACKSLASH) isEscaped = true
        else if (byte === QUOTE) inText = false
      } else if (byte === QUOTE) inText = true
      else if (byte === COMMA) this.#count()
      else if (byte === OPEN_ARRAY) this.#open(Number.NaN)
      else if (byte === OPEN_OBJECT) this.#open(0)
      else if ((byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) && this.#depth > 0) this.#depth--
    }
    this.#inText = inText
    this.#isEscaped = isEscaped
  }

  #open(entries: number): void {
    if (this.#depth === BODY_DEPTH_MAX) {
      throw tooComplex(`The body is nested more than ${BODY_DEPTH_MAX} levels deep.`, BODY_DEPTH_MAX)
    }
    this.#entries[++this.#depth] = entries
    this.#count()
  }

  #count(): void {
    if (++this.#values > this.#valuesMax) {
      throw tooComplex(`The body has more than ${this.#valuesMax} keys and items.`, this.#valuesMax)
    }
    const entries = (this.#entries[this.#depth] ?? 0) + 1
    if (entries > BODY_KEYS_MAX) {
      throw tooComplex(`An object in the body has more than ${BODY_KEYS_MAX} keys.`, BODY_KEYS_MAX)
    }
    this.#entries[this.#depth] = entries
  }
}

function tooComplex(message: string, max: number): DomainError {
  return new DomainError('BODY_TOO_COMPLEX', message, { max })
}
