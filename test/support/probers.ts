/** The probers of the tests, over one runtime per process, and what of it the tests look at. */
import type { Probe } from '../../src/probe/probe.ts'
import { ProbeRuntime } from '../../src/probe/probe-runtime.ts'
import { makeProbers } from '../../src/probe/probers.ts'
import { makeProbeTcp } from '../../src/probe/tcp/tcp.ts'
import { makeProbeTcpByNode } from '../../src/probe/tcp/tcp-by-node.ts'
import { probeByCore, probeByHolding } from './core-probe.ts'

export const runtime = new ProbeRuntime()
export const { idleConnections, idleRoom, tcpWay } = runtime

export const probers = makeProbers(runtime)
export const {
  HTTP: probeHttp,
  HTTPS: probeHttps,
  PING: probePing,
  SCTP: probeSctp,
  'TLS-HELLO': probeTlsHello,
  'UDP-CONNECT': probeUdpConnect,
} = probers
export const probeTcp = makeProbeTcp(runtime)
export const probeTcpByNode = makeProbeTcpByNode(runtime)

/** By the batch where this host can, else as the others. */
export const probeTcpByCore = probeByCore((target) => runtime.halfOpen.coreOf(target), probeTcp)
/** The same without raw sockets: half-open probes too. */
export const probeTcpByPlainCore = probeByCore((target) => runtime.plainTcp.coreOf(target), probeTcp)
/** Why half-open probes are not made by the batch here; false = they are. */
export function noHalfOpenCore(): string | false {
  const target = {
    type: 'TCP',
    address: '127.0.0.1',
    family: 4,
    port: 1,
    timeoutMs: 1,
    halfOpen: true,
  } as const
  if (runtime.halfOpen.coreOf(target) !== undefined) return false
  const { way } = runtime.halfOpen
  return way?.by === 'connection' ? way.why : 'not tried'
}
/** Why plain TCP probes are not made by the batch here; false = they are. */
export function noPlainTcpCore(): string | false {
  const target = { type: 'TCP', address: '127.0.0.1', family: 4, port: 1, timeoutMs: 1 } as const
  if (runtime.plainTcp.coreOf(target) !== undefined) return false
  const { way } = runtime.plainTcp
  return way?.by === 'prober' ? way.why : 'not tried'
}
/** HTTP in plain text, by the batch where this host can, else as the others. */
export const probeHttpByCore = probeByCore((target) => runtime.plainHttp.coreOf(target), probers.HTTP)
/** The same, with a slot for each target that is probed again and again. */
export const holdHttp = probeByHolding((target) => runtime.plainHttp.coreOf(target), probers.HTTP)
/** Why such probes are not made by the batch here; false = they are. */
export function noPlainHttpCore(): string | false {
  const http = { method: 'GET', path: '/', version: '1.1', host: 'x', expectedCodes: [] } as const
  const target = { type: 'HTTP', address: '127.0.0.1', family: 4, port: 1, timeoutMs: 1, http } as const
  if (runtime.plainHttp.coreOf(target) !== undefined) return false
  const { way } = runtime.plainHttp
  return way?.by === 'prober' ? way.why : 'not tried'
}
/** Every way of HTTP in plain text that there is here. */
export const httpWays = (): Readonly<Record<string, Probe>> => ({
  'net.Socket': probers.HTTP,
  ...(noPlainHttpCore() === false ? { 'the batch': probeHttpByCore } : {}),
})
/** PING likewise. */
export const probePingByCore = probeByCore((target) => runtime.coreOf(target), probePing)
export function noPingCore(): string | false {
  const target = { type: 'PING', address: '127.0.0.1', family: 4, port: 0, timeoutMs: 1 } as const
  if (runtime.coreOf(target) !== undefined) return false
  const { way } = runtime.ping
  return way?.by === 'prober' ? way.why : 'not tried'
}
/** On a socket for each probe, as while the shared sockets are flooded. */
export const probePingDedicated = probeByCore((target) => runtime.dedicatedCoreOf(target), probePing)
export const probeUdpDedicated = probeByCore((target) => runtime.dedicatedCoreOf(target), probeUdpConnect)
export const probeHalfOpenDedicated = probeByCore((target) => runtime.dedicatedCoreOf(target), probeTcp)
/** UDP-CONNECT without an echo before likewise. */
export const probeUdpByCore = probeByCore((target) => runtime.coreOf(target), probeUdpConnect)
export function noUdpCore(): string | false {
  const target = { type: 'UDP-CONNECT', address: '127.0.0.1', family: 4, port: 1, timeoutMs: 1 } as const
  if (runtime.coreOf(target) !== undefined) return false
  const { way } = runtime.udp
  return way?.by === 'prober' ? way.why : 'not tried'
}
export function closeUdp(): void {
  runtime.dedicatedUdp.close()
  runtime.dedicatedUdpAfterEcho.close()
  runtime.udp.close()
  runtime.udpAfterEcho.close()
}
export function closePing(): void {
  runtime.ping.close()
  runtime.dedicatedPing.close()
}
export const closeHalfOpen = (): void => runtime.halfOpen.close()

export const echoAvailability = (family: 4 | 6) => runtime.echoChannels.of(family).availability
export const closeEchoChannels = (): void => runtime.echoChannels.close()
export const sctpChannel = (family: 4 | 6) => runtime.sctpChannels.of(family)
export const closeSctpChannels = (): void => runtime.sctpChannels.close()
export const udpSockets = () => runtime.udpSockets.counts
