/**
 * Expected blocks of bytes in an answer, as Envoy looks for them (docs/peers/probing.md 14): in order, not overlapping,
 * with anything between them, each at the leftmost place. Bytes come in pieces, and only the length of the partial
 * match of the next block is kept. Whatever block and answer are, each byte is read a bounded number of times (Knuth,
 * Morris and Pratt): a search that restarted after each near miss could block the event loop for seconds.
 */

export class BlockMatch {
  readonly #blocks: readonly Uint8Array[]
  #found = 0
  /** Bytes of the next block that the bytes so far end with. */
  #held = 0

  /** Blocks are not empty; an empty list is complete from the start. */
  constructor(blocks: readonly Uint8Array[]) {
    this.#blocks = blocks
  }

  get isComplete(): boolean {
    return this.#found === this.#blocks.length
  }

  /** Blocks found so far. */
  get found(): number {
    return this.#found
  }

  /** Reads the next bytes; the caller may reuse them afterwards. Returns whether all blocks have been found. */
  take(bytes: Uint8Array): boolean {
    let from = 0
    for (;;) {
      const block = this.#blocks[this.#found]
      if (block === undefined) return true
      from = this.#seek(block, bytes, from)
      if (this.#held < block.length) return false
      this.#found++
      this.#held = 0
    }
  }

  /** For another answer. */
  reset(): void {
    this.#found = 0
    this.#held = 0
  }

  /** Searches until the block is found or the bytes end. Returns where it stopped. */
  #seek(block: Uint8Array, bytes: Uint8Array, from: number): number {
    const first = block[0] ?? 0
    const borders = bordersOf(block)
    let held = this.#held
    let at = from
    while (held < block.length && at < bytes.length) {
      if (held === 0) {
        const next = bytes.indexOf(first, at)
        at = next < 0 ? bytes.length : next + 1
        if (next >= 0) held = 1
      } else if (bytes[at] === block[held]) {
        held++
        at++
      } else {
        held = borders[held - 1] ?? 0
      }
    }
    this.#held = held
    return at
  }
}

/** Blocks come with the configuration and each probe searches for them: prepared once. */
const knownBorders = new WeakMap<Uint8Array, Uint16Array>()

/** Of each beginning of a block, the length of the longest shorter one that it ends with. */
function bordersOf(block: Uint8Array): Uint16Array {
  const known = knownBorders.get(block)
  if (known !== undefined) return known
  const borders = new Uint16Array(block.length)
  for (let end = 1, length = 0; end < block.length; end++) {
    while (length > 0 && block[end] !== block[length]) length = borders[length - 1] ?? 0
    if (block[end] === block[length]) length++
    borders[end] = length
  }
  knownBorders.set(block, borders)
  return borders
}
