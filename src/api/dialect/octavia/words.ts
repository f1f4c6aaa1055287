/** Octavia's words: those that a body may say, and how each value of the domain is shown. */
import type { MemberWord, RolledUpStatus } from '../../../domain/status/roll-up.ts'
import type {
  LbAlgorithm,
  ListenerProtocol,
  MonitorType,
  PoolProtocol,
  ProvisioningStatus,
} from '../../../domain/types.ts'
import { asSpelled, type WordOf } from '../words.ts'

export const OCTAVIA_MONITOR_TYPES = [
  'HTTP',
  'HTTPS',
  'PING',
  'TCP',
  'TLS-HELLO',
  'UDP-CONNECT',
  'SCTP',
] as const satisfies readonly MonitorType[]
export type OctaviaMonitorType = (typeof OCTAVIA_MONITOR_TYPES)[number]
export const MONITOR_TYPE_WORDS: WordOf<MonitorType> = asSpelled(OCTAVIA_MONITOR_TYPES)

export const OCTAVIA_POOL_PROTOCOLS = [
  'TCP',
  'UDP',
  'HTTP',
  'HTTPS',
  'PROXY',
  'PROXYV2',
  'SCTP',
] as const satisfies readonly PoolProtocol[]
export type OctaviaPoolProtocol = (typeof OCTAVIA_POOL_PROTOCOLS)[number]
export const POOL_PROTOCOL_WORDS: WordOf<PoolProtocol> = asSpelled(OCTAVIA_POOL_PROTOCOLS)

export const OCTAVIA_LISTENER_PROTOCOLS = [
  'TCP',
  'UDP',
  'HTTP',
  'HTTPS',
  'TERMINATED_HTTPS',
  'SCTP',
  'PROMETHEUS',
] as const satisfies readonly ListenerProtocol[]
export type OctaviaListenerProtocol = (typeof OCTAVIA_LISTENER_PROTOCOLS)[number]
export const LISTENER_PROTOCOL_WORDS: WordOf<ListenerProtocol> = asSpelled(OCTAVIA_LISTENER_PROTOCOLS)

export const OCTAVIA_LB_ALGORITHMS = [
  'ROUND_ROBIN',
  'LEAST_CONNECTIONS',
  'SOURCE_IP',
  'SOURCE_IP_PORT',
] as const satisfies readonly LbAlgorithm[]
export type OctaviaLbAlgorithm = (typeof OCTAVIA_LB_ALGORITHMS)[number]
export const LB_ALGORITHM_WORDS: WordOf<LbAlgorithm> = asSpelled(OCTAVIA_LB_ALGORITHMS)

export const PROVISIONING_WORDS: WordOf<ProvisioningStatus> = asSpelled([
  'ACTIVE',
  'PENDING_CREATE',
  'PENDING_UPDATE',
  'PENDING_DELETE',
  'ERROR',
  'DELETED',
])

/** Of every kind of object. */
export const STATUS_WORDS: WordOf<MemberWord | RolledUpStatus> = asSpelled([
  'ONLINE',
  'OFFLINE',
  'DEGRADED',
  'ERROR',
  'DRAINING',
  'NO_MONITOR',
])

export const OCTAVIA_PERSISTENCE_TYPES = ['SOURCE_IP', 'HTTP_COOKIE', 'APP_COOKIE'] as const
export const OCTAVIA_ALPN_PROTOCOLS = ['h2', 'http/1.1', 'http/1.0'] as const
/** Octavia takes one version that no probe speaks: SSLv3. */
export const OCTAVIA_TLS_VERSIONS: readonly string[] = ['SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']
