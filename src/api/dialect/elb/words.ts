/**
 * elb's words: those that a body may say, and how each value of the domain is shown. Values that only another dialect
 * can create are shown as in that dialect, so that readers can understand them.
 */
import type { OperatingStatus } from '../../../domain/status/member-status.ts'
import type { RolledUpStatus } from '../../../domain/status/roll-up.ts'
import type {
  LbAlgorithm,
  ListenerProtocol,
  MonitorType,
  PoolProtocol,
  ProvisioningStatus,
} from '../../../domain/types.ts'
import { asSpelled, type WordOf } from '../words.ts'

/** elb writes UDP-CONNECT with an underscore. */
export const MONITOR_TYPE_OF_WORD = {
  HTTP: 'HTTP',
  TCP: 'TCP',
  UDP_CONNECT: 'UDP-CONNECT',
} as const satisfies Readonly<Record<string, MonitorType>>
export type ElbMonitorType = keyof typeof MONITOR_TYPE_OF_WORD
export const ELB_MONITOR_TYPES = Object.keys(MONITOR_TYPE_OF_WORD) as readonly ElbMonitorType[]

/** The type that a word names; undefined: elb has no such word. */
export function monitorTypeOf(word: string): MonitorType | undefined {
  const known = ELB_MONITOR_TYPES.find((type) => type === word)
  return known && MONITOR_TYPE_OF_WORD[known]
}

export const MONITOR_TYPE_WORDS: WordOf<MonitorType> = {
  ...asSpelled(['HTTP', 'TCP', 'HTTPS', 'PING', 'TLS-HELLO', 'SCTP']),
  'UDP-CONNECT': 'UDP_CONNECT',
}

export const ELB_POOL_PROTOCOLS = ['TCP', 'UDP', 'HTTP'] as const satisfies readonly PoolProtocol[]
export const POOL_PROTOCOL_WORDS: WordOf<PoolProtocol> = asSpelled([
  ...ELB_POOL_PROTOCOLS,
  'HTTPS',
  'PROXY',
  'PROXYV2',
  'SCTP',
])

export const ELB_LISTENER_PROTOCOLS = [
  'TCP',
  'HTTP',
  'UDP',
  'TERMINATED_HTTPS',
] as const satisfies readonly ListenerProtocol[]
export const LISTENER_PROTOCOL_WORDS: WordOf<ListenerProtocol> = asSpelled([
  ...ELB_LISTENER_PROTOCOLS,
  'HTTPS',
  'SCTP',
  'PROMETHEUS',
])

export const ELB_LB_ALGORITHMS = [
  'ROUND_ROBIN',
  'LEAST_CONNECTIONS',
  'SOURCE_IP',
] as const satisfies readonly LbAlgorithm[]
export const LB_ALGORITHM_WORDS: WordOf<LbAlgorithm> = asSpelled([...ELB_LB_ALGORITHMS, 'SOURCE_IP_PORT'])

export const PROVISIONING_WORDS: WordOf<ProvisioningStatus> = asSpelled([
  'ACTIVE',
  'PENDING_CREATE',
  'PENDING_UPDATE',
  'PENDING_DELETE',
  'ERROR',
  'DELETED',
])

/** Members are ONLINE, OFFLINE or NO_MONITOR. */
export const STATUS_WORDS: WordOf<OperatingStatus | RolledUpStatus> = asSpelled([
  'ONLINE',
  'OFFLINE',
  'NO_MONITOR',
  'DEGRADED',
  'ERROR',
])

export const ELB_PERSISTENCE_TYPES = ['SOURCE_IP', 'HTTP_COOKIE', 'APP_COOKIE'] as const
/** Its only provider is the first; those of Octavia's clients are taken too. */
export const ELB_PROVIDERS = ['vlb', 'octavia', 'amphora', 'noop_driver'] as const
/** Kinds of objects that quotas count, in the order of answers. */
export const ELB_QUOTA_KINDS = ['loadbalancer', 'listener', 'pool', 'member', 'healthmonitor'] as const
