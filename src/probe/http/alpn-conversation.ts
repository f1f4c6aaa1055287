/** HTTP in the version that the target chooses by ALPN: HTTP/2 where it is h2, else HTTP/1.x, as HAProxy does with `check-alpn`. */
import type { Conversation, Line, Verdict } from '../wire/conversation.ts'

export class AlpnConversation implements Conversation {
  readonly #http2: Conversation
  #chosen: Conversation

  constructor(http1: Conversation, http2: Conversation) {
    this.#chosen = http1
    this.#http2 = http2
  }

  get hasBegunToAnswer(): boolean {
    return this.#chosen.hasBegunToAnswer
  }

  get hasFirstByte(): boolean {
    return this.#chosen.hasFirstByte
  }

  get phase(): string {
    return this.#chosen.phase
  }

  get canGoOn(): boolean {
    return this.#chosen.canGoOn
  }

  /** A connection chooses once: a second attempt on it uses the same version. */
  begin(line: Line): Verdict | undefined {
    if (line.tls?.alpn === 'h2') this.#chosen = this.#http2
    return this.#chosen.begin(line)
  }

  read(chunk: Buffer, line: Line): Verdict | undefined {
    return this.#chosen.read(chunk, line)
  }

  ended(how: 'closed' | 'reset'): Verdict {
    return this.#chosen.ended(how)
  }

  standing(): Verdict | undefined {
    return this.#chosen.standing()
  }

  readIdle(chunk: Buffer, line: Line): boolean {
    return this.#chosen.readIdle(chunk, line)
  }
}
