/**
 * TCP beyond a connect: with bytes to send and to expect, with TLS, with a PROXY header. Without expected bytes the
 * connection is the verdict, and it is never kept (docs/peers/probing.md 13). Phases: connect, TLS, first byte.
 */
import type { ProbeTarget } from '../../domain/target/probe-target.ts'
import { converseBytes } from './byte-exchange.ts'
import type { Probe } from '../probe.ts'
import { makeStreamProbe } from '../wire/stream-attempt.ts'
import type { StreamParts } from '../wire/stream-parts.ts'

/** Whether a TCP target needs more than a connect. */
export function needsExchange({ tcp, tls, proxyProtocol }: ProbeTarget): boolean {
  return tcp !== undefined || tls !== undefined || proxyProtocol !== undefined
}

export function makeProbeTcpExchange(parts: StreamParts): Probe {
  return makeStreamProbe(parts, { isSecure: ({ tls }) => tls !== undefined, converse: converseBytes })
}
