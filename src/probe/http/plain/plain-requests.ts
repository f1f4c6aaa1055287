/** What the targets of the core ask, by slot: the bytes of their requests, and their conversations. */
import type { CodeSet } from '../../../domain/target/expected-codes.ts'
import type { ProbeTarget } from '../../../domain/target/probe-target.ts'
import type { Conversation, Line } from '../../wire/conversation.ts'
import type { BodyPatterns } from '../body-pattern.ts'
import { BodySearch } from '../body-search.ts'
import { Http1Conversation } from '../http1.ts'
import type { RenderedRequests } from '../http-request.ts'
import type { PlainAnswer } from './plain-head.ts'

/** What makes a plain answer pass. */
export interface PlainRule extends PlainAnswer {
  readonly expectedCodes: CodeSet
}

/** The request is sent by the core. */
export const LINE: Line = { write: () => undefined, tls: undefined }

export class PlainRequests {
  readonly #rendered: RenderedRequests
  readonly #patterns: BodyPatterns
  readonly #bytes: (Buffer | undefined)[] = []
  readonly #rules: (PlainRule | undefined)[] = []
  /** Of probes in flight whose answer is not plain. */
  readonly #conversations = new Map<number, Conversation>()

  constructor(parts: { readonly requests: RenderedRequests; readonly bodyPatterns: BodyPatterns }) {
    this.#rendered = parts.requests
    this.#patterns = parts.bodyPatterns
  }

  /** False: the prober says why it cannot be asked (http.ts). */
  canSend({ http, reuse }: ProbeTarget): boolean {
    if (http === undefined || BodySearch.problemOf(http, this.#patterns.table) !== undefined) return false
    return this.#rendered.of(http, reuse === undefined ? 'close' : 'keep') !== undefined
  }

  add(slot: number, { http, reuse }: ProbeTarget): void {
    if (http === undefined) throw new TypeError('an HTTP target says what to ask')
    const isKept = reuse !== undefined
    this.#bytes[slot] = this.#rendered.of(http, isKept ? 'keep' : 'close')
    const { expectBody = [], expectBodyPattern, degradedHeader, serviceName } = http
    const isSearched = expectBody.length > 0 || expectBodyPattern !== undefined
    const isPlain = !isSearched && degradedHeader === undefined && serviceName === undefined
    const { method, expectedCodes, headMaxBytes } = http
    this.#rules[slot] = isPlain
      ? { hasNoBody: method === 'HEAD', isKept, expectedCodes, headMaxBytes }
      : undefined
  }

  remove(slot: number): void {
    this.#bytes[slot] = undefined
    this.#rules[slot] = undefined
  }

  bytesOf(slot: number): Buffer {
    const bytes = this.#bytes[slot]
    if (bytes === undefined) throw new RangeError(`no target has slot ${slot}`)
    return bytes
  }

  /** Undefined where more than the status decides whether an answer passes, or more of it is kept than the status. */
  ruleOf(slot: number): PlainRule | undefined {
    return this.#rules[slot]
  }

  /** The conversation of a probe whose request is sent; undefined where none was needed yet. */
  begunConversation(slot: number): Conversation | undefined {
    return this.#conversations.get(slot)
  }

  /** The same, begun where there was none. */
  conversationOf(slot: number, { http }: ProbeTarget): Conversation {
    let conversation = this.#conversations.get(slot)
    if (conversation === undefined) {
      if (http === undefined) throw new TypeError('an HTTP target says what to ask')
      const search = BodySearch.of(http, this.#patterns.table)
      conversation = new Http1Conversation(http, this.bytesOf(slot), search)
      conversation.begin(LINE)
      this.#conversations.set(slot, conversation)
    }
    return conversation
  }

  endConversation(slot: number): void {
    this.#conversations.delete(slot)
  }
}
