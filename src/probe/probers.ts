import type { MonitorType } from '../domain/types.ts'
import { probeHttp } from './http.ts'
import { probePing } from './ping.ts'
import type { Probe } from './probe.ts'
import { probeTcp } from './tcp.ts'
import { probeUdpConnect } from './udp-connect.ts'
import { unsupported } from './unsupported.ts'

/** The prober of each monitor type. */
export const probers: Readonly<Record<MonitorType, Probe>> = {
  TCP: probeTcp,
  HTTP: probeHttp,
  'UDP-CONNECT': probeUdpConnect,
  PING: probePing,
  HTTPS: unsupported('this prober makes no HTTPS probes'),
  'TLS-HELLO': unsupported('this prober makes no TLS-HELLO probes'),
  SCTP: unsupported('this prober makes no SCTP probes'),
}
