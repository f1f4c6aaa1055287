/**
 * PING: an ICMP echo, or `echoCount` of them one after the other, must all be answered by the target within the timeout.
 * Phases: echo (all of them together). By the batch where that is possible: echo-core.ts.
 */
import type { Probe } from '../probe.ts'
import { rawProbe } from '../raw-probe.ts'
import { HostAddresses } from '../socket-errors.ts'
import type { EchoChannel, EchoOutcome } from './icmp-echo.ts'

/** The probe of PING, on `channelOf`'s sockets. */
export function makeProbePing(
  channelOf: (family: 4 | 6) => EchoChannel,
  hosts: HostAddresses = new HostAddresses(),
): Probe {
  return rawProbe(channelOf, 'echoMs', (attempt) => {
    const { channel, address, target, end } = attempt
    const wanted = target.echoCount ?? 1
    let answered = 0
    function sendEcho(): void {
      attempt.stop = channel.send(address, (outcome: EchoOutcome) => {
        if (attempt.isEnded) return
        if (outcome.kind === 'unreachable') return end('ICMP_UNREACHABLE', ECHO_UNDELIVERED)
        if (outcome.kind === 'error')
          return end(hosts.reasonOf(outcome.errno, target), `echo ${outcome.errno}`)
        if (++answered < wanted) return sendEcho()
        end('PASSED', echoesAnswered(wanted))
      })
    }
    sendEcho()
    return (why) =>
      why === 'timeout'
        ? ['ICMP_TIMEOUT', answeredWithin({ answered, wanted, timeoutMs: target.timeoutMs })]
        : ['PROBER_STOPPING', 'stopped while waiting for the echo reply']
  })
}

/** Details of results; those of echo-core.ts are the same. */
export const ECHO_UNDELIVERED = 'the echo could not be delivered'

export function echoesAnswered(wanted: number): string {
  return wanted === 1 ? 'echo answered' : `${wanted} echoes answered`
}

export function answeredWithin(echoes: {
  readonly answered: number
  readonly wanted: number
  readonly timeoutMs: number
}): string {
  const { answered, wanted, timeoutMs } = echoes
  const what = wanted === 1 ? 'no echo reply' : `${answered} of ${wanted} echoes answered`
  return `${what} within ${timeoutMs} ms`
}
