/** Rules between the TLS attributes of Octavia's pools (octavia 19.0.0, `_validate_create_pool` and `_validate_pool_PUT`). */
import type { Echo } from '../../../domain/types.ts'
import type { OctaviaPoolEcho } from './schema/pool.ts'
import { validationFailure } from './schema/wsme.ts'
import { assertAlpnProtocols, assertTlsVersions } from './tls-lists.ts'

/** A revocation list needs the authority whose certificates it revokes. Throws INVALID_FIELD. */
export function assertNewPoolTls(wire: OctaviaPoolEcho): void {
  if (wire.crl_container_ref && !wire.ca_tls_container_ref) {
    throw validationFailure('A CA certificate reference is required to specify a revocation list.')
  }
  if (wire.tls_enabled !== true) return
  assertTlsVersions(wire.tls_versions)
  assertAlpnProtocols(wire.alpn_protocols)
}

/** The same of an update: what is not sent is what is stored. Throws INVALID_FIELD. */
export function assertChangedPoolTls(wire: OctaviaPoolEcho, stored: Echo): void {
  const { ca_tls_container_ref: ca, crl_container_ref: crl } = wire
  const hasCrl = Boolean(crl === undefined ? stored['crl_container_ref'] : crl)
  const hadCa = Boolean(stored['ca_tls_container_ref'])
  if (hasCrl && !ca && !(hadCa && ca === undefined)) {
    throw validationFailure(
      hadCa
        ? 'A CA reference cannot be removed when a certificate revocation list is present.'
        : 'A CA reference is required to specify a certificate revocation list.',
    )
  }
  assertTlsVersions(wire.tls_versions)
  assertAlpnProtocols(wire.alpn_protocols)
}
