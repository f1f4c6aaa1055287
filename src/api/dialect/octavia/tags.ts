/** Tags of Octavia's objects: words without a value. */
import type { Tag } from '../../../domain/types.ts'
import { tagWords } from '../openstack-words.ts'
import { assertListBound } from './list-bounds.ts'

/** The tags of a new object. Throws INVALID_FIELD when they are too many. */
export function newTags(words: readonly string[] | null | undefined): Tag[] {
  assertListBound('tags', words, [])
  return tagsOfWords(words ?? [])
}

/** Octavia's tags are words. */
function tagsOfWords(words: readonly string[]): Tag[] {
  return words.map((key) => ({ key, value: '' }))
}

/** Tags after a change: absent and null keep what is stored, and so does a list that would show the same words. Throws INVALID_FIELD. */
export function tagsAfter(
  sent: readonly string[] | null | undefined,
  stored: readonly Tag[],
): readonly Tag[] {
  if (sent === undefined || sent === null) return stored
  const words = tagWords(stored)
  if (words.join('\n') === sent.join('\n')) return stored
  assertListBound('tags', sent, words)
  return tagsOfWords(sent)
}
