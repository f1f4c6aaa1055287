/** Logs once, at the start of a prober, whether it may send ICMP echoes. */
import type { EchoChannel } from '../../probe/icmp/icmp-echo.ts'
import type { Metrics } from '../../runtime/metrics/metrics.ts'

interface Log {
  warn(fields: object, message: string): void
}

/** Opens the raw sockets, so that no probe waits for that, logs what is missing and sets the metric. */
export function announceEcho(
  channelOf: (family: 4 | 6) => EchoChannel,
  log: Log,
  metrics: Pick<Metrics, 'icmpAvailable'>,
): void {
  for (const family of [4, 6] as const) {
    const { availability } = channelOf(family)
    metrics.icmpAvailable(family, availability.available)
    if (!availability.available) {
      log.warn(
        { family: `ipv${family}`, why: availability.why },
        'ICMP is not available: UDP_CONNECT skips its echo and takes a descriptor per waiting probe, PING and SCTP are inconclusive; they take the package net-ping and CAP_NET_RAW',
      )
    }
  }
}
