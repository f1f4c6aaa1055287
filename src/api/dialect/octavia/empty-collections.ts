/**
 * Collections of Octavia that this service does not have. A create is answered as Octavia answers where a provider
 * cannot do it: 501 and `Provider '…' does not support a requested action` (octavia 19.0.0,
 * `ProviderNotImplementedError`), which clients print and do not repeat.
 */
import type { EmptyKind } from '../../resource/empty-collections.ts'
import { octaviaPaths } from './paths.ts'
import { DEFAULT_PROVIDER } from './providers.ts'

function unsupported(what: string): string {
  return `Provider '${DEFAULT_PROVIDER}' does not support a requested action: this service routes no traffic, so there are no ${what}.`
}

function kind(path: string, list: string, resource: string, what: string): EmptyKind {
  return {
    paths: octaviaPaths(`/${path}`),
    list,
    links: `${list}_links`,
    resource,
    refusal: unsupported(what),
  }
}

export const octaviaEmptyKinds: readonly EmptyKind[] = [
  kind('flavors', 'flavors', 'flavor', 'flavors'),
  {
    ...kind('flavorprofiles', 'flavorprofiles', 'flavor_profile', 'flavor profiles'),
    links: 'flavorprofile_links',
  },
  kind('availabilityzones', 'availability_zones', 'availability_zone', 'availability zones'),
  {
    ...kind(
      'availabilityzoneprofiles',
      'availability_zone_profiles',
      'availability_zone_profile',
      'availability zone profiles',
    ),
    links: 'availability_zone_profile_links',
  },
  { ...kind('l7policies', 'l7policies', 'l7policy', 'L7 policies'), below: ['/rules'] },
  // Of Octavia's own virtual machines; nobody creates one by its API. No `lbaas` in this path.
  {
    paths: ['/v2.0/octavia/amphorae', '/v2/octavia/amphorae'],
    list: 'amphorae',
    links: 'amphorae_links',
    resource: 'amphora',
    below: ['/stats'],
  },
]
