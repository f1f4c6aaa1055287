/**
 * HTTP and HTTPS: connect, do the TLS handshake if there is TLS, send the request in the version that the monitor sets
 * or ALPN chose, judge the response, close or keep the connection. Phases: connect, TLS, first byte (the status line).
 * Why not undici: docs/adr/0002-own-http-writer.md.
 */
import type { HttpRequest, ProbeTarget } from '../../domain/target/probe-target.ts'
import { AlpnConversation } from './alpn-conversation.ts'
import { BodySearch } from './body-search.ts'
import type { Conversation } from '../wire/conversation.ts'
import { GrpcExchange } from '../grpc/grpc.ts'
import { Http1Conversation } from './http1.ts'
import { Http2Conversation, type StreamExchange } from '../http2/http2.ts'
import { Http2HttpExchange } from '../http2/http2-exchange.ts'
import type { Http2Requests } from '../http2/http2-request.ts'
import type { RenderedRequests } from './http-request.ts'
import type { Probe } from '../probe.ts'
import type { BodyPatterns } from './body-pattern.ts'
import type { StreamParts } from '../wire/stream-parts.ts'
import { makeStreamProbe } from '../wire/stream-attempt.ts'

/** Whether a target is spoken to over TLS. */
export function isSecure({ type, tls }: Pick<ProbeTarget, 'type' | 'tls'>): boolean {
  return type === 'HTTPS' || tls !== undefined
}

const UNSAFE = 'the request has characters that must not go on the wire'
const TOO_LARGE = 'the request is larger than HTTP/2 lets a client begin with'

/** What HTTP probes share: a part of the `ProbeRuntime`. */
export interface HttpParts extends StreamParts {
  readonly bodyPatterns: BodyPatterns
  readonly requests: RenderedRequests
  readonly http2Requests: Http2Requests
}

/** The probe of HTTP, where a target may ask for TLS, or of HTTPS. */
export function makeProbeHttp(parts: HttpParts, type: 'HTTP' | 'HTTPS'): Probe {
  return makeStreamProbe(parts, {
    isSecure: type === 'HTTPS' ? () => true : isSecure,
    converse: (target) => converse(target, parts),
  })
}

function converse(target: ProbeTarget, parts: HttpParts): Conversation | string {
  const { http, http2, grpc, reuse, timeoutMs } = target
  const scheme = isSecure(target) ? 'https' : 'http'
  const { http2Requests: requests } = parts
  const isKept = reuse !== undefined
  if (grpc !== undefined) return overHttp2(GrpcExchange.of(grpc, { scheme, timeoutMs, requests }), { isKept })
  if (http === undefined) throw new TypeError('an HTTP target says what to ask')
  const { table: tableOf } = parts.bodyPatterns
  const problem = BodySearch.problemOf(http, tableOf)
  if (problem !== undefined) return problem
  const askHttp2 = (request: HttpRequest): Conversation | string =>
    overHttp2(Http2HttpExchange.of(request, scheme, { tableOf, requests }), {
      headMaxBytes: request.headMaxBytes,
      isKept,
    })
  if (http.version === '2') return askHttp2(http)
  const bytes = parts.requests.of(http, isKept ? 'keep' : 'close')
  if (bytes === undefined) return UNSAFE
  const http1 = new Http1Conversation(http, bytes, BodySearch.of(http, tableOf))
  if (http2 === undefined) return http1
  const other = askHttp2(http2)
  return typeof other === 'string' ? other : new AlpnConversation(http1, other)
}

function overHttp2(
  exchange: StreamExchange | undefined,
  how: ConstructorParameters<typeof Http2Conversation>[1],
): Conversation | string {
  if (exchange === undefined) return UNSAFE
  return exchange.request.fits ? new Http2Conversation(exchange, how) : TOO_LARGE
}
