/**
 * One attempt of any protocol on a TCP connection: gets a connection (an idle one of this check, else a new one),
 * starts the conversation when it is ready, and ends with its verdict, with an error, or at the deadline.
 *
 * The target may close a kept connection just when it is used again, or may not take the TLS session that it is offered
 * (tls-sessions.ts): if the connection ends before the first byte of an answer, the attempt is repeated once on a new one,
 * with a whole handshake.
 */
import type { LeafCertificate } from '../../domain/result/leaf-certificate.ts'
import type { Reason } from '../../domain/result/reasons.ts'
import type { Phases, ProbeResult } from '../../domain/result/probe-result.ts'
import type { ProbeTarget } from '../../domain/target/probe-target.ts'
import type { Conversation, Verdict } from './conversation.ts'
import type { Probe } from '../probe.ts'
import { boundedDetail, millisecondsSince, result } from '../result.ts'
import { type ConnectionUser, StreamConnection } from './stream-connection.ts'
import type { Security } from '../tls/tls.ts'
import type { StreamParts } from './stream-parts.ts'
import { unsupported } from '../unsupported.ts'

export interface StreamProtocol {
  /** Whether TLS comes before the conversation. */
  readonly isSecure: (target: ProbeTarget) => boolean
  /** The conversation of a new connection; a text = why this target cannot be probed. */
  readonly converse: (target: ProbeTarget) => Conversation | string
}

/** The probe of a protocol. */
export function makeStreamProbe(parts: StreamParts, protocol: StreamProtocol): Probe {
  const shared = { ...protocol, parts }
  return (target, done) => {
    const attempt = new StreamAttempt(shared, target, done)
    const refusal = attempt.start()
    if (refusal !== undefined) return unsupported(refusal)(target, done)
    return (why) => attempt.cancel(why)
  }
}

class StreamAttempt implements ConnectionUser {
  readonly #parts: StreamParts
  readonly #protocol: StreamProtocol
  readonly #target: ProbeTarget
  readonly #done: (result: ProbeResult) => void
  readonly #startedAt = performance.now()
  #connection: StreamConnection | undefined
  #isReused = false
  #firstByteMs: number | undefined
  #ended = false

  constructor(
    protocol: StreamProtocol & { readonly parts: StreamParts },
    target: ProbeTarget,
    done: (result: ProbeResult) => void,
  ) {
    this.#parts = protocol.parts
    this.#protocol = protocol
    this.#target = target
    this.#done = done
  }

