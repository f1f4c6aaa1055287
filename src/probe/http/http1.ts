/**
 * HTTP/1.0 and 1.1 on a connection: one request, one response, judged by its head and, where the monitor asks for it,
 * by its body. No redirects. Once the head is complete (and the expected bytes were found, or can no longer come) the
 * verdict is final: a body that is incomplete at the deadline, that is cut off, or that is larger than the limit does
 * not change it.
 */
import type { HttpRequest } from '../../domain/target/probe-target.ts'
import type { BodySearch } from './body-search.ts'
import type { Conversation, Line, Verdict } from '../wire/conversation.ts'
import { HttpResponseReader } from './http-response.ts'
import { judgeResponse } from './http-verdict.ts'

export class Http1Conversation implements Conversation {
  readonly #request: HttpRequest
  readonly #bytes: Buffer
  readonly #reader: HttpResponseReader
  readonly #search: BodySearch | undefined

  /** `bytes`: the request as it is sent; `search`: looks for the expected content of the body. */
  constructor(request: HttpRequest, bytes: Buffer, search: BodySearch | undefined) {
    this.#request = request
    this.#bytes = bytes
    this.#search = search
    this.#reader = new HttpResponseReader(request.method, {
      degradedHeader: request.degradedHeader,
      headMaxBytes: request.headMaxBytes,
      search: this.#search,
    })
  }

  get hasBegunToAnswer(): boolean {
    return this.#reader.headBytes > 0
  }

  get hasFirstByte(): boolean {
    return this.#reader.status !== 0
  }

  get phase(): string {
    const { headBytes, hasHead } = this.#reader
    if (hasHead) return 'reading the response body'
    return headBytes === 0 ? 'waiting for the status line' : 'reading the response head'
  }

  get canGoOn(): boolean {
    return this.#reader.canPersist
  }

  begin(line: Line): undefined {
    this.#reader.reset()
    this.#search?.reset()
    line.write(this.#bytes)
  }

  read(chunk: Buffer): Verdict | undefined {
    const reader = this.#reader
    reader.read(chunk)
    if (reader.isComplete) return this.#judge()
    if (reader.isMalformed) return { reason: 'RESPONSE_MALFORMED', detail: reader.problem }
    return undefined
  }

  ended(how: 'closed' | 'reset'): Verdict {
    const reader = this.#reader
    // A body without a length ends with the connection (RFC 9112 section 6.3).
    if (reader.hasHead && how === 'closed' && reader.endsWithConnection) return this.#judge()
    const standing = this.standing()
    if (standing !== undefined) return standing
    const where = reader.hasHead
      ? 'within the response body'
      : reader.headBytes === 0
        ? 'before the status line'
        : 'within the response head'
    return { reason: 'RECV_CLOSED', detail: `${how} ${where}` }
  }

  standing(): Verdict | undefined {
    return this.#reader.hasHead && this.#search?.isDecided !== false ? this.#judge() : undefined
  }

  /** A response without a request, or a notice that the target's idle timeout has ended. */
  readIdle(): boolean {
    return false
  }

  #judge(): Verdict {
    const { status, statusLine, saysDegraded, asksToFail, service } = this.#reader
    const verdict = judgeResponse(this.#request, {
      status,
      saysDegraded,
      asksToFail,
      service,
      bodyMatches: this.#search?.matches,
    })
    return verdict.reason === 'PASSED' ? verdict : { ...verdict, statusLine }
  }
}
