/**
 * Rules between the attributes of Octavia's listeners (octavia 19.0.0, `_validate_create_listener`,
 * `_validate_listener_PUT` and `check_hsts_options`). An update is checked only for what it sends: removing a
 * certificate or an authority is allowed, and attributes that needed it stay.
 */
import type { Echo, ListenerProtocol } from '../../../domain/types.ts'
import type { OctaviaListenerEcho } from './schema/listener.ts'
import { pythonRepr } from './schema/python-text.ts'
import { invalidOption, validationFailure } from './schema/wsme.ts'
import { assertAlpnProtocols, assertTlsVersions } from './tls-lists.ts'

/** Throws INVALID_FIELD. */
export function assertNewListener(protocol: ListenerProtocol, wire: OctaviaListenerEcho): void {
  const hasCertificate = namesCertificate(wire)
  const endsTls = protocol === 'TERMINATED_HTTPS' || (protocol === 'PROMETHEUS' && hasCertificate)
  assertHeaders(protocol, wire)
  if ((protocol === 'UDP' || protocol === 'SCTP') && (hasCertificate || wire.client_ca_tls_container_ref)) {
    throw validationFailure(`${protocol} protocol listener does not support TLS.`)
  }
  assertCertificateFits(protocol, endsTls, wire)
  if (wire.client_ca_tls_container_ref && !hasCertificate) {
    throw validationFailure(
      'An SNI or default certificate container reference must be provided with a client CA container reference.',
    )
  }
  if (protocol === 'TERMINATED_HTTPS' && !hasCertificate) {
    throw validationFailure(
      `An SNI or default certificate container reference must be provided for ${protocol} protocol listeners.`,
    )
  }
  assertClientAuthority(wire, {})
  if (endsTls) {
    assertTlsVersions(wire.tls_versions)
    assertAlpnProtocols(wire.alpn_protocols)
  }
  const refinesHsts = wire.hsts_include_subdomains === true || wire.hsts_preload === true
  if (refinesHsts && typeof wire.hsts_max_age !== 'number') {
    throw validationFailure(
      'HSTS configuration options hsts_include_subdomains and hsts_preload only make sense if hsts_max_age is set as well.',
    )
  }
  assertHstsFits(protocol, wire)
}

/** Throws INVALID_FIELD. */
export function assertChangedListener(
  protocol: ListenerProtocol,
  wire: OctaviaListenerEcho,
  stored: Echo,
): void {
  const hasCertificate = namesCertificate(wire)
  const isTlsOrHeaders =
    hasCertificate || wire.client_ca_tls_container_ref || namesOf(wire.insert_headers).length > 0
  if ((protocol === 'UDP' || protocol === 'SCTP') && isTlsOrHeaders) {
    throw validationFailure(`${protocol} protocol listener does not support TLS or header insertion.`)
  }
  const endsTls = protocol === 'TERMINATED_HTTPS' || (protocol === 'PROMETHEUS' && hasCertificate)
  assertCertificateFits(protocol, endsTls, wire)
  assertClientAuthority(wire, stored)
  assertHeaders(protocol, wire)
  assertTlsVersions(wire.tls_versions)
  assertAlpnProtocols(wire.alpn_protocols)
  const refinesHsts = wire.hsts_include_subdomains === true || wire.hsts_preload === true
  const hasHsts = typeof wire.hsts_max_age === 'number' || typeof stored['hsts_max_age'] === 'number'
  if (refinesHsts && !hasHsts) {
    throw validationFailure(
      'Cannot enable hsts_include_subdomains or hsts_preload if hsts_max_age was not set as well.',
    )
  }
  assertHstsFits(protocol, wire)
}

function namesCertificate(wire: OctaviaListenerEcho): boolean {
  return Boolean(wire.default_tls_container_ref) || (wire.sni_container_refs ?? []).length > 0
}

function assertCertificateFits(
  protocol: ListenerProtocol,
  endsTls: boolean,
  wire: OctaviaListenerEcho,
): void {
  if (endsTls || !(namesCertificate(wire) || wire.client_ca_tls_container_ref)) return
  throw validationFailure(
    `Certificate container references are not allowed on ${protocol} protocol listeners.`,
  )
}

/** Client certificates and a revocation list need the authority that issued them. */
function assertClientAuthority(wire: OctaviaListenerEcho, stored: Echo): void {
  const hasAuthority = Boolean(wire.client_ca_tls_container_ref || stored['client_ca_tls_container_ref'])
  if (hasAuthority) return
  const mode = wire.client_authentication ?? 'NONE'
  if (mode !== 'NONE') {
    throw validationFailure(`Client authentication setting ${mode} requires a client CA container reference.`)
  }
  if (wire.client_crl_container_ref || stored['client_crl_container_ref']) {
    throw validationFailure(
      'A client authentication CA reference is required to specify a client authentication revocation list.',
    )
  }
}

function assertHstsFits(protocol: ListenerProtocol, wire: OctaviaListenerEcho): void {
  if (typeof wire.hsts_max_age !== 'number' || protocol === 'TERMINATED_HTTPS') return
  throw validationFailure(
    'The HSTS feature can only be used for listeners using the TERMINATED_HTTPS protocol.',
  )
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

function namesOf(headers: OctaviaListenerEcho['insert_headers']): readonly string[] {
  return Object.keys(headers ?? {})
}

function assertHeaders(protocol: ListenerProtocol, wire: OctaviaListenerEcho): void {
  const names = namesOf(wire.insert_headers)
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
