/** An HTTP request and its response as one stream of HTTP/2 (RFC 9113 section 8); judged like HTTP/1.x. */
import type { Header, HttpRequest } from '../../domain/target/probe-target.ts'
import { BodySearch, type TableOf } from '../http/body-search.ts'
import type { Verdict } from '../wire/conversation.ts'
import { contentLength, probeHeaders } from '../http/http-request.ts'
import { IMMEDIATE_FAIL_HEADER, judgeResponse, SERVICE_HEADER } from '../http/http-verdict.ts'
import type { StreamExchange } from './http2.ts'
import { Http2Request, Http2Requests } from './http2-request.ts'

/** What exchanges share. */
export interface Http2Parts {
  readonly tableOf?: TableOf
  readonly requests?: Http2Requests
}

export class Http2HttpExchange implements StreamExchange {
  readonly request: Http2Request
  readonly #asked: HttpRequest
  readonly #search: BodySearch | undefined
  #status = 0
  #pendingStatus = 0
  #isMalformed = false
  #saysDegraded = false
  #asksToFail = false
  #service = ''

  private constructor(asked: HttpRequest, request: Http2Request, tableOf: TableOf | undefined) {
    this.#asked = asked
    this.request = request
    this.#search = BodySearch.of(asked, tableOf)
  }

  /** Undefined when something in the request must not go on the wire. `requests`: where it is kept. */
  static of(
    asked: HttpRequest,
    scheme: 'http' | 'https',
    { tableOf, requests = new Http2Requests() }: Http2Parts = {},
  ): Http2HttpExchange | undefined {
    const request = requests.of(asked, scheme, () => {
      const headers = http2Headers(asked, scheme)
      return headers && new Http2Request(headers, asked.body)
    })
    return request && new Http2HttpExchange(asked, request, tableOf)
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
    } else if (name === this.#asked.degradedHeader) {
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
    return judgeResponse(this.#asked, {
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
