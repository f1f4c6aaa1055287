/**
 * Providers in Octavia's words: the drivers that could carry the traffic. Here they are only names, except the one
 * whose pools are never probed.
 */
import { DomainError } from '../../../domain/errors.ts'
import { NOOP_PROVIDER } from '../../../domain/status/member-status.ts'
import type { ProviderDialect } from '../../resource/providers.ts'
import { octaviaPaths } from './paths.ts'

export const DEFAULT_PROVIDER = 'octavia'

const PROVIDERS: Readonly<Record<string, string>> = {
  [DEFAULT_PROVIDER]: 'Members are probed and statuses are rolled up.',
  amphora: 'Alias of the provider octavia.',
  [NOOP_PROVIDER]: 'Nothing is probed, and no status changes: for tests of clients.',
}

/** Throws INVALID_FIELD for a provider that is not enabled. */
export function assertProviderEnabled(name: string): void {
  if (Object.hasOwn(PROVIDERS, name)) return
  throw new DomainError('INVALID_FIELD', `Provider '${name}' is not enabled.`, { field: 'provider' })
}

export const octaviaProviders: ProviderDialect = {
  paths: octaviaPaths,
  providers: Object.entries(PROVIDERS).map(([name, description]) => ({ name, description })),
  assertEnabled: assertProviderEnabled,
}
