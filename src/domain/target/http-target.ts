/** The request of HTTP and HTTPS probes, from options, plain fields and the preset or profile. */
import { type CodeSet, parseExpectedCodes } from './expected-codes.ts'
import { HOST_ADDRESS, httpHost } from './http-host.ts'
import { codeSet, HTTP } from '../options/http.ts'
import { setBy } from '../options/setting.ts'
import { isSent } from '../options/plain-fields.ts'
import { presetBehaviour } from '../options/presets.ts'
import { presetOf } from '../options/profiles.ts'
import type { HttpRequest, ProbeTarget } from './probe-target.ts'
import type { HealthMonitor } from '../health-monitor.ts'

type HttpMonitor = Pick<
  HealthMonitor,
  'type' | 'profile' | 'domainName' | 'urlPath' | 'httpMethod' | 'httpVersion' | 'expectedCodes'
> &
  Partial<Pick<HealthMonitor, 'options' | 'sentFields' | 'echo'>>
type Endpoint = Pick<ProbeTarget, 'address' | 'port'>

/** What makes the requests of a monitor's probes: they differ in the host only. `isSecure`: TLS is spoken. */
export function httpRequest(
  monitor: HttpMonitor,
  isSecure = monitor.type === 'HTTPS',
): (endpoint: Endpoint) => HttpRequest {
  const http = monitor.options?.http ?? {}
  const version = versionOf(monitor)
  const searchedBodyBytes = searchedBytesOf(monitor)
  const request = {
    method: http.method ?? monitor.httpMethod ?? 'GET',
    path: sentPath(http.path ?? monitor.urlPath ?? '/'),
    version,
    expectedCodes: expectedCodesOf(monitor).set,
    ...(searchedBodyBytes === undefined ? {} : { searchedBodyBytes }),
    ...setBy(HTTP, http, { type: monitor.type, preset: presetOf(monitor) }),
  }
  const isHostless = http.host === undefined && version === '1.0' && !namesHost(monitor)
  return (endpoint) =>
    isHostless ? request : { ...request, host: http.host ?? hostOf(monitor, endpoint, isSecure) }
}

/** The same request in HTTP/2, which always names a host. */
export function http2Request(monitor: HttpMonitor, request: HttpRequest, endpoint: Endpoint): HttpRequest {
  return { ...request, version: '2', host: request.host ?? hostOf(monitor, endpoint, true) }
}

/** Bytes of a body that are searched; undefined = as many as a probe reads, or there is nothing to be searched for. */
function searchedBytesOf({ profile, options }: HttpMonitor): number | undefined {
  const { searched_body_bytes: given } = options?.http ?? {}
  if (given !== undefined) return given === 0 ? undefined : given
  if (!searchesBody(options?.http)) return undefined
  return presetBehaviour(presetOf({ profile, options: options ?? null })).searchedBodyBytes
}

/** Whether anything is looked for in bodies. */
export function searchesBody(http: NonNullable<HttpMonitor['options']>['http']): boolean {
  return (http?.expected_body ?? []).length > 0 || http?.expected_body_regex !== undefined
}

/** The version that probes speak. */
export function versionOf({ profile, httpVersion, options }: HttpMonitor): HttpRequest['version'] {
  const version = options?.http?.version ?? httpVersion
  if (version === 'h2' || version === 'h2c') return '2'
  const behaviour = presetBehaviour(presetOf({ profile, options: options ?? null }))
  // A value from another dialect, in a field that this dialect does not have, is ignored.
  const saysNothing = options?.http?.version === undefined && options?.preset === undefined
  return (saysNothing && behaviour.ignoresVersionField === true ? null : version) ?? behaviour.httpVersion
}

/** Whether a request of HTTP/1.0 names a host. */
function namesHost({ profile, options, domainName }: HttpMonitor): boolean {
  const { namesHost: names } = presetBehaviour(presetOf({ profile, options: options ?? null }))
  return names === 'always' || (names === 'by_domain_name' && (domainName ?? '') !== '')
}

/**
 * The host of a monitor without a domain name, where its preset says so: the address of its load balancer, if it
 * had been given one when the monitor was made (ELB API reference: `domain_name`, blank by default, is then the load
 * balancer's private address). Undefined: the member's. Monitors of before, and those with a preset, name the member.
 */
export function hostAddressOf({ profile, options, echo, domainName }: HttpMonitor): string | undefined {
  const stored = echo?.[HOST_ADDRESS]
  const behaviour = presetBehaviour(presetOf({ profile, options: options ?? null }))
  return behaviour.hostIsLoadBalancer === true && (domainName ?? '') === '' && typeof stored === 'string'
    ? stored
    : undefined
}

/** The host that a probe names. HAProxy's `hdr Host` names the address without a port when the monitor names no domain. */
export function hostOf(
  monitor: HttpMonitor,
  { address, port }: Endpoint,
  isSecure = monitor.type === 'HTTPS',
): string {
  const defaultPort = isSecure ? 443 : 80
  const behaviour = presetBehaviour(presetOf({ profile: monitor.profile, options: monitor.options ?? null }))
  const isPortless = behaviour.hostWithoutPort === true && monitor.options?.grpc === undefined
  const hostAddress = hostAddressOf(monitor)
  return httpHost({
    domainName: monitor.domainName,
    address: hostAddress ?? address,
    // The port belongs to the member: with another address it would mean nothing.
    port: isPortless || hostAddress !== undefined ? defaultPort : port,
    defaultPort,
  })
}

/** The statuses that pass, and whether the plain field names them. */
export function expectedCodesOf(monitor: HttpMonitor): {
  readonly set: CodeSet
  readonly isField: boolean
} {
  const { expected_statuses: given = [] } = monitor.options?.http ?? {}
  if (given.length > 0) return { set: codeSet(given), isField: false }
  const field = isSent(monitor, 'expectedCodes') ? monitor.expectedCodes : null
  const parsed = field === null ? undefined : parseExpectedCodes(field)
  if (parsed !== undefined) return { set: parsed, isField: true }
  return { set: codeSet(presetBehaviour(presetOf(monitor)).expectedStatuses), isField: false }
}

/**
 * The path as it is sent. A fragment is the client's own and never sent (RFC 9110 section 7.1); both dialects store
 * paths with one. Characters other than visible ASCII are sent as the percent-encoded bytes of their UTF-8
 * (RFC 3987 section 3.1); a `%` stays as it is.
 */
export function sentPath(path: string): string {
  const end = path.indexOf('#')
  return (end < 0 ? path : path.slice(0, end)).replace(/[^!-~]+/g, percentEncoded)
}

function percentEncoded(text: string): string {
  const bytes = [...new TextEncoder().encode(text)]
  return bytes.map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
}
