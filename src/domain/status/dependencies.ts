/**
 * What members and pools depend on: ids of members and pools of the same project. A member depends on what it names and
 * on what its pool names. While one of these is OFFLINE, its own results do not count. Pure.
 */
import type { Echo } from '../types.ts'

/** Its name among the attributes that are only stored and returned. */
export const DEPENDS_ON = 'depends_on'

/** The ids that an object names; empty = none. */
export function dependsOn(echo: Echo): readonly string[] {
  const ids = echo[DEPENDS_ON]
  return Array.isArray(ids) ? ids.filter((id): id is string => typeof id === 'string') : []
}

/** The attribute as it is shown: only where it is set. */
export function shownDependsOn(echo: Echo): { readonly depends_on?: readonly string[] } {
  const ids = dependsOn(echo)
  return ids.length === 0 ? {} : { [DEPENDS_ON]: ids }
}

/** The attributes after a change: absent keeps the stored value, an empty list and null remove it. */
export function withDependsOn(echo: Echo, sent: readonly string[] | null | undefined): Echo {
  if (sent === undefined) return echo
  const { [DEPENDS_ON]: _, ...others } = echo
  return sent === null || sent.length === 0 ? others : { ...others, [DEPENDS_ON]: [...new Set(sent)] }
}

/** The status of a parent. `failing`: not OFFLINE yet, but its last probes failed. */
export type ParentState = 'OFFLINE' | 'failing'
