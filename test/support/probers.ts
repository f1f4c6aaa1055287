/** The probers of the tests, over one runtime per process, and what of it the tests look at. */
import { ProbeRuntime } from '../../src/probe/probe-runtime.ts'
import { makeProbers } from '../../src/probe/probers.ts'
import { makeProbeTcp } from '../../src/probe/tcp/tcp.ts'
import { makeProbeTcpByNode } from '../../src/probe/tcp/tcp-by-node.ts'

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

export const echoAvailability = (family: 4 | 6) => runtime.echoChannels.of(family).availability
export const closeEchoChannels = (): void => runtime.echoChannels.close()
export const sctpChannel = (family: 4 | 6) => runtime.sctpChannels.of(family)
export const closeSctpChannels = (): void => runtime.sctpChannels.close()
export const udpSockets = () => runtime.udpSockets.counts
