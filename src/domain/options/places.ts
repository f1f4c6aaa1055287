/** Options that say from where a monitor probes, and how many of these sites make a member ONLINE. */
import { LOCAL_SITE, SITE_NAME_MAX, SITES_PER_MONITOR_MAX } from '../limits.ts'
import { QUORUM_DEFAULT, QUORUM_WORDS, quorumMisfit } from '../site/quorum.ts'
import { SITE_NAME } from '../site/site-name.ts'
import { rowsOf } from './option.ts'

const { list, either } = rowsOf()

export const PLACES = {
  sites: list({
    max: SITES_PER_MONITOR_MAX,
    item: { kind: 'text', min: 1, max: SITE_NAME_MAX, pattern: SITE_NAME },
    description:
      'The sites that probe each member; what they see becomes one status by quorum. Each makes all the probes. A change of it begins anew, as another type does.',
    otherwise: [LOCAL_SITE],
    misfit: sitesMisfit,
  }),
  quorum: either<(typeof QUORUM_WORDS)[number], 'at_least' | 'percent'>({
    words: QUORUM_WORDS,
    numbers: {
      at_least: { range: { min: 1, max: SITES_PER_MONITOR_MAX }, unit: 'sites' },
      percent: { range: { min: 1, max: 100 }, unit: 'per cent' },
    },
    description:
      'How many of the sites must see a member ONLINE for it to be ONLINE; majority: it is OFFLINE when more than half of them see it OFFLINE. Sites that know nothing do not count, and while fewer know something than the quorum needs, nothing changes. It is replaced as a whole.',
    otherwise: QUORUM_DEFAULT,
    misfit: (quorum, { options }) => quorumMisfit(quorum, options.sites?.length ?? 1),
  }),
}

function sitesMisfit(sites: readonly string[]): string | undefined {
  if (sites.length === 0) return 'it names no site'
  return new Set(sites).size === sites.length ? undefined : 'it names a site twice'
}
