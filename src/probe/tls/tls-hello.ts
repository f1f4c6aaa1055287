/**
 * TLS-HELLO: a complete TLS handshake within the timeout, and what the monitor wants to be sent and answered after it.
 * Phases: connect, TLS, first byte.
 */
import { converseBytes } from '../tcp/byte-exchange.ts'
import type { Probe } from '../probe.ts'
import { makeStreamProbe } from '../wire/stream-attempt.ts'
import type { StreamParts } from '../wire/stream-parts.ts'

export function makeProbeTlsHello(parts: StreamParts): Probe {
  return makeStreamProbe(parts, { isSecure: () => true, converse: converseBytes })
}
