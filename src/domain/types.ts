/**
 * The nouns of the service, as every layer passes them around. Wire names live in the dialects and column names in
 * the store; here they have one spelling. `null` means "cleared or never set by the user", as OpenStack LBaaS v2 does.
 */
import type { Preset } from './options/preset-names.ts'

/** Monitor types, in Octavia's spelling; a dialect translates (elb writes UDP-CONNECT as UDP_CONNECT). */
export const MONITOR_TYPES = ['HTTP', 'HTTPS', 'PING', 'TCP', 'TLS-HELLO', 'UDP-CONNECT', 'SCTP'] as const
export type MonitorType = (typeof MONITOR_TYPES)[number]

/** Pool and listener protocols: the union of what the dialects allow. */
export const POOL_PROTOCOLS = ['TCP', 'UDP', 'HTTP', 'HTTPS', 'PROXY', 'PROXYV2', 'SCTP'] as const
export type PoolProtocol = (typeof POOL_PROTOCOLS)[number]
export const LISTENER_PROTOCOLS = [
  'TCP',
  'UDP',
  'HTTP',
  'HTTPS',
  'TERMINATED_HTTPS',
  'SCTP',
  'PROMETHEUS',
] as const
export type ListenerProtocol = (typeof LISTENER_PROTOCOLS)[number]

export const LB_ALGORITHMS = ['ROUND_ROBIN', 'LEAST_CONNECTIONS', 'SOURCE_IP', 'SOURCE_IP_PORT'] as const
export type LbAlgorithm = (typeof LB_ALGORITHMS)[number]

/** How a monitor probes where no option says otherwise: the preset of the dialect that created it. */
export type Profile = Preset

/** Fields of a monitor that a preset or an option can say otherwise. */
export const PLAIN_FIELDS = [
  'delaySeconds',
  'timeoutSeconds',
  'rise',
  'fall',
  'urlPath',
  'httpMethod',
  'httpVersion',
  'domainName',
  'expectedCodes',
] as const
export type PlainField = (typeof PLAIN_FIELDS)[number]

/** Which roles count: Keystone's reader, member and admin, Octavia's load-balancer_*, or both. */
export const RBAC_MODES = ['both', 'load_balancer_roles', 'default_roles'] as const
export type Rbac = (typeof RBAC_MODES)[number]

export type ProvisioningStatus =
  | 'ACTIVE'
  | 'PENDING_CREATE'
  | 'PENDING_UPDATE'
  | 'PENDING_DELETE'
  | 'ERROR'
  | 'DELETED'

/** What every configuration object has. */
export interface ConfigurationObject {
  readonly id: string
  readonly projectId: string
  readonly name: string
  readonly adminStateUp: boolean
  readonly provisioningStatus: ProvisioningStatus
  readonly createdAt: Date
  /** Of what was never changed: when it was made. */
  readonly updatedAt: Date
}

export interface Tag {
  readonly key: string
  readonly value: string
}

/**
 * Attributes that are only stored and returned: TLS references, connection limits, … And those that only probers use:
 * `depends_on` of members and pools (status/dependencies.ts), and the TLS settings of pools (target/pool-settings.ts).
 */
export type Echo = Readonly<Record<string, unknown>>

export interface LoadBalancer extends ConfigurationObject {
  readonly description: string
  readonly provider: string
  /** As somebody named it. */
  readonly vipAddress: string | null
  /** From HM_VIP_RANGE, where no client chose one: only shown. */
  readonly madeVipAddress: string | null
  readonly vipSubnetId: string | null
  readonly vipPortId: string | null
  readonly tags: readonly Tag[]
  readonly echo: Echo
}

export interface Listener extends ConfigurationObject {
  readonly description: string
  readonly loadBalancerId: string
  readonly protocol: ListenerProtocol
  readonly protocolPort: number
  readonly defaultPoolId: string | null
  readonly tags: readonly Tag[]
  readonly echo: Echo
}

export interface Pool extends ConfigurationObject {
  readonly description: string
  readonly loadBalancerId: string
  readonly protocol: PoolProtocol
  readonly lbAlgorithm: LbAlgorithm
  readonly sessionPersistence: Readonly<Record<string, unknown>> | null
  readonly tags: readonly Tag[]
  readonly echo: Echo
}

export interface Member extends ConfigurationObject {
  readonly poolId: string
  /** IPv4 or IPv6 literal, in the spelling of the user. */
  readonly address: string
  readonly protocolPort: number
  readonly subnetId: string | null
  readonly weight: number
  readonly backup: boolean
  readonly monitorAddress: string | null
  readonly monitorPort: number | null
  readonly tags: readonly Tag[]
  readonly echo: Echo
}

/** The five kinds of configuration object, as messages and quotas name them. */
export const RESOURCES = ['loadbalancer', 'listener', 'pool', 'member', 'healthmonitor'] as const
export type Resource = (typeof RESOURCES)[number]

/** How queues of notifications are made where they are missing; it must be as their listeners declare them. */
export const AMQP_QUEUE_KINDS = ['durable', 'quorum', 'transient'] as const
export type AmqpQueueKind = (typeof AMQP_QUEUE_KINDS)[number]

/** Where notifications go over AMQP. */
export interface AmqpSettings {
  /** Brokers of one cluster, without a query. */
  readonly urls: readonly string[]
  readonly exchange: string
  readonly topics: readonly string[]
  readonly queueKind: AmqpQueueKind
}
