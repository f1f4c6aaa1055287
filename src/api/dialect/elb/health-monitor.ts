/** Health monitors between elb's words and the domain's. */
import { randomUUID } from 'node:crypto'
import { HOST_ADDRESS } from '../../../domain/target/http-host.ts'
import { MAX_RETRIES_DOWN_DEFAULT } from '../../../domain/limits.ts'
import { maskedOptions } from '../../../domain/options/option-secrets.ts'
import type { HealthMonitor } from '../../../domain/health-monitor.ts'
import type { LoadBalancer, MonitorType, Pool } from '../../../domain/types.ts'
import type { HealthMonitorChange, HealthMonitorDraft } from '../../../store/configuration/health-monitors.ts'
import { differences, valueAfter } from '../../write/changes.ts'
import type { ApiSettings } from '../../http/context.ts'
import type { HealthMonitorDialect } from '../../resource/health-monitors.ts'
import { changeWithOptions, draftWithOptions } from '../../write/monitor-options.ts'
import { invalidField, notIn, parseBody } from '../../schema/attributes.ts'
import { elbPaths } from './paths.ts'
import { assertTypeFitsPool, assertTypeMayChange } from './rules.ts'
import { assertOwnProject } from './schema/every-object.ts'
import {
  type ElbHealthMonitorChange,
  type ElbHealthMonitorCreate,
  elbHealthMonitorCreate,
  elbHealthMonitorUpdate,
} from './schema/health-monitor.ts'
import { ELB_MONITOR_TYPES, MONITOR_TYPE_OF_WORD, MONITOR_TYPE_WORDS, monitorTypeOf } from './words.ts'

type Settings = Pick<ApiSettings, 'sourceAddresses' | 'hasTlsFile' | 'patternProblem'>

export function elbHealthMonitors(settings: Settings): HealthMonitorDialect {
  return {
    paths: elbPaths,
    createOrder: ['draft', 'duplicate', 'quota'],
    parseCreate(body, projectId) {
      const wire = parseBody(body, elbHealthMonitorCreate)
      assertOwnProject(wire, projectId)
      return {
        poolId: wire.pool_id,
        draftFor: (pool, loadBalancer) =>
          draftWithOptions(settings, wire, draftFor(wire, pool, loadBalancer)),
      }
    },
    parseUpdate(body) {
      const wire = parseBody(body, elbHealthMonitorUpdate)
      return (stored, pool) =>
        changeWithOptions(settings, wire, { stored, change: changeFor(wire, stored, pool) })
    },
    render: renderElbHealthMonitor,
    filterValue: (attribute, value) => (attribute === 'type' ? (monitorTypeOf(value) ?? value) : value),
  }
}

/** What HTTP monitors have when nothing was sent (ELB API reference); other types keep what was sent, else null. */
const HTTP_DEFAULTS = { urlPath: '/', httpMethod: 'GET', expectedCodes: '200' } as const

type HttpOptions = Pick<HealthMonitor, 'urlPath' | 'httpMethod' | 'expectedCodes'>

function withHttpDefaults<Options extends HttpOptions>(type: MonitorType, options: Options): Options {
  if (type !== 'HTTP') return options
  return {
    ...options,
    urlPath: options.urlPath ?? HTTP_DEFAULTS.urlPath,
    httpMethod: options.httpMethod ?? HTTP_DEFAULTS.httpMethod,
    expectedCodes: options.expectedCodes ?? HTTP_DEFAULTS.expectedCodes,
  }
}

function draftFor(
  wire: ElbHealthMonitorCreate,
  pool: Pool,
  { vipAddress }: Pick<LoadBalancer, 'vipAddress'>,
): HealthMonitorDraft {
  const type = MONITOR_TYPE_OF_WORD[wire.type]
  assertTypeFitsPool(type, pool.protocol)
  return withHttpDefaults(type, {
    id: randomUUID(),
    projectId: pool.projectId,
    poolId: pool.id,
    type,
    profile: 'elb',
    name: wire.name ?? '',
    adminStateUp: wire.admin_state_up ?? true,
    delaySeconds: wire.delay,
    timeoutSeconds: wire.timeout,
    rise: wire.max_retries,
    fall: wire.max_retries_down ?? MAX_RETRIES_DOWN_DEFAULT,
    monitorPort: wire.monitor_port ?? null,
    domainName: wire.domain_name ?? null,
    urlPath: wire.url_path ?? null,
    httpMethod: wire.http_method ?? null,
    httpVersion: null,
    expectedCodes: wire.expected_codes ?? null,
    options: null,
    sentFields: [],
    tags: [],
    // Only an address that a client chose, not one from HM_VIP_RANGE.
    echo: vipAddress === null ? {} : { [HOST_ADDRESS]: vipAddress },
  })
}

/** What differs from what is stored; re-sending a value is no change (users' complaint: controllers re-send `type`). */
function changeFor(wire: ElbHealthMonitorChange, stored: HealthMonitor, pool: Pool): HealthMonitorChange {
  const type = requestedType(wire.type, stored)
  assertTypeMayChange(stored.type, type, pool.protocol)
  const wanted = withHttpDefaults(type, {
    type,
    name: wire.name ?? stored.name,
    adminStateUp: wire.admin_state_up ?? stored.adminStateUp,
    delaySeconds: wire.delay ?? stored.delaySeconds,
    timeoutSeconds: wire.timeout ?? stored.timeoutSeconds,
    rise: wire.max_retries ?? stored.rise,
    fall: valueAfter(wire.max_retries_down, stored.fall, MAX_RETRIES_DOWN_DEFAULT),
    monitorPort: valueAfter(wire.monitor_port, stored.monitorPort, null),
    domainName: valueAfter(wire.domain_name, stored.domainName, null),
    urlPath: valueAfter(wire.url_path, stored.urlPath, null),
    httpMethod: valueAfter(wire.http_method, stored.httpMethod, null),
    expectedCodes: valueAfter(wire.expected_codes, stored.expectedCodes, null),
  })
  return differences(stored, wanted)
}

/** The type a PUT asks for: none, or the stored one again, is no change. */
function requestedType(word: string | undefined, stored: HealthMonitor): MonitorType {
  if (word === undefined || word === MONITOR_TYPE_WORDS[stored.type]) return stored.type
  const type = monitorTypeOf(word)
  if (type === undefined) throw invalidField('type', notIn(word, ELB_MONITOR_TYPES))
  return type
}

export function renderElbHealthMonitor(monitor: HealthMonitor): Record<string, unknown> {
  const body: Record<string, unknown> = {
    id: monitor.id,
    name: monitor.name,
    tenant_id: monitor.projectId,
    project_id: monitor.projectId,
    type: MONITOR_TYPE_WORDS[monitor.type],
    delay: monitor.delaySeconds,
    timeout: monitor.timeoutSeconds,
    max_retries: monitor.rise,
    max_retries_down: monitor.fall,
    admin_state_up: monitor.adminStateUp,
    monitor_port: monitor.monitorPort,
    domain_name: monitor.domainName,
    url_path: monitor.urlPath,
    http_method: monitor.httpMethod,
    expected_codes: monitor.expectedCodes,
    pools: [{ id: monitor.poolId }],
  }
  if (monitor.options !== null) body['options'] = maskedOptions(monitor.options)
  return body
}
