/** PING: one ICMP echo must be answered by the target within the timeout. Phases: echo. */
import { parseAddress } from '../domain/ip-address.ts'
import type { Reason } from '../domain/reasons.ts'
import { type EchoChannel, type EchoOutcome, echoChannel } from './icmp-echo.ts'
import type { Probe } from './probe.ts'
import { millisecondsSince, result } from './result.ts'
import { reasonOfSocketError } from './socket-errors.ts'
import { unsupported } from './unsupported.ts'

/** A PING prober on `channelOf`'s sockets; tests bring their own. */
export function makeProbePing(channelOf: (family: 4 | 6) => EchoChannel): Probe {
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
      done(result(reason, detail, reason === 'PASSED' ? { echoMs: totalMs, totalMs } : { totalMs }))
    }
    const stop = channel.send(address, (outcome: EchoOutcome) => {
      if (outcome.kind === 'reply') end('PASSED', 'echo answered')
      else if (outcome.kind === 'unreachable') end('ICMP_UNREACHABLE', 'the echo could not be delivered')
      else end(reasonOfSocketError(outcome.errno, target), `echo ${outcome.errno}`)
    })
    return (why) =>
      why === 'timeout'
        ? end('ICMP_TIMEOUT', `no echo reply within ${target.timeoutMs} ms`)
        : end('PROBER_STOPPING', 'stopped while waiting for the echo reply')
  }
}

export const probePing: Probe = makeProbePing(echoChannel)
