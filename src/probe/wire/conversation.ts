/**
 * A protocol on a connection: bytes out, bytes in, a verdict. A conversation has no socket events, no deadline and no
 * scheduler (stream-attempt.ts has those), so that each protocol can be read, and tested, by its bytes alone. It lasts
 * as long as its connection and serves one attempt after the other.
 */
import type { Reason } from '../../domain/result/reasons.ts'
import type { ProbeResult } from '../../domain/result/probe-result.ts'

/** How an attempt ended. */
export interface Verdict {
  readonly reason: Reason
  readonly detail: string
  readonly flag?: NonNullable<ProbeResult['flag']>
  /** Of an HTTP response that did not pass, as the target sent it. */
  readonly statusLine?: string
  /**
   * The target reported that it did not process the request: on a kept connection, the attempt is repeated on a new
   * one.
   */
  readonly wasNotProcessed?: boolean
}

/** What a conversation needs of its connection. */
export interface Line {
  write(bytes: Uint8Array): void
  /** Undefined = no TLS. */
  readonly tls: { readonly version: string; readonly alpn: string | undefined } | undefined
}

export interface Conversation {
  /** Starts the next attempt: sends its request. A verdict ends the attempt at once. */
  begin(line: Line): Verdict | undefined
  /** Bytes of the target; the caller may reuse the buffer afterwards. */
  read(chunk: Buffer, line: Line): Verdict | undefined
  /** The target ended the connection. */
  ended(how: 'closed' | 'reset'): Verdict
  /** The deadline has passed: returns the verdict, if there already is one. */
  standing(): Verdict | undefined
  /** Whether the target has sent anything in this attempt. */
  readonly hasBegunToAnswer: boolean
  /** Whether the answer itself has begun: the status line, the first expected bytes. */
  readonly hasFirstByte: boolean
  /** What is waited for, as in "waiting for the status line". */
  readonly phase: string
  /** After a verdict: whether the next attempt may use the connection. */
  readonly canGoOn: boolean
  /** Bytes between two attempts; false = the connection cannot be used any more. */
  readIdle(chunk: Buffer, line: Line): boolean
}
