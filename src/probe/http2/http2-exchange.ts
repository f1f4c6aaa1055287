/** An HTTP request and its response as one stream of HTTP/2 (RFC 9113 section 8); judged like HTTP/1.x. */
import type { Header, HttpRequest } from '../../domain/target/probe-target.ts'
import { BodySearch, type TableOf } from '../http/body-search.ts'
import type { Verdict } from '../wire/conversation.ts'
import { encodeHeaders } from './hpack.ts'
import { contentLength, probeHeaders } from '../http/http-request.ts'
import { IMMEDIATE_FAIL_HEADER, judgeResponse, SERVICE_HEADER } from '../http/http-verdict.ts'
import type { StreamExchange } from './http2.ts'

export class Http2HttpExchange implements StreamExchange {
  readonly headerBlock: Uint8Array
  readonly body: Uint8Array | undefined
  readonly #request: HttpRequest
  readonly #search: BodySearch | undefined
  #status = 0
  #pendingStatus = 0
  #isMalformed = false
  #saysDegraded = false
  #asksToFail = false
  #service = ''

  private constructor(request: HttpRequest, headerBlock: Uint8Array, tableOf: TableOf | undefined) {
    this.#request = request
    this.headerBlock = headerBlock
    this.body = request.body
    this.#search = BodySearch.of(request, tableOf)
  }

  /** Undefined when something in the request must not go on the wire. */
  static of(
    request: HttpRequest,
    scheme: 'http' | 'https',
    tableOf?: TableOf,
  ): Http2HttpExchange | undefined {
    const headers = http2Headers(request, scheme)
    return headers === undefined ? undefined : new Http2HttpExchange(request, encodeHeaders(headers), tableOf)
  }

  get hasHead(): boolean {
    return this.#status !== 0
  }

  get hasFirstByte(): boolean {
    return this.#status !== 0
  }

  reset(): void {
    this.#status = 0
    this.#pendingStatus = 0
    this.#isMalformed = false
    this.#forgetHeaders()
    this.#search?.reset()
  }

  #forgetHeaders(): void {
    this.#saysDegraded = false
    this.#asksToFail = false
    this.#service = ''
  }

  onHeader(name: string, value: string): void {
    // Trailers say nothing that is asked for.
    if (this.#status !== 0) return
    if (name === ':status') {
      if (this.#pendingStatus !== 0 || !/^[1-9]\d\d$/.test(value)) this.#isMalformed = true
      this.#pendingStatus = Number(value)
    } else if (name === IMMEDIATE_FAIL_HEADER) {
      this.#asksToFail = true
    } else if (name === SERVICE_HEADER) {
      this.#service = value
    } else if (name === this.#request.degradedHeader) {
      this.#saysDegraded = true
    }
  }

  onHeadersEnd(): Verdict | undefined {
    if (this.#status !== 0) return undefined
    if (this.#isMalformed || this.#pendingStatus === 0) {
      return { reason: 'RESPONSE_MALFORMED', detail: 'a response without a status' }
    }
    if (this.#pendingStatus >= 200) this.#status = this.#pendingStatus
    // The headers of an interim response do not count for the final one.
    else this.#forgetHeaders()
    this.#pendingStatus = 0
    return undefined
  }

  onBody(bytes: Uint8Array): undefined {
    this.#search?.take(bytes)
  }

  standing(): Verdict | undefined {
    return this.hasHead && this.#search?.isDecided !== false ? this.judge() : undefined
  }

  judge(): Verdict {
    return judgeResponse(this.#request, {
      status: this.#status,
      saysDegraded: this.#saysDegraded,
      asksToFail: this.#asksToFail,
      service: this.#service,
      bodyMatches: this.#search?.matches,
    })
  }
}

function http2Headers(request: HttpRequest, scheme: 'http' | 'https'): readonly Header[] | undefined {
  const headers = probeHeaders(request)
  if (headers === undefined) return undefined
  const length = contentLength(request)
  // CONNECT sends no pseudo-header except the authority (RFC 9113 section 8.5).
  const isConnect = request.method === 'CONNECT'
  return [
    { name: ':method', value: request.method },
    ...(isConnect ? [] : [{ name: ':scheme', value: scheme }]),
    ...(request.host === undefined ? [] : [{ name: ':authority', value: request.host }]),
    ...(isConnect ? [] : [{ name: ':path', value: request.path }]),
    ...headers.map(({ name, value }) => ({ name: name.toLowerCase(), value: value.trim() })),
    ...(length === undefined ? [] : [{ name: 'content-length', value: String(length) }]),
  ]
}
