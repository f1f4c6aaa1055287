/**
 * Lists of TLS versions and of ALPN protocols, of pools and listeners: an empty one is refused, null is the default.
 */
import { validationFailure } from './schema/wsme.ts'
import { OCTAVIA_TLS_VERSIONS } from './words.ts'

/** Throws INVALID_FIELD. */
export function assertTlsVersions(versions: readonly string[] | null | undefined): void {
  if (versions?.length === 0) {
    throw validationFailure(
      'Empty TLS version list. Either specify at least one TLS version or remove this parameter to use the default.',
    )
  }
  const unknown = versions?.filter((version) => !OCTAVIA_TLS_VERSIONS.includes(version)) ?? []
  if (unknown.length > 0) throw validationFailure(`Invalid TLS versions: ${unknown.join(', ')}`)
}

/** Which names there are, the schema says. Throws INVALID_FIELD. */
export function assertAlpnProtocols(protocols: readonly string[] | null | undefined): void {
  if (protocols?.length === 0) {
    throw validationFailure(
      'Empty ALPN protocol list. Either specify at least one ALPN protocol or remove this parameter to use the default.',
    )
  }
}
