/**
 * The attributes of Octavia's listeners that we keep and give back: limits, timeouts, headers, TLS. Absent in the store
 * is the default, so that what elb stored of the same names (connection_limit, references) is shown too.
 */
import type { Echo, ListenerProtocol } from '../../../domain/types.ts'
import type { OctaviaListenerEcho } from '../../schema/octavia-listener.ts'
import { pythonRepr } from '../../schema/python-text.ts'
import { invalidOption, validationFailure } from '../../schema/wsme.ts'
import { assertListBound } from './list-bounds.ts'

/** In the order of answers; what null resets to. */
const DEFAULTS = {
  connection_limit: -1,
  default_tls_container_ref: null,
  sni_container_refs: [],
  insert_headers: {},
  timeout_client_data: 50_000,
  timeout_member_connect: 5000,
  timeout_member_data: 50_000,
  timeout_tcp_inspect: 0,
  client_ca_tls_container_ref: null,
  client_authentication: 'NONE',
  client_crl_container_ref: null,
  allowed_cidrs: null,
  tls_ciphers: null,
  tls_versions: null,
  alpn_protocols: null,
  hsts_max_age: null,
  hsts_include_subdomains: false,
  hsts_preload: false,
} as const satisfies Required<OctaviaListenerEcho>

const NAMES = Object.keys(DEFAULTS) as readonly (keyof typeof DEFAULTS)[]

/** What was sent over what is stored; null removes. Throws INVALID_FIELD when a list is too long. */
export function listenerEchoAfter(wire: OctaviaListenerEcho, stored: Echo): Echo {
  const echo: Record<string, unknown> = { ...stored }
  for (const name of NAMES) {
    const sent = wire[name]
    assertListBound(name, sent, stored[name])
    // What is sent as the default is stored like what was never sent.
    if (sent === null || sent === DEFAULTS[name]) delete echo[name]
    else if (sent !== undefined) echo[name] = sent
  }
  return echo
}

export function renderListenerEcho(echo: Echo): Record<string, unknown> {
  return Object.fromEntries(NAMES.map((name) => [name, echo[name] ?? DEFAULTS[name]]))
}

const HTTP_HEADERS = ['X-Forwarded-For', 'X-Forwarded-Port', 'X-Forwarded-Proto']
const TLS_HEADERS = [
  'X-SSL-Client-Verify',
  'X-SSL-Client-Has-Cert',
  'X-SSL-Client-DN',
  'X-SSL-Client-CN',
  'X-SSL-Issuer',
  'X-SSL-Client-SHA1',
  'X-SSL-Client-Not-Before',
  'X-SSL-Client-Not-After',
]

/** Rules between attributes; `echo` is what results. Throws INVALID_FIELD. */
export function assertListenerEcho(protocol: ListenerProtocol, wire: OctaviaListenerEcho, echo: Echo): void {
  assertHeaders(protocol, Object.keys(wire.insert_headers ?? {}))
  const has = (name: keyof OctaviaListenerEcho): boolean => {
    const value = echo[name]
    return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== null && value !== ''
  }
  const hasCertificate = has('default_tls_container_ref') || has('sni_container_refs')
  const hasClientCa = has('client_ca_tls_container_ref')
  if (protocol !== 'TERMINATED_HTTPS') {
    if (hasCertificate || hasClientCa) {
      throw validationFailure(
        'Certificate container references are only allowed on TERMINATED_HTTPS protocol listeners.',
      )
    }
    if (has('hsts_max_age')) {
      throw validationFailure('HSTS can be configured only for TERMINATED_HTTPS listeners.')
    }
  } else if (!hasCertificate) {
    throw validationFailure(
      'An SNI or default certificate container reference must be provided for TERMINATED_HTTPS protocol listeners.',
    )
  }
  if (!has('hsts_max_age') && (echo['hsts_include_subdomains'] === true || echo['hsts_preload'] === true)) {
    throw validationFailure('HSTS options hsts_include_subdomains and hsts_preload need hsts_max_age.')
  }
  if (has('client_authentication') && !hasClientCa) {
    const setting = String(echo['client_authentication'])
    throw validationFailure(
      `Client authentication setting ${setting} requires a client CA container reference.`,
    )
  }
  if (has('client_crl_container_ref') && !hasClientCa) {
    throw validationFailure(
      'A client authentication CA reference is required to specify a client authentication revocation list.',
    )
  }
}

function assertHeaders(protocol: ListenerProtocol, names: readonly string[]): void {
  if (names.length === 0) return
  if (protocol !== 'HTTP' && protocol !== 'TERMINATED_HTTPS') {
    throw invalidOption('insert-headers', `a ${protocol} protocol listener.`)
  }
  if (names.some((name) => !HTTP_HEADERS.includes(name) && !TLS_HEADERS.includes(name))) {
    throw invalidOption(pythonRepr(names), 'insert_headers')
  }
  const needTls = names.filter((name) => TLS_HEADERS.includes(name))
  if (protocol === 'HTTP' && needTls.length > 0) {
    throw invalidOption(pythonRepr(needTls), `${protocol} protocol listener.`)
  }
}
