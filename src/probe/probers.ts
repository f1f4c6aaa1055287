import type { MonitorType } from '../domain/types.ts'
import { makeProbeHttp } from './http/http.ts'
import { makeProbePing } from './icmp/ping.ts'
import type { Probe } from './probe.ts'
import type { ProbeRuntime } from './probe-runtime.ts'
import { makeProbeSctp } from './sctp/sctp.ts'
import { makeProbeTcp } from './tcp/tcp.ts'
import { needsExchange, makeProbeTcpExchange } from './tcp/tcp-exchange.ts'
import { makeProbeTlsHello } from './tls/tls-hello.ts'
import { makeProbeUdpConnect } from './udp/udp-connect.ts'

/** The probe of each monitor type. */
export type Probers = Readonly<Record<MonitorType, Probe>>

/** The probes of all monitor types, over what they share. */
export function makeProbers(runtime: ProbeRuntime): Probers {
  const { echoChannels, sctpChannels, hostAddresses } = runtime
  const probeTcp = makeProbeTcp(runtime)
  const probeTcpExchange = makeProbeTcpExchange(runtime)
  return {
    TCP: (target, done) => (needsExchange(target) ? probeTcpExchange : probeTcp)(target, done),
    HTTP: makeProbeHttp(runtime, 'HTTP'),
    'UDP-CONNECT': makeProbeUdpConnect((family) => echoChannels.of(family), runtime),
    PING: makeProbePing((family) => echoChannels.of(family), hostAddresses),
    HTTPS: makeProbeHttp(runtime, 'HTTPS'),
    'TLS-HELLO': makeProbeTlsHello(runtime),
    SCTP: makeProbeSctp((family) => sctpChannels.of(family), hostAddresses),
  }
}
