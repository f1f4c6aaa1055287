/**
 * HTTP and HTTPS: connect, shake hands where TLS is spoken, ask in the version that the monitor wants or ALPN chose, judge
 * the response, close or keep the connection. Phases: connect, TLS, first byte (the status line). Why not undici: docs/adr/0002-own-http-writer.md.
 */
import type { HttpRequest, ProbeTarget } from '../../domain/results.ts'
import { AlpnConversation } from './alpn-conversation.ts'
import { BodySearch } from './body-search.ts'
import type { Conversation } from '../wire/conversation.ts'
import { GrpcExchange } from '../grpc/grpc.ts'
import { Http1Conversation } from './http1.ts'
import { fitsHttp2, Http2Conversation, type StreamExchange } from '../http2/http2.ts'
import { Http2HttpExchange } from '../http2/http2-exchange.ts'
import { renderHttpRequest } from './http-request.ts'
import { makeStreamProbe } from '../wire/stream-attempt.ts'

/** Whether a target is spoken to below TLS. */
export function isSecure({ type, tls }: Pick<ProbeTarget, 'type' | 'tls'>): boolean {
  return type === 'HTTPS' || tls !== undefined
}

const UNSAFE = 'the request has characters that must not go on the wire'
const TOO_LARGE = 'the request is larger than HTTP/2 lets a client begin with'

function converse(target: ProbeTarget): Conversation | string {
  const { http, http2, grpc, reuse } = target
  const scheme = isSecure(target) ? 'https' : 'http'
  if (grpc !== undefined) return overHttp2(GrpcExchange.of(grpc, { scheme, timeoutMs: target.timeoutMs }))
  if (http === undefined) throw new TypeError('an HTTP target says what to ask')
  const problem = BodySearch.problemOf(http)
  if (problem !== undefined) return problem
  if (http.version === '2') return askHttp2(http, scheme)
  const asked = askHttp1(http, reuse === undefined ? 'close' : 'keep')
  if (http2 === undefined || typeof asked === 'string') return asked
  const other = askHttp2(http2, scheme)
  return typeof other === 'string' ? other : new AlpnConversation(asked, other)
}

function askHttp1(request: HttpRequest, connection: 'close' | 'keep'): Conversation | string {
  const bytes = renderHttpRequest(request, connection)
  return bytes === undefined ? UNSAFE : new Http1Conversation(request, bytes)
}

function askHttp2(request: HttpRequest, scheme: 'http' | 'https'): Conversation | string {
  return overHttp2(Http2HttpExchange.of(request, scheme), request.headMaxBytes)
}

function overHttp2(exchange: StreamExchange | undefined, headMaxBytes?: number): Conversation | string {
  if (exchange === undefined) return UNSAFE
  return fitsHttp2(exchange) ? new Http2Conversation(exchange, headMaxBytes) : TOO_LARGE
}

export const probeHttp = makeStreamProbe({ isSecure, converse })
export const probeHttps = makeStreamProbe({ isSecure: () => true, converse })
