/**
 * The verdict on a member that several sites probe: a pure function of what each of them sees.
 *
 * A quorum says how many sites must see the member ONLINE for it to be ONLINE. A site votes when it has a verdict of the
 * check as it is now, and is not stale. The rules:
 *
 * - Votes are counted among the sites that vote; one that is lost or stale has none, and the others decide.
 * - While fewer sites vote than the quorum needs of all its sites, nothing is decided: the member keeps its status.
 * - `majority`: OFFLINE when more than half of the votes say so. With as many for either it is ONLINE: what one of two
 *   places cannot reach is not down.
 * - One more vote for ONLINE never turns ONLINE into OFFLINE, and one more for OFFLINE never the other way round.
 */

/** As `options.quorum` has it. Numbers are of sites, `percent` is of the votes, rounded up. */
export type Quorum = 'majority' | 'any' | 'all' | { readonly at_least: number } | { readonly percent: number }

export const QUORUM_WORDS = ['majority', 'any', 'all'] as const

/** Of a monitor that names none. */
export const QUORUM_DEFAULT: Quorum = 'majority'

export type Vote = 'ONLINE' | 'OFFLINE'

/** What the sites of a monitor see of one member; the order is that of the monitor's sites. */
export interface SiteView {
  readonly site: string
  /** Undefined: it has no vote. */
  readonly vote: Vote | undefined
}

/** What the votes say of a member; undefined = too few sites vote, so that its status stays what it was. */
export function verdictOf(quorum: Quorum, views: readonly SiteView[]): Vote | undefined {
  const votes = count(views, 'ONLINE') + count(views, 'OFFLINE')
  if (votes < votesNeeded(quorum, views.length)) return undefined
  return count(views, 'ONLINE') >= onlineNeeded(quorum, votes) ? 'ONLINE' : 'OFFLINE'
}

/** How many of `sites` must vote so that anything is decided; at least 1. */
export function votesNeeded(quorum: Quorum, sites: number): number {
  if (quorum === 'majority') return Math.floor(sites / 2) + 1
  return Math.max(1, onlineNeeded(quorum, sites))
}

/** How many of these votes must be ONLINE; 1 at least. */
function onlineNeeded(quorum: Quorum, votes: number): number {
  if (quorum === 'majority') return Math.max(1, Math.ceil(votes / 2))
  if (quorum === 'any') return 1
  if (quorum === 'all') return votes
  if ('at_least' in quorum) return quorum.at_least
  return Math.max(1, Math.ceil((votes * quorum.percent) / 100))
}

/** Why a quorum does not fit so many sites; undefined = it does. */
export function quorumMisfit(quorum: Quorum, sites: number): string | undefined {
  if (typeof quorum === 'string' || !('at_least' in quorum) || quorum.at_least <= sites) return undefined
  return `quorum asks for ${quorum.at_least} sites, and there ${sites === 1 ? 'is 1' : `are ${sites}`} in sites`
}

function count(views: readonly SiteView[], vote: Vote): number {
  return views.filter((view) => view.vote === vote).length
}