  /** Why no attempt can be made; undefined = it has started. */
  start(): string | undefined {
    if (this.#target.reuse === undefined) return this.#connect()
    const { idleConnections } = this.#parts
    if (idleConnections.wasClosedByTarget(this.#target)) {
      setImmediate(() => this.#end('IDLE_CLOSED', 'closed between two probes'))
      return undefined
    }
    const idle = idleConnections.take(this.#target)
    if (idle === undefined) return this.#connect()
    this.#connection = idle
    this.#isReused = true
    idle.user = this
    this.#begin(idle)
    return undefined
  }

  cancel(why: 'timeout' | 'shutdown'): void {
    if (this.#ended) return
    const connection = this.#connection
    const isReady = connection?.isReady === true
    const standing = isReady ? connection.conversation.standing() : undefined
    if (standing !== undefined) return this.#conclude(standing, false)
    const phase = this.#phase()
    if (why === 'shutdown') return this.#end('PROBER_STOPPING', `stopped while ${phase}`)
    const reason = isReady
      ? 'RECV_TIMEOUT'
      : connection?.connectedAt === undefined
        ? 'CONNECT_TIMEOUT'
        : 'TLS_TIMEOUT'
    this.#end(reason, `${phase} for ${this.#target.timeoutMs} ms`)
  }

  onReady(connection: StreamConnection): void {
    if (!this.#ended) this.#begin(connection)
  }

  onData(connection: StreamConnection, chunk: Buffer): void {
    if (this.#ended) return
    const { conversation } = connection
    const verdict = conversation.read(chunk, connection)
    if (this.#firstByteMs === undefined && conversation.hasFirstByte) {
      this.#firstByteMs = millisecondsSince(this.#startedAt)
    }
    if (verdict === undefined) return
    if (verdict.wasNotProcessed === true && this.#mayTryAgain(connection)) this.#tryAgain(connection)
    else this.#conclude(verdict, conversation.canGoOn)
  }

  onEnd(connection: StreamConnection, how: 'closed' | 'reset'): void {
    if (this.#ended) return
    if (this.#mayTryAgain(connection)) this.#tryAgain(connection)
    else this.#conclude(connection.conversation.ended(how), false)
  }

  onFailure(connection: StreamConnection, reason: Reason, detail: string): void {
    if (this.#ended) return
    if (this.#mayTryAgain(connection)) return this.#tryAgain(connection)
    const standing = connection.isReady ? connection.conversation.standing() : undefined
    if (standing !== undefined) this.#conclude(standing, false)
    else this.#end(reason, detail)
  }

  #connect(): string | undefined {
    const conversation = this.#protocol.converse(this.#target)
    if (typeof conversation === 'string') return conversation
    const secure = this.#protocol.isSecure(this.#target) ? this.#security() : undefined
    if (typeof secure === 'string') return secure
    this.#connection = new StreamConnection(this.#parts, { target: this.#target, conversation, secure }, this)
    return undefined
  }

  #security(): Security | string {
    const { tlsContexts, tlsSessions } = this.#parts
    const context = tlsContexts.of(this.#target.tls)
    if (typeof context === 'string') return context
    return { context, session: tlsSessions.take(this.#target, context, performance.now()) }
  }

  #begin(connection: StreamConnection): void {
    connection.uses++
    const verdict = connection.conversation.begin(connection)
    if (verdict !== undefined) this.#conclude(verdict, false)
  }

  /** Nothing was answered, and it may be because the connection was kept, or because a session was offered. */
  #mayTryAgain(connection: StreamConnection): boolean {
    if (connection.conversation.hasBegunToAnswer) return false
    if (connection.hasOfferedSession) return connection.connectedAt !== undefined
    return this.#isReused && this.#target.reuse?.idleCloseIsFailure !== true
  }

  #tryAgain(connection: StreamConnection): void {
    this.#noteSession(connection, false)
    connection.close()
    this.#isReused = false
    const refusal = this.#connect()
    if (refusal !== undefined) this.#end('PROBER_UNSUPPORTED', refusal)
  }

  #conclude(verdict: Verdict, canBeKept: boolean): void {
    if (this.#ended) return
    this.#ended = true
    const connection = this.#connection
    const certificate = this.#isReused ? undefined : connection?.certificate
    const given = resultOf(verdict, this.#phases(), certificate)
    if (connection !== undefined && !this.#isReused) this.#noteSession(connection, given.outcome === 'passed')
    if (connection !== undefined && !(canBeKept && this.#parts.idleConnections.keep(connection)))
      connection.close()
    this.#done(given)
  }

  #noteSession(connection: StreamConnection, hasPassed: boolean): void {
    const { tlsSessions } = this.#parts
    const { handshake, hasOfferedSession, connectedAt } = connection
    if (!hasPassed)
      tlsSessions.failed(this.#target, hasOfferedSession && connectedAt !== undefined, performance.now())
    else if (handshake !== undefined) tlsSessions.passed(this.#target, handshake)
  }

  #end(reason: Reason, detail: string): void {
    this.#conclude({ reason, detail }, false)
  }

  #phase(): string {
    const connection = this.#connection
    if (connection?.connectedAt === undefined) return 'connecting'
    return connection.isReady ? connection.conversation.phase : 'in the TLS handshake'
  }

  #phases(): Phases {
    const phases: { connectMs?: number; tlsMs?: number; firstByteMs?: number; totalMs: number } = {
      totalMs: millisecondsSince(this.#startedAt),
    }
    const connection = this.#connection
    if (!this.#isReused && connection?.connectedAt !== undefined) {
      phases.connectMs = since(this.#startedAt, connection.connectedAt)
      if (connection.securedAt !== undefined) phases.tlsMs = since(this.#startedAt, connection.securedAt)
    }
    if (this.#firstByteMs !== undefined) phases.firstByteMs = this.#firstByteMs
    return phases
  }
}

function resultOf(
  { reason, detail, flag, statusLine }: Verdict,
  phases: Phases,
  certificate: LeafCertificate | undefined,
): ProbeResult {
  const given = result(reason, detail, phases)
  if (flag === undefined && statusLine === undefined && certificate === undefined) return given
  return {
    ...given,
    ...(certificate === undefined ? {} : { certificate }),
    ...(flag === undefined ? {} : { flag }),
    ...(statusLine === undefined ? {} : { statusLine: boundedDetail(statusLine) }),
  }
}

/** Milliseconds, rounded to microseconds. */
function since(from: number, to: number): number {
  return Math.round((to - from) * 1000) / 1000
}
