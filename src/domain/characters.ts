/** How long a text is. JavaScript counts units of UTF-16; nobody else who counts the same text does. */

/** Length as Neutron, PostgreSQL and JSON Schema count it: a character beyond U+FFFF is one, not two. */
export function charactersOf(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

/** The first `max` characters of a text: never half of one. */
export function cutAfter(text: string, max: number): string {
  if (text.length <= max) return text
  let cut = ''
  let count = 0
  for (const character of text) {
    if (count++ === max) break
    cut += character
  }
  return cut
}

/** Whether a text has more than `max` characters. Of a text that is far too long no character is counted. */
export function hasMoreCharacters(text: string, max: number): boolean {
  if (text.length <= max) return false
  return text.length > 2 * max || charactersOf(text) > max
}
