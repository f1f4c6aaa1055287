/** Health monitors between Octavia's words and the domain's (docs/peers/octavia.md 9 to 15). */
import { randomUUID } from 'node:crypto'
import { DomainError, notFound } from '../../../domain/errors.ts'
import { MAX_RETRIES_DOWN_DEFAULT } from '../../../domain/limits.ts'
import { maskedOptions } from '../../../domain/options/option-secrets.ts'
import { type JudgedMonitor, statePolicy } from '../../../domain/options/profiles.ts'
import type { HealthMonitor } from '../../../domain/health-monitor.ts'
import type { MonitorType, Pool } from '../../../domain/types.ts'
import type { HealthMonitorChange, HealthMonitorDraft } from '../../../store/configuration/health-monitors.ts'
import { differences, valueAfter } from '../../write/changes.ts'
import type { ApiSettings } from '../../http/context.ts'
import type { HealthMonitorDialect } from '../../resource/health-monitors.ts'
import { changeWithOptions, draftWithOptions } from '../../write/monitor-options.ts'
import { openstackTime, tagWords } from '../openstack-words.ts'
import { octaviaPaths } from './paths.ts'
import {
  type OctaviaHealthMonitorChange,
  type OctaviaHealthMonitorCreate,
  octaviaHealthMonitorCreate,
  octaviaHealthMonitorUpdate,
} from './schema/health-monitor.ts'
import { invalidOption, parseWsme, validationFailure } from './schema/wsme.ts'
import { newTags, tagsAfter } from './tags.ts'
import { MONITOR_TYPE_WORDS, PROVISIONING_WORDS } from './words.ts'

type NewHealthMonitor = Omit<OctaviaHealthMonitorCreate, 'pool_id'>
type Settings = Pick<
  ApiSettings,
  'allowPing' | 'udpMinDelaySeconds' | 'sourceAddresses' | 'hasTlsFile' | 'patternProblem'
>

export function octaviaHealthMonitors(settings: Settings): HealthMonitorDialect {
  return {
    paths: octaviaPaths,
    // docs/peers/octavia.md 15.
    createOrder: ['fit', 'quota', 'parents', 'draft', 'duplicate'],
    parseCreate(body) {
      const wire = parseWsme(body, octaviaHealthMonitorCreate)
      if (wire.pool_id === null) throw notFound('pool', 'None')
      return {
        poolId: wire.pool_id,
        assertFits: (pool) => assertFits(settings, wire, pool),
        draftFor: (pool) => completeDraft(settings, wire, pool),
      }
    },
    parseUpdate(body) {
      const wire = parseWsme(body, octaviaHealthMonitorUpdate)
      return (stored) => {
        const values = changeWithOptions(settings, wire, {
          stored,
          change: changeFor(settings, wire, stored),
        })
        if (wire.options !== undefined || wire.delay !== undefined) {
          assertUdpIntervals(settings, { ...stored, ...values })
        }
        return values
      }
    },
    render: renderOctaviaHealthMonitor,
    filterValue: (_, value) => value,
  }
}

const DATAGRAM_POOL_TYPES: readonly MonitorType[] = ['UDP-CONNECT', 'SCTP', 'TCP', 'HTTP']
const DATAGRAM_TYPES: readonly MonitorType[] = ['UDP-CONNECT', 'SCTP']

