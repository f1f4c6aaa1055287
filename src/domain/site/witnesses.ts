/**
 * Whether a site at which most members fail is itself the suspect: a pure function of what the other sites see of them.
 * More than half of the sites that vote on them must see most of them ONLINE, without a mass failure of their own. So of
 * two sites the one that fails alone is the suspect; of three, two that fail together are not.
 */

/** What one other site sees of the members that fail. Numbers are of members. */
export interface Witness {
  readonly site: string
  readonly online: number
  readonly offline: number
  /** Most targets fail at one of its probers too: its votes may be about to change. */
  readonly isMassFailing: boolean
}

/** False when no other site votes on them. */
export function isSuspect(witnesses: readonly Witness[]): boolean {
  const contradicting = witnesses.filter(
    ({ online, offline, isMassFailing }) => !isMassFailing && online > offline,
  )
  return contradicting.length * 2 > witnesses.length
}
