/** Lists of TLS versions and of ALPN protocols, of pools and listeners: an empty one is a mistake, null is the default. */
import { TLS_VERSIONS } from '../../../domain/pool-question.ts'
import { validationFailure } from './schema/wsme.ts'

/** Octavia takes one more, which no probe speaks. */
const KNOWN_VERSIONS: readonly string[] = ['SSLv3', ...TLS_VERSIONS]

/** Throws INVALID_FIELD. */
export function assertTlsVersions(versions: readonly string[] | null | undefined): void {
  if (versions?.length === 0) {
    throw validationFailure(
      'Empty TLS version list. Either specify at least one TLS version or remove this parameter to use the default.',
    )
  }
  const unknown = versions?.filter((version) => !KNOWN_VERSIONS.includes(version)) ?? []
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
