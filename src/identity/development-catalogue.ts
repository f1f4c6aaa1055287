/**
 * The catalogue of the development identity: every service that clients look for, at our own address.
 *
 * Regions: RegionOne; the project's name up to its first `_`, which clients of OTC use as the region when none is
 * given; and the one in the identity's own address (`/identity/eu-de/v3`), for clients whose OS_REGION_NAME is anything
 * else. What clients look for: docs/peers/octavia.md 29, docs/peers/elb.md 7.
 */
import { idOf } from './development-names.ts'

export interface CatalogueFacts {
  /** Scheme and authority, without a slash at the end. */
  readonly baseUrl: string
  /** From the address of the identity. */
  readonly region: string | undefined
  readonly project: { readonly id: string; readonly name: string } | undefined
  /** Of the dialects. */
  readonly services: readonly CatalogueService[]
}

/** A service by which clients find a dialect. */
export interface CatalogueService {
  readonly type: string
  readonly name: string
  /** Below our address. */
  readonly path: (projectId: string) => string
}

interface Service extends Omit<CatalogueService, 'path'> {
  readonly path: (projectId: string, region: string | undefined) => string
}

const IDENTITY: Service = {
  type: 'identity',
  name: 'keystone',
  path: (_, region) => `${identityPath(region)}/v3`,
}
/** neutronclient appends `/v2.0`. */
const NETWORK: Service = { type: 'network', name: 'neutron', path: () => '' }

const INTERFACES = ['public', 'internal', 'admin'] as const
export const DEFAULT_REGION = 'RegionOne'

/** Path of the identity that names a region in its catalogue. */
export function identityPath(region: string | undefined): string {
  return region === undefined ? '/identity' : `/identity/${region}`
}

/** The `catalog` of a token document. */
export function catalogue(facts: CatalogueFacts): readonly object[] {
  const regions = regionsOf(facts)
  return [IDENTITY, NETWORK, ...facts.services].map(({ type, name, path }) => {
    const url = `${facts.baseUrl}${path(facts.project?.id ?? 'none', facts.region)}`
    return {
      endpoints: regions.flatMap((region) =>
        INTERFACES.map((side) => ({
          id: idOf('endpoint', type, region, side),
          interface: side,
          region_id: region,
          url,
          region,
        })),
      ),
      id: idOf('service', type),
      type,
      name,
    }
  })
}

function regionsOf({ region, project }: CatalogueFacts): readonly string[] {
  const ofProject = project?.name.split('_')[0]
  return [...new Set([DEFAULT_REGION, region ?? '', ofProject ?? ''])].filter((name) => name !== '')
}
