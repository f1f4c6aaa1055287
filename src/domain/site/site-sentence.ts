/** Who sees what, in one sentence for people: "OFFLINE from fra and ams, ONLINE from nyc, nothing known from syd". */
import { SITE_SENTENCE_MAX_BYTES } from '../limits.ts'
import type { SiteView } from './quorum.ts'

/** In the order of the sites; with numbers instead of names where it would be longer than a detail may be. */
export function siteSentence(views: readonly SiteView[]): string {
  const named = sentence(views, (sites) => listed(sites))
  // Names of sites are ASCII: a character is a byte.
  return named.length <= SITE_SENTENCE_MAX_BYTES ? named : sentence(views, ({ length }) => `${length} sites`)
}

function sentence(views: readonly SiteView[], say: (sites: readonly string[]) => string): string {
  const groups = [
    ['OFFLINE from', 'OFFLINE'],
    ['ONLINE from', 'ONLINE'],
    ['nothing known from', undefined],
  ] as const
  return groups
    .map(([words, vote]) => ({ words, sites: views.filter((view) => view.vote === vote) }))
    .filter(({ sites }) => sites.length > 0)
    .map(({ words, sites }) => `${words} ${say(sites.map(({ site }) => site))}`)
    .join(', ')
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}
