/**
 * Expected blocks of bytes in an answer, as Envoy looks for them (probe-semantics 1.6): in order, not overlapping, with
 * anything between them, each at the leftmost place. Bytes come in pieces; no more is kept of them than the beginning of
 * a block that may go on in the next piece.
 */

const NOTHING = new Uint8Array(0)

export class BlockMatch {
  readonly #blocks: readonly Uint8Array[]
  #found = 0
  #tail: Uint8Array = NOTHING

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

  /** Looks at the next bytes, which are the caller's again afterwards. Returns whether all blocks have been found. */
  take(bytes: Uint8Array): boolean {
    if (this.isComplete) return true
    const seen = this.#tail.length === 0 ? bytes : joined(this.#tail, bytes)
    let from = 0
    for (;;) {
      const block = this.#blocks[this.#found]
      if (block === undefined) break
      const at = indexOf(seen, block, from)
      if (at < 0) {
        // A copy: `seen` may be the caller's (and a Buffer, whose `slice` is none).
        this.#tail = new Uint8Array(seen.subarray(Math.max(from, seen.length - block.length + 1)))
        return false
      }
      from = at + block.length
      this.#found++
    }
    this.#tail = NOTHING
    return true
  }

  /** For another answer. */
  reset(): void {
    this.#found = 0
    this.#tail = NOTHING
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length)
  both.set(first)
  both.set(second, first.length)
  return both
}

function indexOf(bytes: Uint8Array, block: Uint8Array, from: number): number {
  const first = block[0]
  if (first === undefined) return from
  const last = bytes.length - block.length
  for (let at = bytes.indexOf(first, from); at >= 0 && at <= last; at = bytes.indexOf(first, at + 1)) {
    let same = 1
    while (same < block.length && bytes[at + same] === block[same]) same++
    if (same === block.length) return at
  }
  return -1
}
