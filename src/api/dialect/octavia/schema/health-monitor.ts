/** Bodies of Octavia's health monitors (docs/peers/octavia.md 9). The declared order is the order of refusals. */
import { DOMAIN_NAME_MAX, EXPECTED_CODES_MAX, RETRIES, URL_PATH_MAX } from '../../../../domain/limits.ts'
import type { OptionsPatch } from '../../../../domain/options/monitor-options.ts'
import { monitorOptions } from '../../../schema/monitor-options.ts'
import { OCTAVIA_DOMAIN_NAME_MAX } from '../limits.ts'
import { OCTAVIA_MONITOR_TYPES, type OctaviaMonitorType } from '../words.ts'
import { type Common, NAMED, OWNED, TAGGED } from './every-object.ts'
import {
  mandatory,
  unknownAttributes,
  validationFailure,
  wsmeDecimal,
  wsmeInteger,
  wsmeRules,
  wsmeText,
  wsmeUrlPath,
  wsmeUuid,
  wsmeWord,
} from './wsme.ts'

export const OCTAVIA_HTTP_METHODS = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'TRACE',
  'OPTIONS',
  'CONNECT',
  'PATCH',
]
export const OCTAVIA_HTTP_VERSIONS = ['1.0', '1.1'] as const

/** A list of codes or one range; Python's `$` also matches before a final line feed. */
const EXPECTED_CODES = /^(\d{3}(\s*,\s*\d{3})*)\n?$|^(\d{3}-\d{3})\n?$/
const EXPECTED_CODES_SPELLED = String.raw`^(\d{3}(\s*,\s*\d{3})*)$|^(\d{3}-\d{3})$`
const DOMAIN_NAME = new RegExp(
  String.raw`^(?=.{1,${OCTAVIA_DOMAIN_NAME_MAX}}\.?$)(?:(?!-|[^.]+_)[A-Za-z0-9-_]{1,63}(?<!-)(?:\.|$))+$`,
)

export interface OctaviaHealthMonitorChange extends Common {
  readonly delay?: number | null
  readonly timeout?: number | null
  readonly max_retries?: number | null
  readonly max_retries_down?: number | null
  readonly http_method?: string | null
  readonly url_path?: string | null
  readonly expected_codes?: string | null
  readonly http_version?: (typeof OCTAVIA_HTTP_VERSIONS)[number] | null
  readonly domain_name?: string | null
  readonly options?: OptionsPatch | null
}

export interface OctaviaHealthMonitorCreate extends OctaviaHealthMonitorChange {
  readonly pool_id: string | null
  readonly type: OctaviaMonitorType | null
  readonly delay: number | null
  readonly timeout: number | null
  readonly max_retries: number | null
}

const seconds = wsmeInteger({ min: 0 })

const HTTP = {
  http_method: wsmeWord(OCTAVIA_HTTP_METHODS),
  url_path: wsmeUrlPath(URL_PATH_MAX),
  expected_codes: wsmeText({
    max: EXPECTED_CODES_MAX,
    pattern: EXPECTED_CODES,
    spelled: EXPECTED_CODES_SPELLED,
  }),
}

/** Ours, not Octavia's. */
const OPTIONS = {
  options: monitorOptions({
    invalid: (option, reason) => validationFailure(`${option}: ${reason}.`),
    unknown: (within, name) => unknownAttributes(`health_monitor_.healthmonitor.${within}`, [name]),
  }),
}

const LATER = {
  ...TAGGED,
  http_version: wsmeDecimal(OCTAVIA_HTTP_VERSIONS),
  domain_name: wsmeText({ min: 1, max: DOMAIN_NAME_MAX, pattern: DOMAIN_NAME }),
  ...OPTIONS,
}

const NEW = {
  name: NAMED.name,
  type: mandatory(wsmeWord(OCTAVIA_MONITOR_TYPES)),
  delay: mandatory(seconds),
  timeout: mandatory(seconds),
  max_retries_down: wsmeInteger(RETRIES),
  max_retries: mandatory(wsmeInteger(RETRIES)),
  ...HTTP,
  admin_state_up: NAMED.admin_state_up,
}

/** What a monitor has inside the create of a load balancer. */
export const OCTAVIA_INNER_HEALTH_MONITOR = { ...NEW, ...LATER }

export const octaviaHealthMonitorCreate = wsmeRules<OctaviaHealthMonitorCreate>(
  'health_monitor_',
  'healthmonitor',
  { ...NEW, ...OWNED, pool_id: mandatory(wsmeUuid()), ...LATER },
)

export const octaviaHealthMonitorUpdate = wsmeRules<OctaviaHealthMonitorChange>(
  'health_monitor_',
  'healthmonitor',
  {
    name: NAMED.name,
    delay: seconds,
    timeout: seconds,
    max_retries_down: wsmeInteger(RETRIES),
    max_retries: wsmeInteger(RETRIES),
    ...HTTP,
    admin_state_up: NAMED.admin_state_up,
    ...LATER,
    domain_name: wsmeText({ min: 1, max: DOMAIN_NAME_MAX, pattern: DOMAIN_NAME, clearedByEmpty: true }),
  },
)
