/** Probes over a channel of raw sockets: where the host has none, the attempt is inconclusive; every attempt ends once. */
import { type IpAddress, parseAddress } from '../domain/address/ip-address.ts'
import type { Reason } from '../domain/result/reasons.ts'
import type { ProbeTarget } from '../domain/target/probe-target.ts'
import type { Probe } from './probe.ts'
import type { RawChannel } from './raw-channels.ts'
import { millisecondsSince, result } from './result.ts'
import { unsupported } from './unsupported.ts'

/** An attempt, as its protocol sees it. */
export interface RawAttempt<Channel> {
  readonly channel: Channel
  readonly address: IpAddress
  readonly target: ProbeTarget
  readonly isEnded: boolean
  /** Forgets what was sent last, so that no answer to it is awaited any more. */
  stop: () => void
  /** Reports the result; from the second time on it does nothing. */
  readonly end: (reason: Reason, detail: string) => void
}

/** Why an attempt ended without an answer. */
export type Ending = (why: 'timeout' | 'shutdown') => readonly [reason: Reason, detail: string]

/**
 * A probe on `channelOf`'s sockets. `start` sends the first packet, sets `stop` with each packet that it sends, and
 * returns what to report without an answer. `phase` is the phase that an answer ends.
 */
export function rawProbe<Channel extends Pick<RawChannel, 'availability'>>(
  channelOf: (family: 4 | 6) => Channel,
  phase: 'echoMs' | 'connectMs',
  start: (attempt: RawAttempt<Channel>) => Ending,
): Probe {
  return (target, done) => {
    const startedAt = performance.now()
    const channel = channelOf(target.family)
    const address = parseAddress(target.address)
    if (address === undefined) throw new TypeError(`${JSON.stringify(target.address)} is not an IP address`)
    const { availability } = channel
    if (!availability.available) return unsupported(availability.why, availability.reason)(target, done)

    const attempt = {
      channel,
      address,
      target,
      isEnded: false,
      stop: (): void => undefined,
      end: (reason: Reason, detail: string): void => {
        if (attempt.isEnded) return
        attempt.isEnded = true
        attempt.stop()
        const totalMs = millisecondsSince(startedAt)
        done(result(reason, detail, reason === 'PASSED' ? { [phase]: totalMs, totalMs } : { totalMs }))
      },
    }
    const ending = start(attempt)
    return (why) => attempt.end(...ending(why))
  }
}
