import type { MonitorType } from '../domain/types.ts'
import { probeHttp } from './http.ts'
import type { Probe } from './probe.ts'
import { probeTcp } from './tcp.ts'
import { unsupported } from './unsupported.ts'

/** The prober of each monitor type. */
export const probers: Readonly<Record<MonitorType, Probe>> = {
  TCP: probeTcp,
  HTTP: probeHttp,
  'UDP-CONNECT': unsupported('this prober makes no UDP-CONNECT probes'),
  PING: unsupported('this prober makes no PING probes'),
  HTTPS: unsupported('this prober makes no HTTPS probes'),
  'TLS-HELLO': unsupported('this prober makes no TLS-HELLO probes'),
  SCTP: unsupported('this prober makes no SCTP probes'),
}
