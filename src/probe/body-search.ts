/** Looks for the expected blocks in the first bytes of a body. */
import { BlockMatch } from '../domain/block-match.ts'
import { HTTP_BODY_MAX_BYTES } from '../domain/limits.ts'
import type { HttpRequest } from '../domain/results.ts'

export class BodySearch {
  readonly #match: BlockMatch
  readonly #limit: number
  #remaining: number

  private constructor(blocks: readonly Uint8Array[], limit: number) {
    this.#match = new BlockMatch(blocks)
    this.#limit = limit
    this.#remaining = limit
  }

  /** Undefined when the request expects nothing of the body. */
  static of({ expectBody, searchedBodyBytes = 0 }: HttpRequest): BodySearch | undefined {
    if (expectBody === undefined || expectBody.length === 0) return undefined
    const limit =
      searchedBodyBytes === 0 ? HTTP_BODY_MAX_BYTES : Math.min(searchedBodyBytes, HTTP_BODY_MAX_BYTES)
    return new BodySearch(expectBody, limit)
  }

  /** Whether more of the body cannot change the answer. */
  get isDecided(): boolean {
    return this.#match.isComplete || this.#remaining === 0
  }

  get matches(): boolean {
    return this.#match.isComplete
  }

  take(bytes: Uint8Array): void {
    if (this.isDecided) return
    const looked = bytes.length > this.#remaining ? bytes.subarray(0, this.#remaining) : bytes
    this.#remaining -= looked.length
    this.#match.take(looked)
  }

  reset(): void {
    this.#match.reset()
    this.#remaining = this.#limit
  }
}
