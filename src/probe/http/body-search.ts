/** Looks for what is expected in the first bytes of a body: blocks of text, a pattern. */
import { BlockMatch } from '../../domain/address/block-match.ts'
import { HTTP_BODY_MAX_BYTES } from '../../domain/limits.ts'
import type { BodyPattern, HttpRequest } from '../../domain/target/probe-target.ts'
import { type PatternTable, patternTable } from './body-pattern.ts'
import { PatternMatch } from './pattern-match.ts'

/** Where tables of patterns come from. */
export type TableOf = (pattern: BodyPattern) => PatternTable | string

export class BodySearch {
  readonly #blocks: BlockMatch
  readonly #pattern: PatternMatch | undefined
  readonly #limit: number
  #remaining: number

  private constructor(blocks: readonly Uint8Array[], pattern: PatternMatch | undefined, limit: number) {
    this.#blocks = new BlockMatch(blocks)
    this.#pattern = pattern
    this.#limit = limit
    this.#remaining = limit
  }

  /** Why what is expected cannot be looked for; undefined = it can. */
  static problemOf({ expectBodyPattern }: HttpRequest, tableOf: TableOf = patternTable): string | undefined {
    const table = expectBodyPattern === undefined ? undefined : tableOf(expectBodyPattern)
    return typeof table === 'string' ? `the pattern for the body: ${table}` : undefined
  }

  /** Undefined when the request expects nothing of the body. Throws TypeError when there is a `problemOf` it. */
  static of(
    { expectBody = [], expectBodyPattern, searchedBodyBytes = 0 }: HttpRequest,
    tableOf: TableOf = patternTable,
  ): BodySearch | undefined {
    if (expectBody.length === 0 && expectBodyPattern === undefined) return undefined
    const table = expectBodyPattern === undefined ? undefined : tableOf(expectBodyPattern)
    if (typeof table === 'string') throw new TypeError(table)
    const limit =
      searchedBodyBytes === 0 ? HTTP_BODY_MAX_BYTES : Math.min(searchedBodyBytes, HTTP_BODY_MAX_BYTES)
    return new BodySearch(expectBody, table === undefined ? undefined : new PatternMatch(table), limit)
  }

  /** Whether more of the body cannot change the answer. */
  get isDecided(): boolean {
    return this.#remaining === 0 || (this.#blocks.isComplete && this.#pattern?.isFound !== false)
  }

  /** The answer for the bytes so far, as if the body ended here. */
  get matches(): boolean {
    return this.#blocks.isComplete && this.#pattern?.isFoundAtEnd !== false
  }

  take(bytes: Uint8Array): void {
    if (this.isDecided) return
    const looked = bytes.length > this.#remaining ? bytes.subarray(0, this.#remaining) : bytes
    this.#remaining -= looked.length
    this.#blocks.take(looked)
    this.#pattern?.take(looked)
  }

  reset(): void {
    this.#blocks.reset()
    this.#pattern?.reset()
    this.#remaining = this.#limit
  }
}
