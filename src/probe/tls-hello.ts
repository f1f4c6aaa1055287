/** TLS-HELLO: a complete TLS handshake within the timeout, then close. Phases: connect, TLS. */
import type { Conversation, Line, Verdict } from './conversation.ts'
import { makeStreamProbe } from './stream-attempt.ts'

/** Nothing is said: that the connection stands is the verdict. */
export class Greeting implements Conversation {
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

export const probeTlsHello = makeStreamProbe({ isSecure: () => true, converse: () => new Greeting() })
