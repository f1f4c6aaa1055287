/** Chooses the wire of a connection: a plain one, or, with TLS or a PROXY header, a socket of its own. */
import type { ProbeTarget } from '../../domain/target/probe-target.ts'
import type { NodeSockets } from './node-sockets.ts'
import { PlainWire } from './plain-wire.ts'
import { SocketWire } from './socket-wire.ts'
import type { Security } from '../tls/tls.ts'
import type { Wire, WireUser } from './wire.ts'

/** Starts to connect; `user` is not called before this has returned. With `secure`, TLS follows. */
export function openWire(
  {
    target,
    secure,
    sockets,
  }: {
    readonly target: ProbeTarget
    readonly secure: Security | undefined
    readonly sockets: NodeSockets
  },
  user: WireUser,
): Wire {
  if (secure !== undefined || target.proxyProtocol !== undefined) return new SocketWire(target, secure, user)
  return new PlainWire(sockets, target, user)
}
