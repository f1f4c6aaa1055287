/**
 * TLS sessions of targets. The next probe offers the session of the last one; a target that accepts it shows no certificate and
 * signs nothing (RFC 8446 section 2.2, RFC 5246 section 7.3), which saves both sides a part of the handshake.
 *
 * What only a whole handshake shows must not stay unseen. So a probe makes a whole handshake
 *
 * * where the certificate is verified, where the handshake is the question (TLS-HELLO), and where connections are kept;
 * * as the first of a target: a change of what is probed brings a new target;
 * * after a probe that did not pass, for whatever reason;
 * * after TLS_RESUMED_MAX probes that resumed, and TLS_WHOLE_HANDSHAKE_MS after the last whole one;
 * * once the certificate that the target showed has ended, so that its successor is seen at once;
 * * with another context, as after the renewal of a client certificate.
 *
 * A session is used once: servers may refuse the second use (RFC 8446 section 8.1). Targets that refuse sessions, give none
 * that can be kept, or fail when one is offered are left alone for TLS_SESSION_PAUSE_MS. docs/adr/0037-tls-sessions.md
 */
import {
  TLS_RESUMED_MAX,
  TLS_SESSION_MAX_BYTES,
  TLS_SESSION_PAUSE_MS,
  TLS_SESSIONS_MAX,
  TLS_WHOLE_HANDSHAKE_MS,
} from '../../domain/limits.ts'
import type { ProbeTarget } from '../../domain/target/probe-target.ts'
import { FairShare } from '../../domain/share/fair-share.ts'
import type { SecureContext } from './tls-contexts.ts'

/** A handshake of a probe that has passed. */
export interface Handshake {
  readonly context: SecureContext
  /** `performance.now()` at its end. */
  readonly atMs: number
  readonly wasOffered: boolean
  readonly wasResumed: boolean
  /** Milliseconds of the wall clock: the end of the certificate that it showed; undefined = it showed none. */
  readonly notAfter: number | undefined
  /** The session that can be resumed next; undefined = there is none. */
  readonly takeSession: () => Buffer | undefined
}

/** Of a target whose sessions may be resumed. */
interface Resumption {
  readonly projectId: string
  session: Buffer | undefined
  /** Of `session`. */
  context: SecureContext | undefined
  /** Of the last whole handshake. */
  wholeAtMs: number
  notAfter: number
  /** Probes since then that offered a session. */
  offered: number
  pausedUntilMs: number
}

export class TlsSessions {
  readonly #ofTarget = new WeakMap<ProbeTarget, Resumption>()
  /** Sessions that are kept, by project. */
  readonly #places: FairShare
  readonly #wall: () => number

  /** `places`: sessions of all targets; `wall`: milliseconds of the wall clock. */
  constructor(places = TLS_SESSIONS_MAX, wall: () => number = Date.now) {
    this.#places = new FairShare(places)
    this.#wall = wall
  }

  /** From now on sessions of this target may be kept, in the share of a project, until `forget`. */
  adopt(target: ProbeTarget, projectId: string): void {
    if (!mayResume(target) || this.#ofTarget.has(target)) return
    this.#ofTarget.set(target, {
      projectId,
      session: undefined,
      context: undefined,
      wholeAtMs: 0,
      notAfter: 0,
      offered: 0,
      pausedUntilMs: 0,
    })
  }

  /** This target will not be probed again. A last probe of it that is still in flight leaves nothing. */
  forget(target: ProbeTarget): void {
    const known = this.#ofTarget.get(target)
    if (known === undefined) return
    this.#drop(known)
    this.#ofTarget.delete(target)
  }

  /** The session that the next probe offers; undefined = it makes a whole handshake. */
  take(target: ProbeTarget, context: SecureContext, nowMs: number): Buffer | undefined {
    const known = this.#ofTarget.get(target)
    if (known?.session === undefined) return undefined
    const { session } = known
    const isOfContext = known.context === context
    this.#drop(known)
    if (nowMs - known.wholeAtMs >= TLS_WHOLE_HANDSHAKE_MS) {
      // Of a target that is probed so rarely no session is of use.
      if (known.offered === 0) pause(known, nowMs)
      return undefined
    }
    if (!isOfContext || known.notAfter <= this.#wall()) return undefined
    known.offered++
    return session
  }

  /** A probe of the target has passed. */
  passed(target: ProbeTarget, handshake: Handshake): void {
    const known = this.#ofTarget.get(target)
    if (known === undefined) return
    const { context, atMs, wasOffered, wasResumed, notAfter } = handshake
    if (!wasResumed) {
      known.wholeAtMs = atMs
      known.notAfter = notAfter ?? 0
      known.offered = 0
      if (wasOffered) pause(known, atMs)
    }
    if (atMs < known.pausedUntilMs || known.offered >= TLS_RESUMED_MAX || known.notAfter <= this.#wall())
      return
    const session = handshake.takeSession()
    if (session === undefined || session.length > TLS_SESSION_MAX_BYTES) return pause(known, atMs)
    if (known.session === undefined && !this.#places.take(known.projectId)) return
    known.session = session
    known.context = context
  }

  /** A probe of the target did not pass, after a session was offered or not. */
  failed(target: ProbeTarget, wasOffered: boolean, nowMs: number): void {
    const known = this.#ofTarget.get(target)
    if (known === undefined) return
    this.#drop(known)
    if (wasOffered) pause(known, nowMs)
  }

  #drop(known: Resumption): void {
    if (known.session === undefined) return
    known.session = undefined
    known.context = undefined
    this.#places.give(known.projectId)
  }
}

function mayResume({ type, tls, reuse }: ProbeTarget): boolean {
  const isSecure = type === 'HTTPS' || (type !== 'TLS-HELLO' && tls !== undefined)
  return isSecure && reuse === undefined && tls?.verify !== true && tls?.resume !== false
}

function pause(known: Resumption, nowMs: number): void {
  known.pausedUntilMs = nowMs + TLS_SESSION_PAUSE_MS
}
