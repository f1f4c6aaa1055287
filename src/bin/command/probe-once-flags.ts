/** The flags of `healthmonitor probe-once`, and the target that they say. */
import { parseAddress } from '../../domain/address/ip-address.ts'
import { PORT, PROBE_ONCE_TIMEOUT_MS, PROBE_ONCE_TIMEOUT_MS_DEFAULT } from '../../domain/limits.ts'
import { parseExpectedCodes } from '../../domain/target/expected-codes.ts'
import { httpHost } from '../../domain/target/http-host.ts'
import type { HttpRequest, ProbeTarget } from '../../domain/target/probe-target.ts'
import { MONITOR_TYPES, type MonitorType } from '../../domain/types.ts'
import { renderHttpRequest } from '../../probe/http/http-request.ts'
import { parseFlags, UsageError } from '../command-line.ts'
import { type PlainMonitor, targetWithOptions } from './probe-once-options.ts'

export const PROBE_ONCE_FLAGS = {
  type: {
    type: 'string',
    value: 'TYPE',
    choices: MONITOR_TYPES,
    what: `${MONITOR_TYPES.join(', ')} (UDP_CONNECT is UDP-CONNECT); needed`,
  },
  target: {
    type: 'string',
    value: 'ADDRESS:PORT',
    what: '127.0.0.1:8080 or [::1]:8080; PING needs no port; needed',
  },
  timeout: { type: 'string', value: 'TIME', what: 'seconds, or 3s, or 500ms (3s)' },
  source: { type: 'string', value: 'ADDRESS', what: 'source address' },
  'no-echo': { type: 'boolean', default: false, what: 'UDP-CONNECT: no ICMP echo before the datagram' },
  method: { type: 'string', default: 'GET', value: 'METHOD', what: 'HTTP: method' },
  path: { type: 'string', default: '/', value: 'PATH', what: 'HTTP: path' },
  host: { type: 'string', value: 'HOST', what: "HTTP: the target's address by default" },
  'http-version': {
    type: 'string',
    value: 'VERSION',
    choices: ['1.0', '1.1'],
    what: "HTTP: 1.0 or 1.1 (1.1, or that of the options' preset)",
  },
  'expected-codes': { type: 'string', value: 'CODES', what: 'HTTP: 200, 200,202 or 200-204 (200)' },
  options: {
    type: 'string',
    value: 'FILE',
    what: 'JSON file with the options of a health monitor; they win over the flags above',
  },
  json: { type: 'boolean', default: false, what: 'print one JSON object' },
} as const

export interface OneProbe {
  readonly target: ProbeTarget
  /** Whether to print JSON. */
  readonly json: boolean
}

type Values = ReturnType<typeof valuesOf>

function valuesOf(argv: readonly string[]) {
  return parseFlags(argv, PROBE_ONCE_FLAGS).values
}

/** `tlsDir`: HM_TLS_DIR, for files that options name. Throws UsageError. */
export function parseProbeOnce(argv: readonly string[], tlsDir: string | undefined): OneProbe {
  const values = valuesOf(argv)
  const type = parseType(values.type)
  const destination = parseDestination(values.target, type)
  const source = values.source === undefined ? undefined : parseAddress(values.source)
  if (values.source !== undefined && source?.family !== destination.family) {
    throw new UsageError(`--source ${JSON.stringify(values.source)} is not an address of the target's family`)
  }
  const timeoutMs = parseTimeoutMs(values.timeout)
  const http = type === 'HTTP' || type === 'HTTPS' ? parseHttp(values, type, destination) : undefined
  const plain: ProbeTarget = { type, ...destination, timeoutMs, ...(http === undefined ? {} : { http }) }
  const target: ProbeTarget = {
    ...(values.options === undefined ? plain : withOptions(plain, { values, file: values.options, tlsDir })),
    ...(source === undefined ? {} : { sourceAddress: source.canonical }),
    ...(type === 'UDP-CONNECT' ? { echoFirst: !values['no-echo'] } : {}),
  }
  return { target, json: values.json }
}

