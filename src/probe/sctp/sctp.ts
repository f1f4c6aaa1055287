/**
 * SCTP: one INIT must be answered by an INIT ACK within the timeout; the association is then aborted before it is
 * established, as in Octavia's sctp_health_check. ABORT = refused, an ICMP error = unreachable. Phases: connect.
 *
 * Known doubt: one INIT is sent and none repeated, so a lost packet is a failure of this probe; the thresholds are for
 * that.
 */
import { parseAddress } from '../../domain/address/ip-address.ts'
import type { Reason } from '../../domain/result/reasons.ts'
import type { Probe } from '../probe.ts'
import { millisecondsSince, result } from '../result.ts'
import type { SctpChannel, SctpOutcome } from './sctp-channel.ts'
import { HostAddresses } from '../socket-errors.ts'
import { unsupported } from '../unsupported.ts'

/** An SCTP prober on `channelOf`'s sockets. */
export function makeProbeSctp(
  channelOf: (family: 4 | 6) => SctpChannel,
  hosts: HostAddresses = new HostAddresses(),
): Probe {
  return (target, done) => {
    const startedAt = performance.now()
    const channel = channelOf(target.family)
    const address = parseAddress(target.address)
    if (address === undefined) throw new TypeError(`${JSON.stringify(target.address)} is not an IP address`)
    const { availability } = channel
    if (!availability.available) return unsupported(availability.why, availability.reason)(target, done)

    let ended = false
    function end(reason: Reason, detail: string): void {
      if (ended) return
      ended = true
      stop()
      const totalMs = millisecondsSince(startedAt)
      done(result(reason, detail, reason === 'PASSED' ? { connectMs: totalMs, totalMs } : { totalMs }))
    }
    const stop = channel.send(address, target.port, (outcome: SctpOutcome) => {
      switch (outcome.kind) {
        case 'init-ack':
          return end('PASSED', 'INIT acknowledged')
        case 'abort':
          return end('CONNECT_REFUSED', 'INIT aborted')
        case 'unreachable':
          return end('ICMP_UNREACHABLE', 'the INIT could not be delivered')
        case 'error':
          return end(hosts.reasonOf(outcome.errno, target), `INIT ${outcome.errno}`)
      }
    })
    return (why) =>
      why === 'timeout'
        ? end('CONNECT_TIMEOUT', `no answer to INIT within ${target.timeoutMs} ms`)
        : end('PROBER_STOPPING', 'stopped while waiting for the answer to INIT')
  }
}
