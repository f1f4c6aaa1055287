/**
 * Where the leases and the checkpoints of a site are (migration 0040). The site `local` has tables of its own: processes of
 * before sites know these alone, and go on beside newer ones during an upgrade; and a service with one site asks the same
 * statements as before. A prober has one site, so each of these statements has one text per process.
 */
import { LOCAL_SITE } from '../../domain/limits.ts'
import { isSiteName } from '../../domain/site/site-name.ts'

export interface SiteTables {
  /** Rows (id, owner, epoch). */
  readonly shard: string
  /** Whether row `alias` of `shard` is of the site; locks may be taken by the alias. */
  readonly ofSite: (alias: string) => string
  readonly checkpoint: string
  /** Columns of the key of `checkpoint`. */
  readonly checkpointKey: string
  /** The site is a column, the last one of `checkpoint`. */
  readonly isSiteInKey: boolean
  /** The site as a literal. */
  readonly name: string
}

const OF_LOCAL: SiteTables = {
  shard: 'shard',
  ofSite: () => 'true',
  checkpoint: 'shard_checkpoint',
  checkpointKey: 'shard',
  isSiteInKey: false,
  name: literal(LOCAL_SITE),
}

/** Throws Error for a name that no site can have. */
export function tablesOf(site: string): SiteTables {
  if (site === LOCAL_SITE) return OF_LOCAL
  const name = literal(site)
  return {
    shard: 'site_shard',
    ofSite: (alias) => `${alias}.site = ${name}`,
    checkpoint: 'site_checkpoint',
    checkpointKey: 'site, shard',
    isSiteInKey: true,
    name,
  }
}

/** What a site may be called needs no escaping. */
function literal(site: string): string {
  if (!isSiteName(site)) throw new Error(`no site can be called ${JSON.stringify(site)}`)
  return `'${site}'`
}
