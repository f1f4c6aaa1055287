/** Selectors over tags, and how specific they are (docs/peers/kuma.md 20). */
import type { Tags } from './objects.ts'

/** How specific a match is: the number of tags first, then the number of exact values. */
export interface Rank {
  readonly tags: number
  readonly exact: number
}

/** Whether each tag of the selector is there with its value; `*` takes every value, but the tag must be there. */
export function selects(selector: Tags, tags: Tags): boolean {
  for (const [key, value] of Object.entries(selector)) {
    if (!Object.hasOwn(tags, key)) return false
    if (value !== '*' && tags[key] !== value) return false
  }
  return true
}

/** Whether each of these labels is there with its value. */
export function hasLabels(labels: Tags, wanted: Tags): boolean {
  return Object.entries(wanted).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value)
}

export function rankOf(selector: Tags): Rank {
  const values = Object.values(selector)
  return { tags: values.length, exact: values.filter((value) => value !== '*').length }
}

/** Positive when the first is the more specific one. */
export function compareRanks(a: Rank, b: Rank): number {
  return a.tags - b.tags || a.exact - b.exact
}

/** The best rank of the selectors that match one of these sets of tags; undefined when none does. */
export function bestRank(selectors: readonly Tags[], tagSets: readonly Tags[]): Rank | undefined {
  let best: Rank | undefined
  for (const selector of selectors) {
    if (!tagSets.some((tags) => selects(selector, tags))) continue
    const rank = rankOf(selector)
    if (best === undefined || compareRanks(rank, best) > 0) best = rank
  }
  return best
}
