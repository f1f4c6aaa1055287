/** Lists of TLS versions and of ALPN protocols, of pools and listeners: an empty one is a mistake, null is the default. */
import { validationFailure } from '../../schema/wsme.ts'

const TLS_VERSIONS = ['SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']
const ALPN_PROTOCOLS = ['h2', 'http/1.1', 'http/1.0']

/** Throws INVALID_FIELD. */
export function assertTlsVersions(versions: readonly string[] | null | undefined): void {
  if (versions?.length === 0) {
    throw validationFailure(
      'Empty TLS version list. Either specify at least one TLS version or remove this parameter to use the default.',
    )
  }
  const unknown = versions?.filter((version) => !TLS_VERSIONS.includes(version)) ?? []
  if (unknown.length > 0) throw validationFailure(`Invalid TLS versions: ${unknown.join(', ')}`)
}

/** Throws INVALID_FIELD. */
export function assertAlpnProtocols(protocols: readonly string[] | null | undefined): void {
  if (protocols?.length === 0) {
    throw validationFailure(
      'Empty ALPN protocol list. Either specify at least one ALPN protocol or remove this parameter to use the default.',
    )
  }
  const unknown = protocols?.filter((protocol) => !ALPN_PROTOCOLS.includes(protocol)) ?? []
  if (unknown.length > 0) throw validationFailure(`Invalid ALPN protocol: ${unknown.join(', ')}`)
}
