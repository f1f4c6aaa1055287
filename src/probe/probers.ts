import type { MonitorType } from '../domain/types.ts'
import { probeHttp, probeHttps } from './http/http.ts'
import { probePing } from './icmp/ping.ts'
import type { Probe } from './probe.ts'
import { probeSctp } from './sctp/sctp.ts'
import { probeTcp } from './tcp/tcp.ts'
import { asksForExchange, probeTcpExchange } from './tcp/tcp-exchange.ts'
import { probeTlsHello } from './tls/tls-hello.ts'
import { probeUdpConnect } from './udp/udp-connect.ts'

/** The prober of each monitor type. */
export const probers: Readonly<Record<MonitorType, Probe>> = {
  TCP: (target, done) => (asksForExchange(target) ? probeTcpExchange : probeTcp)(target, done),
  HTTP: probeHttp,
  'UDP-CONNECT': probeUdpConnect,
  PING: probePing,
  HTTPS: probeHttps,
  'TLS-HELLO': probeTlsHello,
  SCTP: probeSctp,
}
