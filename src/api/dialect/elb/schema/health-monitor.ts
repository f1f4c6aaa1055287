/** Bodies of elb health monitors (ELB API reference, healthmonitors). */
import { DomainError } from '../../../../domain/errors.ts'
import { parseExpectedCodes } from '../../../../domain/target/expected-codes.ts'
import { NAME_MAX, PORT, RETRIES } from '../../../../domain/limits.ts'
import type { OptionsPatch } from '../../../../domain/options/monitor-options.ts'
import {
  bodyRules,
  ignored,
  integer,
  invalidField,
  matching,
  nullable,
  oneOf,
  readOnly,
  text,
  uuid,
} from '../../../schema/attributes.ts'
import { monitorOptions } from '../../../schema/monitor-options.ts'
import {
  ELB_DELAY_SECONDS,
  ELB_DOMAIN_NAME_MAX,
  ELB_EXPECTED_CODES_MAX,
  ELB_TIMEOUT_SECONDS,
  ELB_URL_PATH_MAX,
} from '../limits.ts'
import { ELB_MONITOR_TYPES, type ElbMonitorType } from '../words.ts'
import { FIXED, NAMED, OWNED, type Owned } from './every-object.ts'

export const ELB_HTTP_METHODS = [
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

const URL_PATH = /^\/[A-Za-z0-9\-._~!$&'()*+,;=:@%/?#[\]^]*$/
const DOMAIN_NAME = /^[0-9a-zA-Z][0-9a-zA-Z.-]*$/
const EXPECTED_CODES = /^\d{3}(-\d{3})?(\s*,\s*\d{3}(-\d{3})?)*$/

export interface ElbHealthMonitorChange {
  readonly name?: string
  readonly admin_state_up?: boolean
  /** As sent: the rules decide, because re-sending the stored type is no change. */
  readonly type?: string
  readonly delay?: number
  readonly timeout?: number
  readonly max_retries?: number
  readonly max_retries_down?: number | null
  readonly monitor_port?: number | null
  readonly domain_name?: string | null
  readonly url_path?: string | null
  readonly expected_codes?: string | null
  readonly http_method?: string | null
  readonly options?: OptionsPatch | null
}

export interface ElbHealthMonitorCreate extends Owned, ElbHealthMonitorChange {
  readonly pool_id: string
  readonly type: ElbMonitorType
  readonly delay: number
  readonly timeout: number
  readonly max_retries: number
}

const expectedCodes = matching(EXPECTED_CODES, ELB_EXPECTED_CODES_MAX).custom(
  (value: string | null, helpers) =>
    value === null || parseExpectedCodes(value) !== undefined
      ? value
      : helpers.error('attribute.refused', { reason: `'${value}' is not a valid input` }),
)

const ATTRIBUTES = {
  ...NAMED,
  max_retries_down: nullable(integer(RETRIES)),
  monitor_port: nullable(integer(PORT)),
  domain_name: nullable(matching(DOMAIN_NAME, ELB_DOMAIN_NAME_MAX)),
  url_path: nullable(matching(URL_PATH, ELB_URL_PATH_MAX)),
  expected_codes: nullable(expectedCodes),
  http_method: nullable(oneOf(ELB_HTTP_METHODS)),
  // Octavia's; its clients send it to elb too, whose probes are HTTP/1.1 always.
  http_version: ignored(),
  options: monitorOptions({
    invalid: invalidField,
    unknown: (within, name) => {
      const field = `${within}.${name}`
      return new DomainError('UNRECOGNIZED_ATTRIBUTE', `Unrecognized attribute(s) '${field}'`, { field })
    },
  }),
}

export const elbHealthMonitorCreate = bodyRules<ElbHealthMonitorCreate>('healthmonitor', {
  ...ATTRIBUTES,
  ...OWNED,
  id: readOnly(),
  pool_id: uuid().required(),
  type: oneOf(ELB_MONITOR_TYPES).required(),
  delay: integer(ELB_DELAY_SECONDS).required(),
  timeout: integer(ELB_TIMEOUT_SECONDS).required(),
  max_retries: integer(RETRIES).required(),
})

export const elbHealthMonitorUpdate = bodyRules<ElbHealthMonitorChange>('healthmonitor', {
  ...ATTRIBUTES,
  ...FIXED,
  pool_id: readOnly(),
  type: text(NAME_MAX),
  delay: integer(ELB_DELAY_SECONDS),
  timeout: integer(ELB_TIMEOUT_SECONDS),
  max_retries: integer(RETRIES),
})
