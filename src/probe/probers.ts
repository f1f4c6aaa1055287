import type { MonitorType } from '../domain/types.ts'
import { probeHttp, probeHttps } from './http.ts'
import { probePing } from './ping.ts'
import type { Probe } from './probe.ts'
import { probeSctp } from './sctp.ts'
import { probeTcp } from './tcp.ts'
import { asksForExchange, probeTcpExchange } from './tcp-exchange.ts'
import { probeTlsHello } from './tls-hello.ts'
import { probeUdpConnect } from './udp-connect.ts'

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
