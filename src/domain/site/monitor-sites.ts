/** The sites of a monitor, from its options. */
import { LOCAL_SITE } from '../limits.ts'

/** The options that say it (options/places.ts). */
interface WithSites {
  readonly sites?: readonly string[]
}

/**
 * Sites whose verdicts are votes; null = `local` alone probes, as without the option. Its own verdict is the member's then.
 */
export function votingSites(options: WithSites | null): readonly string[] | null {
  const sites = options?.sites
  return sites === undefined || (sites.length === 1 && sites[0] === LOCAL_SITE) ? null : sites
}

/** How many sites make the probes of a monitor. */
export function siteCount(options: WithSites | null | undefined): number {
  return options?.sites?.length ?? 1
}
