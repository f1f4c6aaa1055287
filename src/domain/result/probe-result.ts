/** The result of a probe: the value that passes from a prober to the scheduler and the state machine. */
import type { LeafCertificate } from './leaf-certificate.ts'
import type { Outcome, Reason } from './reasons.ts'

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
  /** What a passing target reports about itself; absent = nothing. */
  readonly flag?: 'degraded' | 'warning' | 'draining'
  /** At most `MAX_DETAIL_BYTES`; no secrets, no bytes of a body. */
  readonly detail: string
  /** Of an HTTP response, at most `MAX_DETAIL_BYTES`. */
  readonly statusLine?: string
  readonly phases: Phases
  /** What the target showed in this attempt, verified or not; absent = no full TLS handshake was made. */
  readonly certificate?: LeafCertificate
}
