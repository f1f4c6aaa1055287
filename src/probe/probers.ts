import type { MonitorType } from '../domain/types.ts'
import type { Probe } from './probe.ts'
import { probeTcp } from './tcp.ts'
import { unsupported } from './unsupported.ts'

/** The prober of each monitor type. */
export const probers: Readonly<Record<MonitorType, Probe>> = {
  TCP: probeTcp,
  HTTP: unsupported('HTTP'),
  'UDP-CONNECT': unsupported('UDP-CONNECT'),
  PING: unsupported('PING'),
  HTTPS: unsupported('HTTPS'),
  'TLS-HELLO': unsupported('TLS-HELLO'),
  SCTP: unsupported('SCTP'),
}
