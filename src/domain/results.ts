/** What a probe aims at and what it gives: the values that pass between scheduler, probers and the state machine. */
import type { CodeSet } from './expected-codes.ts'
import type { Outcome, Reason } from './reasons.ts'
import type { MonitorType } from './types.ts'

/** What an HTTP or HTTPS probe sends and expects. All strings are already checked to be safe on the wire. */
export interface HttpRequest {
  readonly method: string
  /** Origin-form target: starts with `/`. */
  readonly path: string
  readonly version: '1.0' | '1.1'
  /** Value of the Host header; absent = no Host header (HTTP/1.0 only). */
  readonly host?: string
  readonly expectedCodes: CodeSet
}

/** Where one attempt goes. Built when the configuration is loaded, reused by every probe of the check. */
export interface ProbeTarget {
  readonly type: MonitorType
  /** IP literal without brackets or zone. */
  readonly address: string
  readonly family: 4 | 6
  /** 1..65535; 0 for PING. */
  readonly port: number
  /** Milliseconds the scheduler gives the attempt; for probers only a fact to report, never a timer. */
  readonly timeoutMs: number
  /** Source address to bind to; absent = the kernel chooses. */
  readonly sourceAddress?: string
  /** UDP-CONNECT of profile elb: an ICMP echo must be answered before the datagram is sent. */
  readonly echoFirst?: boolean
  readonly http?: HttpRequest
}

/** Milliseconds since the start of the attempt, each present only when that phase ended. */
export interface Phases {
  readonly echoMs?: number
  readonly connectMs?: number
  readonly tlsMs?: number
  /** Time to the status line. */
  readonly firstByteMs?: number
  readonly totalMs: number
}

export interface ProbeResult {
  readonly outcome: Outcome
  readonly reason: Reason
  /** At most `MAX_DETAIL_BYTES`; no secrets, no bytes of a body. */
  readonly detail: string
  readonly phases: Phases
}
