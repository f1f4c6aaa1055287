/** The request of HTTP and HTTPS probes, out of options, plain fields and the manners of a preset or profile. */
import { type CodeSet, parseExpectedCodes } from './expected-codes.ts'
import { HOST_ADDRESS, httpHost } from './http-host.ts'
import type { StatusRange } from './monitor-options.ts'
import { presetManners } from './presets.ts'
import { mannersOf } from './profiles.ts'
import type { HttpRequest, ProbeTarget } from './results.ts'
import type { HealthMonitor } from './types.ts'

type HttpMonitor = Pick<
  HealthMonitor,
  'type' | 'profile' | 'domainName' | 'urlPath' | 'httpMethod' | 'httpVersion' | 'expectedCodes'
> &
  Partial<Pick<HealthMonitor, 'options' | 'echo'>>
type Endpoint = Pick<ProbeTarget, 'address' | 'port'>

/** The codes that both dialects fill in when a monitor names none: they say nothing that a preset could not say better. */
const CODES_DEFAULT = '200'

/** What makes the requests of a monitor's probes: they differ in the host only. */
export function httpRequest(monitor: HttpMonitor): (endpoint: Endpoint) => HttpRequest {
  const http = monitor.options?.http ?? {}
  const manners = presetManners(mannersOf(monitor))
  const version = versionOf(monitor)
  const warning = http.warning_statuses ?? manners.warningStatuses
  const degradedHeader = http.degraded_header ?? manners.degradedHeader
  const blocks = http.expected_body ?? []
  const searchedBodyBytes = searchedBytesOf(monitor)
  const request = {
    method: http.method ?? monitor.httpMethod ?? 'GET',
    path: withoutFragment(http.path ?? monitor.urlPath ?? '/'),
    version,
    expectedCodes: expectedCodesOf(monitor).set,
    ...(http.retriable_statuses === undefined ? {} : { retriableCodes: codeSet(http.retriable_statuses) }),
    ...(warning === undefined ? {} : { warningCodes: codeSet(warning) }),
    ...(http.draining_statuses === undefined ? {} : { drainingCodes: codeSet(http.draining_statuses) }),
    ...(http.headers === undefined
      ? {}
      : { headers: http.headers.map(({ action = 'append', ...header }) => ({ ...header, action })) }),
    ...(http.remove_headers === undefined
      ? {}
      : { removeHeaders: http.remove_headers.map((name) => name.toLowerCase()) }),
    ...(http.body === undefined ? {} : { body: new TextEncoder().encode(http.body) }),
    ...(blocks.length === 0 ? {} : { expectBody: blocks.map((block) => new TextEncoder().encode(block)) }),
    ...(searchedBodyBytes === undefined ? {} : { searchedBodyBytes }),
    ...(degradedHeader === undefined ? {} : { degradedHeader: degradedHeader.toLowerCase() }),
    ...(http.service_name === undefined ? {} : { serviceName: http.service_name }),
  }
  const isHostless = http.host === undefined && version === '1.0' && !namesHost(monitor)
  return (endpoint) => (isHostless ? request : { ...request, host: http.host ?? hostOf(monitor, endpoint) })
}

/** Bytes of a body that are searched; undefined = as many as a probe reads, or there is nothing to be searched for. */
function searchedBytesOf({ profile, options }: HttpMonitor): number | undefined {
  const { searched_body_bytes: said, expected_body = [] } = options?.http ?? {}
  if (said !== undefined) return said === 0 ? undefined : said
  if (expected_body.length === 0) return undefined
  return presetManners(mannersOf({ profile, options: options ?? null })).searchedBodyBytes
}

/** The version that probes speak. */
export function versionOf({ profile, httpVersion, options }: HttpMonitor): HttpRequest['version'] {
  const version = options?.http?.version ?? httpVersion
  if (version === 'h2' || version === 'h2c') return '2'
  // elb has no such field: what another dialect left there is not asked.
  if (options?.http?.version === undefined && profile === 'elb' && options?.preset === undefined) return '1.1'
  return version ?? presetManners(mannersOf({ profile, options: options ?? null })).httpVersion
}

/** HAProxy's HTTP/1.0 checks name no host; elb's always do, and a preset's do when the monitor names one. */
function namesHost({ profile, options, domainName }: HttpMonitor): boolean {
  const manners = mannersOf({ profile, options: options ?? null })
  return manners === 'elb' || (manners !== 'octavia' && (domainName ?? '') !== '')
}

/**
 * The address that a monitor of elb names while it has no domain name: that of its load balancer, if it had been given one
 * when the monitor was made (ELB API reference: `domain_name`, blank by default, is then the load balancer's private
 * address). Undefined: the member's. Monitors of before, and those with a preset, name the member.
 */
export function hostAddressOf({ profile, options, echo, domainName }: HttpMonitor): string | undefined {
  const stored = echo?.[HOST_ADDRESS]
  const isElb = mannersOf({ profile, options: options ?? null }) === 'elb'
  return isElb && (domainName ?? '') === '' && typeof stored === 'string' ? stored : undefined
}

/** The host that a probe names. HAProxy's `hdr Host` names the address without a port when the monitor names no domain. */
export function hostOf(monitor: HttpMonitor, { address, port }: Endpoint): string {
  const defaultPort = monitor.type === 'HTTPS' ? 443 : 80
  const manners = mannersOf({ profile: monitor.profile, options: monitor.options ?? null })
  const isPortless = (manners === 'octavia' || manners === 'haproxy') && monitor.options?.grpc === undefined
  const hostAddress = hostAddressOf(monitor)
  return httpHost({
    domainName: monitor.domainName,
    address: hostAddress ?? address,
    // The port is the member's: with another address it would say nothing.
    port: isPortless || hostAddress !== undefined ? defaultPort : port,
    defaultPort,
  })
}

/** The statuses that pass, and whether the plain field names them. */
export function expectedCodesOf(monitor: HttpMonitor): {
  readonly set: CodeSet
  readonly isField: boolean
} {
  const { expected_statuses: said = [] } = monitor.options?.http ?? {}
  if (said.length > 0) return { set: codeSet(said), isField: false }
  const field = monitor.expectedCodes ?? CODES_DEFAULT
  const parsed = field === CODES_DEFAULT ? undefined : parseExpectedCodes(field)
  if (parsed !== undefined) return { set: parsed, isField: true }
  return { set: codeSet(presetManners(mannersOf(monitor)).expectedStatuses), isField: false }
}

function codeSet(ranges: readonly StatusRange[]): CodeSet {
  return ranges.map(({ start, end }) => ({ from: start, to: end - 1 }))
}

/** A fragment is the client's own and never sent (RFC 9110 section 7.1); both dialects store paths with one. */
function withoutFragment(path: string): string {
  const end = path.indexOf('#')
  return end < 0 ? path : path.slice(0, end)
}