/** docs/peers/octavia.md 14, 10 and 11. A type of null is refused later, with the other nulls. */
function assertFits(
  settings: Settings,
  { type, delay }: NewHealthMonitor,
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

function assertUdpDelay(
  { udpMinDelaySeconds }: Settings,
  type: MonitorType | null,
  delay?: number | null,
): void {
  if (type !== 'UDP-CONNECT' || delay === undefined || delay === null || delay >= udpMinDelaySeconds) return
  throw validationFailure(
    `The request delay value ${delay} should be larger than ${udpMinDelaySeconds} for UDP-CONNECT health monitor type.`,
  )
}

/** docs/peers/octavia.md 11, of what options and presets make of the delay. */
function assertUdpIntervals(
  settings: Settings,
  monitor: JudgedMonitor & { readonly type: MonitorType },
): void {
  // Also those that hold when somebody begins to report traffic.
  const options = { ...monitor.options, no_traffic: { reported: true } }
  for (const ms of Object.values(statePolicy({ ...monitor, options }).intervals) as number[]) {
    assertUdpDelay(settings, monitor.type, ms / 1000)
  }
}

const HTTP_ATTRIBUTES = ['http_method', 'url_path', 'expected_codes'] as const
const HTTP_DEFAULTS = { httpMethod: 'GET', urlPath: '/', expectedCodes: '200' } as const

function isHttp(type: MonitorType): boolean {
  return type === 'HTTP' || type === 'HTTPS'
}

/** A new monitor inside the create of a load balancer. */
export function octaviaHealthMonitorDraft(
  settings: Settings,
  wire: NewHealthMonitor,
  pool: Pick<Pool, 'id' | 'projectId' | 'protocol'>,
): HealthMonitorDraft {
  assertFits(settings, wire, pool)
  return completeDraft(settings, wire, pool)
}

function completeDraft(
  settings: Settings,
  wire: NewHealthMonitor,
  pool: Pick<Pool, 'id' | 'projectId'>,
): HealthMonitorDraft {
  const draft = draftWithOptions(settings, wire, draftFor(wire, pool))
  assertUdpIntervals(settings, draft)
  return draft
}

function draftFor(wire: NewHealthMonitor, pool: Pick<Pool, 'id' | 'projectId'>): HealthMonitorDraft {
  const type = given(wire.type, 'type')
  const delaySeconds = given(wire.delay, 'delay')
  const timeoutSeconds = given(wire.timeout, 'timeout')
  const rise = given(wire.max_retries, 'max_retries')
  const fall =
    wire.max_retries_down === undefined
      ? MAX_RETRIES_DOWN_DEFAULT
      : given(wire.max_retries_down, 'max_retries_down')
  assertHttpAttributes(type, (name) => (wire[name] ?? '') !== '')
  assertDomainName(wire, {})
  const defaults = isHttp(type) ? HTTP_DEFAULTS : { httpMethod: null, urlPath: null, expectedCodes: null }
  return {
    id: randomUUID(),
    projectId: pool.projectId,
    poolId: pool.id,
    type,
    profile: 'octavia',
    name: wire.name ?? '',
    adminStateUp: valueAfter(wire.admin_state_up, true, false),
    delaySeconds,
    timeoutSeconds,
    rise,
    fall,
    monitorPort: null,
    domainName: wire.domain_name ?? null,
    urlPath: wire.url_path ?? defaults.urlPath,
    httpMethod: wire.http_method ?? defaults.httpMethod,
    httpVersion: wire.http_version ?? null,
    expectedCodes: wire.expected_codes ?? defaults.expectedCodes,
    options: null,
    sentFields: [],
    tags: newTags(wire.tags),
    echo: {},
  }
}

/** The order of docs/peers/octavia.md 15: 12, nulls, 13, 11. */
function changeFor(
  settings: Settings,
  wire: OctaviaHealthMonitorChange,
  stored: HealthMonitor,
): HealthMonitorChange {
  assertHttpAttributes(stored.type, (name) => wire[name] !== undefined)
  const delaySeconds = kept(wire.delay, stored.delaySeconds, 'delay')
  const timeoutSeconds = kept(wire.timeout, stored.timeoutSeconds, 'timeout')
  const rise = kept(wire.max_retries, stored.rise, 'max_retries')
  assertDomainName(wire, stored)
  assertUdpDelay(settings, stored.type, wire.delay)
  return differences(stored, {
    name: valueAfter(wire.name, stored.name, ''),
    adminStateUp: valueAfter(wire.admin_state_up, stored.adminStateUp, false),
    delaySeconds,
    timeoutSeconds,
    rise,
    fall: valueAfter(wire.max_retries_down, stored.fall, MAX_RETRIES_DOWN_DEFAULT),
    domainName: valueAfter(wire.domain_name, stored.domainName, null),
    urlPath: valueAfter(wire.url_path, stored.urlPath, HTTP_DEFAULTS.urlPath),
    httpMethod: valueAfter(wire.http_method, stored.httpMethod, HTTP_DEFAULTS.httpMethod),
    httpVersion: valueAfter(wire.http_version, stored.httpVersion, null),
    expectedCodes: valueAfter(wire.expected_codes, stored.expectedCodes, HTTP_DEFAULTS.expectedCodes),
    tags: tagsAfter(wire.tags, stored.tags),
  })
}

function given<Value>(value: Value | null, option: string): Value {
  if (value === null) throw invalidOption(null, option)
  return value
}

function kept<Value>(sent: Value | null | undefined, stored: Value, option: string): Value {
  return sent === undefined ? stored : given(sent, option)
}

/** docs/peers/octavia.md 12. */
function assertHttpAttributes(
  type: MonitorType,
  isSent: (name: (typeof HTTP_ATTRIBUTES)[number]) => boolean,
): void {
  const name = isHttp(type) ? undefined : HTTP_ATTRIBUTES.find(isSent)
  if (name !== undefined) throw invalidOption(name, `health monitors of type ${type}`)
}

/**
 * docs/peers/octavia.md 13: what results is what was sent, else what is stored; null does not clear for this check.
 * Only of a body that says something of it: options may have left what the rule would refuse.
 */
function assertDomainName(
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

/** Its operating_status is never measured. */
export function renderOctaviaHealthMonitor(monitor: HealthMonitor): Record<string, unknown> {
  const body: Record<string, unknown> = {
    id: monitor.id,
    name: monitor.name,
    type: MONITOR_TYPE_WORDS[monitor.type],
    delay: monitor.delaySeconds,
    timeout: monitor.timeoutSeconds,
    max_retries: monitor.rise,
    max_retries_down: monitor.fall,
    http_method: monitor.httpMethod,
    url_path: monitor.urlPath,
    expected_codes: monitor.expectedCodes,
    admin_state_up: monitor.adminStateUp,
    project_id: monitor.projectId,
    pools: [{ id: monitor.poolId }],
    provisioning_status: PROVISIONING_WORDS[monitor.provisioningStatus],
    operating_status: monitor.adminStateUp ? 'ONLINE' : 'OFFLINE',
    created_at: openstackTime(monitor.createdAt),
    updated_at: openstackTime(monitor.updatedAt),
    tags: tagWords(monitor.tags),
    http_version: monitor.httpVersion === null ? null : Number(monitor.httpVersion),
    domain_name: monitor.domainName,
    tenant_id: monitor.projectId,
  }
  if (monitor.options !== null) body['options'] = maskedOptions(monitor.options)
  return body
}
