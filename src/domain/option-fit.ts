/**
 * Whether options fit together, and the monitor that has them: what the form of each alone cannot tell. Messages are
 * those of the peers where they have some (docs/peers/probing.md 16 and 30).
 */
import { DomainError } from './errors.ts'
import { FLAP_WINDOW, HTTP_BODY_MAX_BYTES, OPTIONS_MAX_BYTES, type Range } from './limits.ts'
import { parseAddress } from './ip-address.ts'
import { canBeHalfOpen } from './probe-target.ts'
import type { MonitorOptions } from './monitor-options.ts'
import { isOwnHeader, isOwnMetadata } from './own-headers.ts'
import { presetManners } from './presets.ts'
import type { HealthMonitor, MonitorType } from './types.ts'

/** What of the host decides. */
export interface OptionSurroundings {
  /** HM_SOURCE_ADDRESSES. */
  readonly sourceAddresses: readonly string[]
  /** Whether HM_TLS_DIR has a file of this name; absent = HM_TLS_DIR is not set. */
  readonly hasTlsFile?: (name: string) => boolean
  /** Why a regular expression cannot be searched for; undefined = it can. Absent = nobody is asked. */
  readonly patternProblem?: (source: string) => string | undefined
}

type Group = 'http' | 'grpc' | 'tls' | 'tcp' | 'udp' | 'icmp'

const TYPES_OF_GROUP: Readonly<Record<Group, readonly MonitorType[]>> = {
  http: ['HTTP', 'HTTPS'],
  grpc: ['HTTP', 'HTTPS'],
  tls: ['HTTPS', 'TLS-HELLO'],
  tcp: ['TCP', 'TLS-HELLO'],
  udp: ['UDP-CONNECT'],
  icmp: ['PING'],
}

const CONNECTED: readonly MonitorType[] = ['HTTP', 'HTTPS', 'TCP', 'TLS-HELLO']
const REUSING: readonly MonitorType[] = ['HTTP', 'HTTPS', 'TCP']

const TYPES_OF_CONNECTION: Readonly<
  Record<keyof NonNullable<MonitorOptions['connection']>, readonly MonitorType[]>
> = {
  // Raw sockets are shared by all checks: the kernel chooses where PING and SCTP leave from.
  source_address: [...CONNECTED, 'UDP-CONNECT'],
  reuse: REUSING,
  fresh_every: REUSING,
  idle_close_is_failure: REUSING,
  close: CONNECTED,
  handshake: ['TCP'],
  proxy_protocol: CONNECTED,
}

const BODY_METHODS: readonly string[] = ['POST', 'PUT', 'PATCH', 'OPTIONS']

type Monitor = Pick<HealthMonitor, 'type' | 'httpMethod' | 'options'>

/** Throws INVALID_FIELD when the options of a monitor do not fit it, each other, or this host. */
export function assertOptionsFit(monitor: Monitor, surroundings: OptionSurroundings): void {
  const { options } = monitor
  if (options === null) return
  assertType(monitor.type, options)
  assertHttp(monitor, options)
  assertPattern(options, surroundings)
  assertGrpc(monitor, options)
  assertConnection(options, surroundings)
  assertTls(options, surroundings)
  assertFlap(options)
  assertReply(options)
  const bytes = new TextEncoder().encode(JSON.stringify(options)).byteLength
  if (bytes > OPTIONS_MAX_BYTES) {
    throw misfit('options', `${bytes} bytes as JSON, at most ${OPTIONS_MAX_BYTES} are allowed`)
  }
}

function assertType(type: MonitorType, options: MonitorOptions): void {
  for (const [group, types] of Object.entries(TYPES_OF_GROUP) as [Group, readonly MonitorType[]][]) {
    if (options[group] !== undefined && !types.includes(type)) throw wrongType(group, type, types)
  }
  for (const [key, types] of Object.entries(TYPES_OF_CONNECTION)) {
    const isSet = options.connection !== undefined && Object.hasOwn(options.connection, key)
    if (isSet && !types.includes(type)) throw wrongType(`connection.${key}`, type, types)
  }
}

function wrongType(option: string, type: MonitorType, types: readonly MonitorType[]): DomainError {
  return misfit(`options.${option}`, `it does not fit type ${type}, only ${types.join(', ')}`)
}

