/** Which wire a connection goes by: a bare handle where this runtime has one and it does; else a socket, a spare one where it does. */
import type { ProbeTarget } from '../domain/results.ts'
import { findBareStream } from './bare-stream.ts'
import { BareWire, suitsBareWire } from './bare-wire.ts'
import { PlainWire } from './plain-wire.ts'
import { SocketWire } from './socket-wire.ts'
import type { SecureContext } from './tls.ts'
import type { Wire, WireUser } from './wire.ts'

const bare = findBareStream()
let isPublicOnly = false

/** Starts to connect; `user` hears nothing before this returned. With `secure`, TLS follows. */
export function openWire(target: ProbeTarget, secure: SecureContext | undefined, user: WireUser): Wire {
  if (secure !== undefined || !suitsBareWire(target)) return new SocketWire(target, secure, user)
  return bare === undefined || isPublicOnly ? new PlainWire(target, user) : new BareWire(bare, target, user)
}

/** Whether plain connections go by bare handles here. */
export function isBareStream(): boolean {
  return bare !== undefined && !isPublicOnly
}

/** From now on by public API alone, or again by what the runtime has: for tests and benchmarks. */
export function usePublicWires(isPublic: boolean): void {
  isPublicOnly = isPublic
}
