/** What a health monitor must obey beside its schema (docs/peers/octavia.md 10 to 14). */
import { DomainError } from '../../../domain/errors.ts'
import type { HealthMonitor } from '../../../domain/health-monitor.ts'
import { type JudgedMonitor, statePolicy } from '../../../domain/options/profiles.ts'
import type { MonitorType, Pool } from '../../../domain/types.ts'
import type { ApiSettings } from '../../http/context.ts'
import type { OctaviaHealthMonitorChange, OctaviaHealthMonitorCreate } from './schema/health-monitor.ts'
import { invalidOption, validationFailure } from './schema/wsme.ts'

type Settings = Pick<ApiSettings, 'allowPing' | 'udpMinDelaySeconds'>

const DATAGRAM_POOL_TYPES: readonly MonitorType[] = ['UDP-CONNECT', 'SCTP', 'TCP', 'HTTP']
const DATAGRAM_TYPES: readonly MonitorType[] = ['UDP-CONNECT', 'SCTP']

/** docs/peers/octavia.md 14, 10 and 11. A type of null is refused later, with the other nulls. */
export function assertFits(
  settings: Settings,
  { type, delay }: Pick<OctaviaHealthMonitorCreate, 'type' | 'delay'>,
  pool: Pick<Pool, 'protocol'>,
): void {
  if (type === 'PING' && !settings.allowPing) {
    throw new DomainError('INVALID_FIELD', `The selected type is not allowed in this deployment: ${type}`)
  }
  const isDatagramPool = pool.protocol === 'UDP' || pool.protocol === 'SCTP'
  if (type !== null && isDatagramPool && !DATAGRAM_POOL_TYPES.includes(type)) {
    throw validationFailure(
      `The associated pool protocol is ${pool.protocol}, so only a UDP-CONNECT/SCTP/TCP/HTTP health monitor is supported.`,
    )
  }
  if (type !== null && !isDatagramPool && DATAGRAM_TYPES.includes(type)) {
    throw validationFailure(`The ${type} type is only supported for pools of type UDP/SCTP.`)
  }
  assertUdpDelay(settings, type, delay)
}

/** docs/peers/octavia.md 11, for one delay in seconds. */
export function assertUdpDelay(
  { udpMinDelaySeconds }: Pick<Settings, 'udpMinDelaySeconds'>,
  type: MonitorType | null,
  delay?: number | null,
): void {
  if (type !== 'UDP-CONNECT' || delay === undefined || delay === null || delay >= udpMinDelaySeconds) return
  throw validationFailure(
    `The request delay value ${delay} should be larger than ${udpMinDelaySeconds} for UDP-CONNECT health monitor type.`,
  )
}

/** docs/peers/octavia.md 11, for every interval that follows from the delay, the options and the preset. */
export function assertUdpIntervals(
  settings: Settings,
  monitor: JudgedMonitor & { readonly type: MonitorType },
): void {
  // Also the intervals from the moment when traffic is reported.
  const options = { ...monitor.options, no_traffic: { reported: true } }
  for (const ms of Object.values(statePolicy({ ...monitor, options }).intervals) as number[]) {
    assertUdpDelay(settings, monitor.type, ms / 1000)
  }
}

const HTTP_ATTRIBUTES = ['http_method', 'url_path', 'expected_codes'] as const

export function isHttp(type: MonitorType): boolean {
  return type === 'HTTP' || type === 'HTTPS'
}

/** docs/peers/octavia.md 12: only monitors over HTTP have attributes of HTTP. */
export function assertHttpAttributes(
  type: MonitorType,
  isSent: (name: (typeof HTTP_ATTRIBUTES)[number]) => boolean,
): void {
  const name = isHttp(type) ? undefined : HTTP_ATTRIBUTES.find(isSent)
  if (name !== undefined) throw invalidOption(name, `health monitors of type ${type}`)
}

/**
 * docs/peers/octavia.md 13. What counts is what was sent, else what is stored; a null that was sent does not count. A body
 * with neither field is not checked: options may have left a combination that the rule would refuse.
 */
export function assertDomainName(
  wire: Pick<OctaviaHealthMonitorChange, 'domain_name' | 'http_version'>,
  stored: Partial<Pick<HealthMonitor, 'domainName' | 'httpVersion'>>,
): void {
  if (wire.domain_name === undefined && wire.http_version === undefined) return
  const version = wire.http_version ?? stored.httpVersion ?? null
  const domain = wire.domain_name ?? stored.domainName ?? null
  if (typeof wire.domain_name === 'string' && version === null) {
    throw validationFailure(`'http_version' must be specified when 'domain_name' is provided.`)
  }
  if (domain !== null && version === '1.0') {
    throw invalidOption(`http_version ${version}`, 'health monitors HTTP 1.1 domain name health check')
  }
}