function assertHttp({ type, httpMethod }: Monitor, { http, preset }: MonitorOptions): void {
  if (http === undefined) return
  const { version, headers = [], remove_headers = [], expected_body = [], searched_body_bytes } = http
  if ((version === 'h2' && type !== 'HTTPS') || (version === 'h2c' && type !== 'HTTP')) {
    throw misfit(
      'options.http.version',
      `${version} does not fit type ${type}: h2 is for HTTPS, h2c for HTTP`,
    )
  }
  const named = headers.find(({ name }) => isOwnHeader(name))
  if (named !== undefined) throw ownHeader('options.http.headers', named.name)
  const removed = remove_headers.find(isOwnHeader)
  if (removed !== undefined) throw ownHeader('options.http.remove_headers', removed)
  const method = http.method ?? httpMethod ?? 'GET'
  if (http.body !== undefined && !BODY_METHODS.includes(method)) {
    throw misfit(
      'options.http.body',
      `HTTP health check cannot specify a request payload with method '${method}'. Only methods that support a request body (POST, PUT, PATCH, OPTIONS) are allowed`,
    )
  }
  if (method === 'HEAD') {
    const named = (['expected_body', 'expected_body_regex'] as const).find(
      (key) => (http[key] ?? '').length > 0,
    )
    if (named !== undefined) throw misfit(`options.http.${named}`, `an answer to method 'HEAD' has no body`)
  }
  const ofPreset = preset === undefined ? undefined : presetManners(preset).searchedBodyBytes
  // 0: as many as a probe reads.
  const size = (searched_body_bytes ?? ofPreset ?? 0) || HTTP_BODY_MAX_BYTES
  const length = new TextEncoder().encode(expected_body.join('')).byteLength
  if (length > size) {
    throw misfit(
      'options.http.expected_body',
      `The expected response length '${length}' is over than http health response buffer size '${size}'`,
    )
  }
}

function assertPattern({ http }: MonitorOptions, { patternProblem }: OptionSurroundings): void {
  const source = http?.expected_body_regex
  const problem = source === undefined ? undefined : patternProblem?.(source)
  if (problem !== undefined) throw misfit('options.http.expected_body_regex', problem)
}

function assertGrpc({ httpMethod }: Monitor, { grpc, http }: MonitorOptions): void {
  if (grpc === undefined) return
  // Grey Matter's words.
  if (http !== undefined)
    throw misfit('options.grpc', 'must not have more than one type of health check defined')
  if (httpMethod === 'CONNECT') throw misfit('options.grpc', `it does not fit http_method 'CONNECT'`)
  for (const { name } of grpc.metadata ?? []) {
    if (isOwnMetadata(name)) throw ownHeader('options.grpc.metadata', name)
  }
}

function ownHeader(field: string, name: string): DomainError {
  return misfit(field, `${name} is set by the probe itself`)
}

function assertConnection(options: MonitorOptions, { sourceAddresses }: OptionSurroundings): void {
  const { connection } = options
  if (connection?.handshake === 'half' && !canBeHalfOpen(options)) {
    throw misfit(
      'options.connection.handshake',
      'half does not fit tcp, proxy_protocol, source_address or close fin: there is no connection',
    )
  }
  const source = connection?.source_address
  if (source === undefined) return
  const canonical = parseAddress(source)?.canonical
  if (canonical === undefined || !sourceAddresses.includes(canonical)) {
    throw misfit('options.connection.source_address', `${source} is not one of HM_SOURCE_ADDRESSES`)
  }
}

function assertTls({ tls, http, grpc }: MonitorOptions, { hasTlsFile }: OptionSurroundings): void {
  if (tls === undefined) return
  if ((http?.version === 'h2' || grpc !== undefined) && tls.alpn?.includes('h2') === false) {
    throw misfit(
      'options.tls.alpn',
      'it does not fit HTTP/2, which is spoken only where both sides agree on h2',
    )
  }
  if (tls.server_name !== undefined && parseAddress(tls.server_name) !== undefined) {
    throw misfit('options.tls.server_name', 'an address is no server name (RFC 6066)')
  }
  if ((tls.certificate === undefined) !== (tls.key === undefined)) {
    throw misfit('options.tls', 'certificate and key are set together')
  }
  for (const key of ['ca', 'certificate', 'key'] as const) {
    const name = tls[key]
    if (name === undefined) continue
    if (hasTlsFile === undefined) throw misfit(`options.tls.${key}`, 'HM_TLS_DIR is not set')
    if (!hasTlsFile(name)) throw misfit(`options.tls.${key}`, `HM_TLS_DIR has no file ${name}`)
  }
}

function assertFlap({ flap }: MonitorOptions): void {
  const { window = 0, high_percent: high, low_percent: low } = flap ?? {}
  if (window > 0 && window < FLAP_WINDOW.min) {
    throw misfit('options.flap.window', `it is 0 (off) or at least ${FLAP_WINDOW.min}`)
  }
  if (high !== undefined && low !== undefined && low > high) {
    throw misfit('options.flap.low_percent', `it is above high_percent ${high}`)
  }
}

function assertReply({ udp, preset }: MonitorOptions): void {
  const pattern = udp?.reply_pattern
  const ofPreset = preset === undefined ? undefined : presetManners(preset).replyLength
  // Without a pattern a preset says nothing of lengths; with one, and no preset, a reply is as long at least.
  const held: Partial<Range> = pattern === undefined ? {} : (ofPreset ?? { min: pattern.length / 2 })
  const { min_reply_length: min = held.min ?? 0, max_reply_length: max = held.max } = udp ?? {}
  if (max === undefined || min <= max) return
  // keepalived's words.
  throw misfit('options.udp', `min_reply_length ${min} > max_reply_length ${max} - will always fail`)
}

function misfit(field: string, reason: string): DomainError {
  return new DomainError('INVALID_FIELD', `Validation failure: ${field}: ${reason}.`, { field, reason })
}
