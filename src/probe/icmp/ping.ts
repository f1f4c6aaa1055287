/**
 * PING: an ICMP echo, or `echoCount` of them one after the other, must all be answered by the target within the timeout.
 * Phases: echo (the last one).
 */
import { type IpAddress, parseAddress } from '../../domain/address/ip-address.ts'
import type { Reason } from '../../domain/result/reasons.ts'
import type { EchoChannel, EchoOutcome } from './icmp-echo.ts'
import type { Probe } from '../probe.ts'
import { millisecondsSince, result } from '../result.ts'
import { HostAddresses } from '../socket-errors.ts'
import { unsupported } from '../unsupported.ts'

/** A PING prober on `channelOf`'s sockets. */
export function makeProbePing(
  channelOf: (family: 4 | 6) => EchoChannel,
  hosts: HostAddresses = new HostAddresses(),
): Probe {
  return (target, done) => {
    const startedAt = performance.now()
    const channel = channelOf(target.family)
    const address = parseAddress(target.address)
    if (address === undefined) throw new TypeError(`${JSON.stringify(target.address)} is not an IP address`)
    const { availability } = channel
    if (!availability.available) return unsupported(availability.why, availability.reason)(target, done)

    const wanted = target.echoCount ?? 1
    let answered = 0
    let ended = false
    let stop = (): void => undefined
    function end(reason: Reason, detail: string): void {
      if (ended) return
      ended = true
      stop()
      const totalMs = millisecondsSince(startedAt)
      done(result(reason, detail, reason === 'PASSED' ? { echoMs: totalMs, totalMs } : { totalMs }))
    }
    function ask(to: IpAddress): void {
      stop = channel.send(to, (outcome: EchoOutcome) => {
        if (ended) return
        if (outcome.kind === 'unreachable') return end('ICMP_UNREACHABLE', 'the echo could not be delivered')
        if (outcome.kind === 'error')
          return end(hosts.reasonOf(outcome.errno, target), `echo ${outcome.errno}`)
        if (++answered < wanted) return ask(to)
        end('PASSED', wanted === 1 ? 'echo answered' : `${wanted} echoes answered`)
      })
    }
    ask(address)
    return (why) =>
      why === 'timeout'
        ? end('ICMP_TIMEOUT', `${unanswered(answered, wanted)} within ${target.timeoutMs} ms`)
        : end('PROBER_STOPPING', 'stopped while waiting for the echo reply')
  }
}

function unanswered(answered: number, wanted: number): string {
  return wanted === 1 ? 'no echo reply' : `${answered} of ${wanted} echoes answered`
}
