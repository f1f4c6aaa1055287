/** `healthmonitor probe-once`: one probe from this host, its phases and verdict, for people and for scripts. */
import { parseExpectedCodes } from '../../domain/target/expected-codes.ts'
import { httpHost } from '../../domain/target/http-host.ts'
import { parseAddress } from '../../domain/address/ip-address.ts'
import { PORT, PROBE_ONCE_TIMEOUT_MS, PROBE_ONCE_TIMEOUT_MS_DEFAULT } from '../../domain/limits.ts'
import { REASONS } from '../../domain/result/reasons.ts'
import type { ProbeResult } from '../../domain/result/probe-result.ts'
import type { HttpRequest, ProbeTarget } from '../../domain/target/probe-target.ts'
import type { TargetPolicy } from '../../domain/address/target-policy.ts'
import { MONITOR_TYPES, type MonitorType } from '../../domain/types.ts'
import { renderHttpRequest } from '../../probe/http/http-request.ts'
import { ProbeRuntime } from '../../probe/probe-runtime.ts'
import { makeProbers } from '../../probe/probers.ts'
import { result } from '../../probe/result.ts'
import { parseFlags, UsageError } from '../command-line.ts'
import { type PlainMonitor, targetWithOptions } from './probe-once-options.ts'

/** Flags of the command. */
export const PROBE_ONCE_OPTIONS = {
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

/** Given by the caller: which targets may be probed, and where lines go (with their line ends). */
export interface ProbeOnceSurroundings {
  readonly policy: TargetPolicy
  /** HM_TLS_DIR. */
  readonly tlsDir?: string
  readonly out: (text: string) => void
  readonly err: (text: string) => void
}

/**
 * Makes one probe as `argv` (without the subcommand) says. Resolves with the exit code: 0 passed, 1 failed, 2 otherwise.
 * Throws UsageError.
 */
export async function probeOnce(
  argv: readonly string[],
  surroundings: ProbeOnceSurroundings,
): Promise<number> {
  const { target, json } = parseCommand(argv, surroundings.tlsDir)
  const denied = surroundings.policy(target.address, target.port)
  const runtime = new ProbeRuntime()
  try {
    openRawSockets(target, runtime, surroundings)
    const given =
      denied === undefined ? await run(target, runtime) : result('TARGET_DENIED', denied, { totalMs: 0 })
    surroundings.out(json ? renderJson(target, given) : renderText(target, given))
    return { passed: 0, failed: 1, inconclusive: 2 }[given.outcome]
  } finally {
    runtime.close()
  }
}

/**
 * The raw channels that the probe will need, so that loading them does not count as the target's time. Reports missing
 * ones.
 */
function openRawSockets(target: ProbeTarget, runtime: ProbeRuntime, { err }: ProbeOnceSurroundings): void {
  if (target.type === 'PING' || target.echoFirst === true) {
    const { availability } = runtime.echoChannels.of(target.family)
    if (!availability.available) err(`no ICMP echo: ${availability.why}\n`)
  }
  if (target.type === 'SCTP') runtime.sctpChannels.of(target.family)
}

async function run(target: ProbeTarget, runtime: ProbeRuntime): Promise<ProbeResult> {
  let timer: NodeJS.Timeout | undefined
  try {
    return await new Promise<ProbeResult>((resolve) => {
      const cancel = makeProbers(runtime)[target.type](target, resolve)
      timer = setTimeout(cancel, target.timeoutMs, 'timeout')
    })
  } finally {
    clearTimeout(timer)
  }
}

interface Command {
  readonly target: ProbeTarget
  readonly json: boolean
}

type Values = ReturnType<typeof readOptions>

function readOptions(argv: readonly string[]) {
  return parseFlags(argv, PROBE_ONCE_OPTIONS).values
}

function parseCommand(argv: readonly string[], tlsDir: string | undefined): Command {
  const values = readOptions(argv)
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

function renderJson({ type, address, port }: ProbeTarget, given: ProbeResult): string {
  return `${JSON.stringify({ type, address, port, ...given })}\n`
}

const PHASES = [
  ['echoMs', 'echo'],
  ['connectMs', 'connect'],
  ['tlsMs', 'TLS'],
  ['firstByteMs', 'first byte'],
  ['totalMs', 'end'],
] as const

function renderText(target: ProbeTarget, given: ProbeResult): string {
  const lines = [`${renderTarget(target)}, timeout ${target.timeoutMs} ms`]
  for (const [key, name] of PHASES) {
    const milliseconds = given.phases[key]
    if (milliseconds !== undefined)
      lines.push(`  ${name.padEnd(10)} ${milliseconds.toFixed(3).padStart(10)} ms`)
  }
  lines.push(`${given.outcome}: ${given.reason} - ${REASONS[given.reason].sentence} (${given.detail})`)
  return `${lines.join('\n')}\n`
}

function renderTarget({ type, address, family, port, http }: ProbeTarget): string {
  const host = family === 6 ? `[${address}]` : address
  const where = type === 'PING' ? address : `${host}:${port}`
  if (http === undefined) return `${type} ${where}`
  return `${type} ${where}, ${http.method} ${http.path} HTTP/${http.version}, Host ${http.host ?? 'absent'}`
}