/** The target from the flags and the options in `file`. */
function withOptions(
  { type, address, port, timeoutMs, http }: ProbeTarget,
  {
    values,
    file,
    tlsDir,
  }: { readonly values: Values; readonly file: string; readonly tlsDir: string | undefined },
): ProbeTarget {
  const monitor: PlainMonitor = {
    type,
    domainName: values.host ?? null,
    urlPath: http?.path ?? null,
    httpMethod: http?.method ?? null,
    httpVersion: values['http-version'] === undefined || http === undefined ? null : plainVersion(http),
    expectedCodes: http === undefined ? null : (values['expected-codes'] ?? null),
  }
  try {
    return targetWithOptions(file, monitor, { address, port, timeoutMs, tlsDir })
  } catch (error) {
    throw new UsageError(`--options ${file}: ${(error as Error).message}`)
  }
}

function plainVersion({ version }: HttpRequest): '1.0' | '1.1' {
  return version === '1.0' ? '1.0' : '1.1'
}

function parseType(text: string | undefined): MonitorType {
  const wanted = text?.toUpperCase().replaceAll('_', '-')
  const type = MONITOR_TYPES.find((candidate) => candidate === wanted)
  if (type === undefined) throw new UsageError(`--type must be one of ${MONITOR_TYPES.join(', ')}`)
  return type
}

type Destination = Pick<ProbeTarget, 'address' | 'family' | 'port'>

const BRACKETED = /^\[([^\]]*)\](?::(\d{1,5}))?$/
const PLAIN = /^([^:]*)(?::(\d{1,5}))?$/

function parseDestination(text: string | undefined, type: MonitorType): Destination {
  if (text === undefined) throw new UsageError('--target is missing')
  const match = BRACKETED.exec(text) ?? PLAIN.exec(text)
  const address = parseAddress(match?.[1] ?? text)
  if (address === undefined) {
    throw new UsageError(
      `--target ${JSON.stringify(text)} is not ADDRESS:PORT or [IPv6 ADDRESS]:PORT; addresses are taken, names are not`,
    )
  }
  const { canonical, family } = address
  if (type === 'PING') return { address: canonical, family, port: 0 }
  const port = Number(match?.[2])
  if (!(port >= PORT.min && port <= PORT.max))
    throw new UsageError(`--target needs a port of ${PORT.min}..${PORT.max}`)
  return { address: canonical, family, port }
}

function parseTimeoutMs(text: string | undefined): number {
  if (text === undefined) return PROBE_ONCE_TIMEOUT_MS_DEFAULT
  const match = /^(\d+(?:\.\d+)?)(ms|s|)$/.exec(text)
  const milliseconds = Math.round(Number(match?.[1]) * (match?.[2] === 'ms' ? 1 : 1000))
  const { min, max } = PROBE_ONCE_TIMEOUT_MS
  if (!(milliseconds >= min && milliseconds <= max)) {
    throw new UsageError(`--timeout must be ${min}ms..${max / 1000}s, as 3, 3s or 500ms`)
  }
  return milliseconds
}

function parseHttp(values: Values, type: 'HTTP' | 'HTTPS', { address, port }: Destination): HttpRequest {
  const version = values['http-version'] ?? '1.1'
  if (version !== '1.0' && version !== '1.1') throw new UsageError('--http-version must be 1.0 or 1.1')
  const expectedCodes = parseExpectedCodes(values['expected-codes'] ?? '200')
  if (expectedCodes === undefined)
    throw new UsageError('--expected-codes must be like 200, 200,202 or 200-204')
  if (!values.path.startsWith('/')) throw new UsageError('--path must start with /')
  const host = httpHost({
    domainName: values.host ?? null,
    address,
    port,
    defaultPort: type === 'HTTP' ? 80 : 443,
  })
  const request: HttpRequest = { method: values.method, path: values.path, version, host, expectedCodes }
  if (renderHttpRequest(request) === undefined) {
    throw new UsageError('--method, --path and --host must be printable and without spaces')
  }
  return request
}
