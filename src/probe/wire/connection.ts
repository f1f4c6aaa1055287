/**
 * Opens the TCP connection of one attempt: a bare `Socket` with `autoSelectFamily: false`, which does without the lookup,
 * the timer per address and the copies of options that `net.connect` makes.
 */
import { Socket, type TcpSocketConnectOpts } from 'node:net'
import type { ProbeTarget } from '../../domain/target/probe-target.ts'

/** A probe never asks DNS: targets are addresses, and anything else is a programmer's error. */
function refuseLookup(host: string): never {
  throw new Error(`a probe target must be an IP address, not ${JSON.stringify(host)}`)
}

/** Starts to connect. Errors arrive as the socket's 'error' event, never before this function returned. */
export function openConnection(target: ProbeTarget): Socket {
  return new Socket().connect(connectOptions(target))
}

/** Where to connect to, and from where: by address only, without a timer of Node's. */
export function connectOptions(target: ProbeTarget): TcpSocketConnectOpts {
  const options: TcpSocketConnectOpts = {
    host: target.address,
    port: target.port,
    family: target.family,
    autoSelectFamily: false,
    lookup: refuseLookup,
  }
  if (target.sourceAddress !== undefined) options.localAddress = target.sourceAddress
  return options
}
