/**
 * HTTP and HTTPS: connect, for HTTPS shake hands, ask in the version that the monitor wants, judge the response, close or
 * keep the connection. Phases: connect, TLS, first byte (the status line). Why not undici: docs/adr/0002-own-http-writer.md.
 */
import type { ProbeTarget } from '../domain/results.ts'
import type { Conversation } from './conversation.ts'
import { Http1Conversation } from './http1.ts'
import { renderHttpRequest } from './http-request.ts'
import { makeStreamProbe } from './stream-attempt.ts'

const UNSAFE = 'the request has characters that must not go on the wire'

function converse({ http, reuse }: ProbeTarget): Conversation | string {
  if (http === undefined) throw new TypeError('an HTTP target says what to ask')
  const bytes = renderHttpRequest(http, reuse === undefined ? 'close' : 'keep')
  return bytes === undefined ? UNSAFE : new Http1Conversation(http, bytes)
}

export const probeHttp = makeStreamProbe({ isSecure: () => false, converse })
export const probeHttps = makeStreamProbe({ isSecure: () => true, converse })
