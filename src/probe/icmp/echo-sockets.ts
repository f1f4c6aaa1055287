/** Between the core of PING and its sockets, of one family: what it gives them, and what they say to it. */
import type { BatchCalls } from '../batch/batch-calls.ts'
import type { BatchTargets } from '../batch/batch-targets.ts'
import type { IpFamily } from '../batch/ip-family.ts'
import type { EchoFlights } from './echo-flights.ts'

/** What came back for a flight. */
export interface EchoEvents {
  /** Its echo was answered. `atUs`: when, by the wall clock; 0 = unknown. */
  answered(flight: number, atUs: number): void
  /** Its echo could not be delivered, says an ICMP error. */
  undelivered(flight: number): void
  /** Its echo could not be sent. No other may be added before `add` or `flush` returns. */
  unsent(flight: number, errno: number): void
}

export interface EchoParts {
  readonly calls: BatchCalls
  readonly family: IpFamily
  readonly targets: BatchTargets
  readonly flights: EchoFlights
  /** 16 bits in every request, and 32 that the target sends back. */
  readonly identifier: number
  readonly token: number
  readonly events: EchoEvents
}

/** One socket for all echoes (echo-wire.ts), or one for each (dedicated-echo-wire.ts). */
export interface EchoSockets {
  /** Packets that were received. */
  readonly received: number
  /** Those that it holds, without those of probes in flight. */
  readonly descriptors: number
  /** Adds the echo request of a flight, and may send it, and those before it. */
  add(flight: number): void
  /** Sends what was added. */
  flush(): void
  /** Reads answers, until `endMs` at most. False: some may have been lost, because there was no room for them, or are left. */
  read(endMs: number): boolean
  /** The flight is about to end. */
  leave(flight: number): void
  /** Sends an echo request to the target of `slot` that another program could have sent: its answer must not be received. */
  sendForeign(slot: number): void
  close(): void
}
