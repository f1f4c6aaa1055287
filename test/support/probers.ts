/** The probers of the tests, over one runtime per process, and what of it the tests look at. */
import { ProbeRuntime } from '../../src/probe/probe-runtime.ts'
import { makeProbers } from '../../src/probe/probers.ts'
import { makeProbeTcp } from '../../src/probe/tcp/tcp.ts'
import { makeProbeTcpByNode } from '../../src/probe/tcp/tcp-by-node.ts'
import { probeByCore } from './core-probe.ts'

export const runtime = new ProbeRuntime()
export const { idleConnections, tcpWay } = runtime

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
export const probeTcpByCore = probeByCore((target) => runtime.coreOf(target), probeTcp)
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
  if (runtime.coreOf(target) !== undefined) return false
  const { way } = runtime.halfOpen
  return way?.by === 'connection' ? way.why : 'not tried'
}
export const closeHalfOpen = (): void => runtime.halfOpen.close()

export const echoAvailability = (family: 4 | 6) => runtime.echoChannels.of(family).availability
export const closeEchoChannels = (): void => runtime.echoChannels.close()
export const sctpChannel = (family: 4 | 6) => runtime.sctpChannels.of(family)
export const closeSctpChannels = (): void => runtime.sctpChannels.close()
export const udpSockets = () => runtime.udpSockets.counts
