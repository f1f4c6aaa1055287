/**
 * TCP beyond a connect: with bytes to send and bytes to expect, with TLS, with a PROXY header.
 * As Envoy's TCP check: the expected blocks must come in order, with anything between them; what does not match is no
 * mismatch, it is read on until the deadline (probe-semantics 1.4, 1.6). Without expected bytes the connection (and the
 * handshake) is the verdict, and it is never kept. Phases: connect, TLS, first byte.
 */
import { BlockMatch } from '../domain/block-match.ts'
import { TCP_EXCHANGE_MAX_BYTES } from '../domain/limits.ts'
import type { ProbeTarget, TcpExchange } from '../domain/results.ts'
import type { Conversation, Line, Verdict } from './conversation.ts'
import { makeStreamProbe } from './stream-attempt.ts'
import { Greeting } from './tls-hello.ts'

const MATCHED: Verdict = { reason: 'PASSED', detail: 'got the expected bytes' }

/** Sends and waits for the expected blocks. */
export class ByteExchange implements Conversation {
  readonly #exchange: TcpExchange
  readonly #match: BlockMatch
  #bytes = 0

  constructor(exchange: TcpExchange) {
    this.#exchange = exchange
    this.#match = new BlockMatch(exchange.receive)
  }

  get hasBegunToAnswer(): boolean {
    return this.#bytes > 0
  }

  get hasFirstByte(): boolean {
    return this.#bytes > 0
  }

  get phase(): string {
    return this.#bytes === 0 ? 'waiting for an answer' : 'waiting for the expected bytes'
  }

  get canGoOn(): boolean {
    return this.#match.isComplete
  }

  begin(line: Line): Verdict | undefined {
    this.#match.reset()
    this.#bytes = 0
    if (this.#exchange.send !== undefined) line.write(this.#exchange.send)
    return undefined
  }

  read(chunk: Buffer): Verdict | undefined {
    this.#bytes += chunk.length
    if (this.#match.take(chunk)) return MATCHED
    if (this.#bytes <= TCP_EXCHANGE_MAX_BYTES) return undefined
    return { reason: 'BODY_MISMATCH', detail: `not within ${TCP_EXCHANGE_MAX_BYTES} bytes` }
  }

  ended(how: 'closed' | 'reset'): Verdict {
    return { reason: 'RECV_CLOSED', detail: `${how} while ${this.phase}` }
  }

  standing(): undefined {
    return undefined
  }

  /** What comes late belongs to an answer that was good enough; it is discarded. */
  readIdle(): boolean {
    return true
  }
}

/** Whether a TCP target asks for more than a connect. */
export function asksForExchange({ tcp, tls, proxyProtocol }: ProbeTarget): boolean {
  return tcp !== undefined || tls !== undefined || proxyProtocol !== undefined
}

function converse({ tcp }: ProbeTarget): Conversation {
  if (tcp !== undefined && tcp.receive.length > 0) return new ByteExchange(tcp)
  return tcp?.send === undefined ? new Greeting() : new Announcement(tcp.send)
}

/** Says something and does not wait for an answer. */
class Announcement extends Greeting {
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    super()
    this.#bytes = bytes
  }

  override begin(line: Line): Verdict {
    line.write(this.#bytes)
    return super.begin(line)
  }
}

export const probeTcpExchange = makeStreamProbe({ isSecure: ({ tls }) => tls !== undefined, converse })
