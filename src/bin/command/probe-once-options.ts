/**
 * `probe-once --options FILE`: the `options` of a health monitor, checked as by the API, and the target that follows
 * from them.
 */
import { readFileSync } from 'node:fs'
import { monitorOptions } from '../../api/schema/monitor-options.ts'
import { DomainError } from '../../domain/errors.ts'
import { type MonitorOptions, mergeOptions, type OptionsPatch } from '../../domain/options/monitor-options.ts'
import { assertOptionsFit } from '../../domain/options/option-fit.ts'
import { probeTarget } from '../../domain/target/monitor-target.ts'
import { patternProblem } from '../../probe/http/body-pattern.ts'
import type { ProbeTarget } from '../../domain/target/probe-target.ts'
import type { HealthMonitor } from '../../domain/health-monitor.ts'
import { withTlsFolder } from '../process/tls-folder.ts'

/** The plain flags as fields of a monitor; `httpVersion` null = not given. */
export type PlainMonitor = Pick<
  HealthMonitor,
  'type' | 'domainName' | 'urlPath' | 'httpMethod' | 'httpVersion' | 'expectedCodes'
>

const SCHEMA = monitorOptions({
  invalid: (option, reason) => new DomainError('INVALID_FIELD', `${option}: ${reason}`),
  unknown: (within, name) => new DomainError('INVALID_FIELD', `${within} has no ${name}`),
})

/**
 * The target of one probe with the options in `file`. Throws DomainError when they are not valid or do not fit, and
 * whatever reading and parsing the file throws. A connection is never kept: there is one probe.
 */
export function targetWithOptions(
  file: string,
  monitor: PlainMonitor,
  where: Pick<ProbeTarget, 'address' | 'port' | 'timeoutMs'> & { readonly tlsDir?: string | undefined },
): ProbeTarget {
  const options = readOptionsFile(file)
  const source = options?.connection?.source_address
  assertOptionsFit(
    { type: monitor.type, httpMethod: monitor.httpMethod, options },
    // The probe reports a file that does not exist.
    {
      sourceAddresses: source === undefined ? [] : [source],
      hasTlsFile: () => where.tlsDir !== undefined,
      patternProblem,
    },
  )
  const { reuse: _, ...target } = probeTarget(
    {
      ...monitor,
      profile: 'elb',
      timeoutSeconds: 1,
      monitorPort: null,
      options: withVersion(options, monitor.httpVersion),
    },
    { address: where.address, protocolPort: where.port, monitorAddress: null, monitorPort: null },
  )
  return { ...withTlsFolder(target, where.tlsDir), timeoutMs: options?.timeout_ms ?? where.timeoutMs }
}

/** The version from a flag: the profile has no such field. */
function withVersion(
  options: MonitorOptions | null,
  version: PlainMonitor['httpVersion'],
): MonitorOptions | null {
  if (version === null || options?.grpc !== undefined || options?.http?.version !== undefined) return options
  return { ...options, http: { ...options?.http, version } }
}

function readOptionsFile(file: string): MonitorOptions | null {
  const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'))
  const { error, value } = SCHEMA.validate(parsed, { convert: false }) as {
    readonly error?: Error
    readonly value: OptionsPatch | null
  }
  if (error !== undefined) throw new DomainError('INVALID_FIELD', error.message)
  return mergeOptions(null, value)
}
