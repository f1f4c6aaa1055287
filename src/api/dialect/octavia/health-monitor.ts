/** Health monitors between Octavia's words and the domain's (docs/peers/octavia.md 9 to 15). */
import { randomUUID } from 'node:crypto'
import { notFound } from '../../../domain/errors.ts'
import { MAX_RETRIES_DOWN_DEFAULT } from '../../../domain/limits.ts'
import { maskedOptions } from '../../../domain/options/option-secrets.ts'
import type { HealthMonitor } from '../../../domain/health-monitor.ts'
import type { Pool } from '../../../domain/types.ts'
import type { HealthMonitorChange, HealthMonitorDraft } from '../../../store/configuration/health-monitors.ts'
import { differences, valueAfter } from '../../write/changes.ts'
import type { ApiSettings } from '../../http/context.ts'
import type { HealthMonitorDialect } from '../../resource/health-monitors.ts'
import { changeWithOptions, draftWithOptions } from '../../write/monitor-options.ts'
import { openstackTime, tagWords } from '../openstack-words.ts'
import {
  assertDomainName,
  assertFits,
  assertHttpAttributes,
  assertUdpDelay,
  assertUdpIntervals,
  isHttp,
} from './health-monitor-rules.ts'
import { octaviaPaths } from './paths.ts'
import {
  type OctaviaHealthMonitorChange,
  type OctaviaHealthMonitorCreate,
  octaviaHealthMonitorCreate,
  octaviaHealthMonitorUpdate,
} from './schema/health-monitor.ts'
import { invalidOption, parseWsme } from './schema/wsme.ts'
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

const HTTP_DEFAULTS = { httpMethod: 'GET', urlPath: '/', expectedCodes: '200' } as const

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
