/** Random 32-bit numbers that nobody can guess, many per call of the generator. */
import { randomFillSync } from 'node:crypto'

const WORDS = 1024

export class RandomWords {
  readonly #words = new Uint32Array(WORDS)
  #left = 0

  next(): number {
    if (this.#left === 0) {
      randomFillSync(this.#words)
      this.#left = WORDS
    }
    return this.#words[--this.#left]!
  }
}
