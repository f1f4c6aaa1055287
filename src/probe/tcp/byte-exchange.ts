/**
 * Bytes to send and bytes to expect, on TCP or below TLS. As Envoy's TCP check: the expected blocks must come in order,
 * with anything between them; bytes that do not match are skipped, and reading goes on until the deadline
 * (docs/peers/probing.md 11 and 14).
 */
import { BlockMatch } from '../../domain/address/block-match.ts'
import { TCP_EXCHANGE_MAX_BYTES } from '../../domain/limits.ts'
import type { ProbeTarget, TcpExchange } from '../../domain/target/probe-target.ts'
import type { Conversation, Line, Verdict } from '../wire/conversation.ts'

const MATCHED: Verdict = { reason: 'PASSED', detail: 'got the expected bytes' }

/** Sends and waits for the expected blocks. */
class ByteExchange implements Conversation {
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

  /** Late bytes belong to an answer that has already passed; they are discarded, up to a limit. */
  readIdle(chunk: Buffer): boolean {
    this.#bytes += chunk.length
    return this.#bytes <= TCP_EXCHANGE_MAX_BYTES
  }
}

/** The conversation with a TCP or TLS target; without expected bytes the connection is the verdict. */
export function converseBytes({ tcp }: ProbeTarget): Conversation {
  if (tcp !== undefined && tcp.receive.length > 0) return new ByteExchange(tcp)
  return tcp?.send === undefined ? new Greeting() : new Announcement(tcp.send)
}

/** Sends nothing: an established connection, with its handshake, is the verdict. */
class Greeting implements Conversation {
  readonly hasBegunToAnswer = false
  readonly hasFirstByte = false
  readonly phase = 'connected'
  readonly canGoOn = false

  begin({ tls }: Line): Verdict {
    return {
      reason: 'PASSED',
      detail: tls === undefined ? 'connected' : `handshake complete, ${tls.version}`,
    }
  }

  read(): undefined {
    return undefined
  }

  ended(how: 'closed' | 'reset'): Verdict {
    return { reason: 'RECV_CLOSED', detail: how }
  }

  standing(): undefined {
    return undefined
  }

  readIdle(): boolean {
    return false
  }
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
