/**
 * HTTP and HTTPS: connect, for HTTPS shake hands, ask in the version that the monitor wants, judge the response, close or
 * keep the connection. Phases: connect, TLS, first byte (the status line). Why not undici: docs/adr/0002-own-http-writer.md.
 */
import type { HttpRequest, ProbeTarget } from '../domain/results.ts'
import type { Conversation } from './conversation.ts'
import { GrpcExchange } from './grpc.ts'
import { Http1Conversation } from './http1.ts'
import { fitsHttp2, Http2Conversation, type StreamExchange } from './http2.ts'
import { Http2HttpExchange } from './http2-exchange.ts'
import { renderHttpRequest } from './http-request.ts'
import { makeStreamProbe } from './stream-attempt.ts'

const UNSAFE = 'the request has characters that must not go on the wire'
const TOO_LARGE = 'the request is larger than HTTP/2 lets a client begin with'

function converse(target: ProbeTarget): Conversation | string {
  const { http, grpc, reuse } = target
  if (grpc !== undefined) return overHttp2(GrpcExchange.of(grpc, target))
  if (http === undefined) throw new TypeError('an HTTP target says what to ask')
  if (http.version === '2') {
    return overHttp2(Http2HttpExchange.of(http, target.type === 'HTTPS' ? 'https' : 'http'))
  }
  return overHttp1(http, reuse === undefined ? 'close' : 'keep')
}

function overHttp1(request: HttpRequest, connection: 'close' | 'keep'): Conversation | string {
  const bytes = renderHttpRequest(request, connection)
  return bytes === undefined ? UNSAFE : new Http1Conversation(request, bytes)
}

function overHttp2(exchange: StreamExchange | undefined): Conversation | string {
  if (exchange === undefined) return UNSAFE
  return fitsHttp2(exchange) ? new Http2Conversation(exchange) : TOO_LARGE
}

export const probeHttp = makeStreamProbe({ isSecure: () => false, converse })
export const probeHttps = makeStreamProbe({ isSecure: () => true, converse })
