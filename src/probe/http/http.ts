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
import { fitsHttp2, Http2Conversation, type StreamExchange } from '../http2/http2.ts'
import { Http2HttpExchange } from '../http2/http2-exchange.ts'
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
}

/** The probe of HTTP, where a target may ask for TLS, or of HTTPS. */
export function makeProbeHttp(parts: HttpParts, type: 'HTTP' | 'HTTPS'): Probe {
  return makeStreamProbe(parts, {
    isSecure: type === 'HTTPS' ? () => true : isSecure,
    converse: (target) => converse(target, parts),
  })
}

function converse(target: ProbeTarget, parts: HttpParts): Conversation | string {
  const { http, http2, grpc, reuse } = target
  const scheme = isSecure(target) ? 'https' : 'http'
  if (grpc !== undefined) return overHttp2(GrpcExchange.of(grpc, { scheme, timeoutMs: target.timeoutMs }))
  if (http === undefined) throw new TypeError('an HTTP target says what to ask')
  const { table } = parts.bodyPatterns
  const problem = BodySearch.problemOf(http, table)
  if (problem !== undefined) return problem
  const askHttp2 = (request: HttpRequest): Conversation | string =>
    overHttp2(Http2HttpExchange.of(request, scheme, table), request.headMaxBytes)
  if (http.version === '2') return askHttp2(http)
  const bytes = parts.requests.of(http, reuse === undefined ? 'close' : 'keep')
  if (bytes === undefined) return UNSAFE
  const http1 = new Http1Conversation(http, bytes, BodySearch.of(http, table))
  if (http2 === undefined) return http1
  const other = askHttp2(http2)
  return typeof other === 'string' ? other : new AlpnConversation(http1, other)
}

function overHttp2(exchange: StreamExchange | undefined, headMaxBytes?: number): Conversation | string {
  if (exchange === undefined) return UNSAFE
  return fitsHttp2(exchange) ? new Http2Conversation(exchange, headMaxBytes) : TOO_LARGE
}
