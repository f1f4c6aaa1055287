/**
 * HTTP and HTTPS: connect, send one request, read the status, compare it with the expected codes, drain the body within
 * its bound, close. HTTPS first makes a TLS handshake and verifies no certificate. No redirects, no keep-alive: a new connection per probe, so that an old one never hides a dead listener.
 * Phases: connect, TLS, first byte (the status line).
 *
 * Once the head is complete the verdict stands: a body that is still coming at the deadline, that breaks off or that
 * is larger than the bound does not change it. Why not undici: docs/adr/0002-own-http-writer.md.
 */
import type { Socket } from 'node:net'
import { type CodeSet, isExpectedCode } from '../domain/expected-codes.ts'
import type { Reason } from '../domain/reasons.ts'
import type { HttpRequest, Phases, ProbeResult, ProbeTarget } from '../domain/results.ts'
import { isConnectedToItself, openConnection } from './connection.ts'
import { renderHttpRequest } from './http-request.ts'
import { HttpResponseReader } from './http-response.ts'
import type { Probe } from './probe.ts'
import { millisecondsSince, result } from './result.ts'
import { reasonOfSocketError } from './socket-errors.ts'
import { isTlsError, openTlsConnection } from './tls.ts'
import { unsupported } from './unsupported.ts'

const unsafeRequest = unsupported('the request has characters that must not go on the wire')

function makeProbeHttp(
  open: (target: ProbeTarget) => Socket,
  readyEvent: 'connect' | 'secureConnect',
): Probe {
  return (target, done) => {
    const request = target.http
    if (request === undefined) throw new TypeError('an HTTP target says what to ask')
    const text = renderHttpRequest(request)
    if (text === undefined) return unsafeRequest(target, done)
    const attempt = new HttpAttempt(target, request, done)
    attempt.start(open(target), readyEvent, text)
    return (why) => attempt.cancel(why)
  }
}

export const probeHttp: Probe = makeProbeHttp(openConnection, 'connect')
export const probeHttps: Probe = makeProbeHttp(openTlsConnection, 'secureConnect')

class HttpAttempt {
  readonly #target: ProbeTarget
  readonly #request: HttpRequest
  readonly #done: (result: ProbeResult) => void
  readonly #reader: HttpResponseReader
  readonly #startedAt = performance.now()
  #socket: Socket | undefined
  #connectMs: number | undefined
  #tlsMs: number | undefined
  /** Whether the request may be sent: connected, and for HTTPS the handshake is over. */
  #isReady = false
  #firstByteMs: number | undefined
  #ended = false

  constructor(target: ProbeTarget, request: HttpRequest, done: (result: ProbeResult) => void) {
    this.#target = target
    this.#request = request
    this.#done = done
    this.#reader = new HttpResponseReader(request.method)
  }

  start(socket: Socket, readyEvent: 'connect' | 'secureConnect', text: string): void {
    this.#socket = socket
    socket.on('connect', () => {
      if (this.#ended) return
      if (isConnectedToItself(socket, this.#target)) {
        return this.#end('CONNECT_REFUSED', 'nobody listens: connected to itself')
      }
      this.#connectMs = millisecondsSince(this.#startedAt)
    })
    socket.on(readyEvent, () => {
      if (this.#ended) return
      if (readyEvent === 'secureConnect') this.#tlsMs = millisecondsSince(this.#startedAt)
      this.#isReady = true
      socket.write(text, 'latin1')
    })
    socket.on('data', (chunk: Buffer) => this.#onData(chunk))
    socket.on('end', () => this.#onClosed('closed'))
    socket.on('error', (error: NodeJS.ErrnoException) => this.#onError(error))
  }

  cancel(why: 'timeout' | 'shutdown'): void {
    if (this.#reader.hasHead) return this.#decide()
    if (why === 'shutdown') return this.#end('PROBER_STOPPING', `stopped while ${this.#phase()}`)
    const reason = this.#isReady
      ? 'RECV_TIMEOUT'
      : this.#connectMs === undefined
        ? 'CONNECT_TIMEOUT'
        : 'TLS_TIMEOUT'
    this.#end(reason, `${this.#phase()} for ${this.#target.timeoutMs} ms`)
  }

  #onData(chunk: Buffer): void {
    if (this.#ended) return
    const reader = this.#reader
    reader.read(chunk)
    if (reader.status !== 0) this.#firstByteMs ??= millisecondsSince(this.#startedAt)
    if (reader.isMalformed) this.#end('RESPONSE_MALFORMED', reader.problem)
    else if (reader.isComplete) this.#decide()
  }

  #onClosed(how: 'closed' | 'reset'): void {
    if (this.#reader.hasHead) return this.#decide()
    if (!this.#isReady) return this.#end('TLS_HANDSHAKE', `${how} during the handshake`)
    const where = this.#reader.headBytes === 0 ? 'before the status line' : 'within the response head'
    this.#end('RECV_CLOSED', `${how} ${where}`)
  }

  #onError(error: NodeJS.ErrnoException): void {
    const reason = reasonOfSocketError(error.code, this.#target)
    if (this.#reader.hasHead) return this.#decide()
    const detail = `${error.syscall ?? 'socket'} ${error.code ?? 'error'}`
    if (isTlsError(error)) return this.#end('TLS_HANDSHAKE', error.code ?? 'TLS error')
    if (this.#connectMs === undefined) return this.#end(reason, detail)
    if (reason === 'CONNECT_RESET') return this.#onClosed('reset')
    if (reason === 'CONNECT_TIMEOUT') return this.#end(this.#isReady ? 'RECV_TIMEOUT' : 'TLS_TIMEOUT', detail)
    this.#end(reason, detail)
  }

  #decide(): void {
    const { status } = this.#reader
    if (isExpectedCode(this.#request.expectedCodes, status)) return this.#end('PASSED', `got ${status}`)
    this.#end('STATUS_MISMATCH', `got ${status}, expected ${renderCodes(this.#request.expectedCodes)}`)
  }

  #end(reason: Reason, detail: string): void {
    if (this.#ended) return
    this.#ended = true
    this.#socket?.destroy()
    this.#done(result(reason, detail, this.#phases()))
  }

  #phase(): string {
    if (this.#connectMs === undefined) return 'connecting'
    if (!this.#isReady) return 'in the TLS handshake'
    return this.#reader.headBytes === 0 ? 'waiting for the status line' : 'reading the response head'
  }

  #phases(): Phases {
    const phases: { connectMs?: number; tlsMs?: number; firstByteMs?: number; totalMs: number } = {
      totalMs: millisecondsSince(this.#startedAt),
    }
    if (this.#connectMs !== undefined) phases.connectMs = this.#connectMs
    if (this.#tlsMs !== undefined) phases.tlsMs = this.#tlsMs
    if (this.#firstByteMs !== undefined) phases.firstByteMs = this.#firstByteMs
    return phases
  }
}

function renderCodes(codes: CodeSet): string {
  return codes.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(',')
}
