/**
 * SCTP: one INIT must be answered by an INIT ACK within the timeout; the association is then aborted before it is
 * established, as in Octavia's sctp_health_check. ABORT = refused, an ICMP error = unreachable. Phases: connect.
 *
 * Known doubt: one INIT is sent and none repeated, so a lost packet is a failure of this probe; the thresholds are for
 * that.
 */
import type { Probe } from '../probe.ts'
import { rawProbe } from '../raw-probe.ts'
import { HostAddresses } from '../socket-errors.ts'
import type { SctpChannel, SctpOutcome } from './sctp-channel.ts'

/** The probe of SCTP, on `channelOf`'s sockets. */
export function makeProbeSctp(
  channelOf: (family: 4 | 6) => SctpChannel,
  hosts: HostAddresses = new HostAddresses(),
): Probe {
  return rawProbe(channelOf, 'connectMs', (attempt) => {
    const { channel, address, target, end } = attempt
    attempt.stop = channel.send(address, target.port, (outcome: SctpOutcome) => {
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
        ? ['CONNECT_TIMEOUT', `no answer to INIT within ${target.timeoutMs} ms`]
        : ['PROBER_STOPPING', 'stopped while waiting for the answer to INIT']
  })
}
