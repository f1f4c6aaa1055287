/**
 * TLS-HELLO: a complete TLS handshake within the timeout, and what the monitor wants to be sent and answered after it.
 * Phases: connect, TLS, first byte.
 */
import { converseBytes } from '../tcp/byte-exchange.ts'
import { makeStreamProbe } from '../wire/stream-attempt.ts'

export const probeTlsHello = makeStreamProbe({ isSecure: () => true, converse: converseBytes })
