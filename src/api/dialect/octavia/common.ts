/** What Octavia shows of every object: times without a zone, tags as words. */
import type { ConfigurationObject, Tag } from '../../../domain/types.ts'

/** `YYYY-MM-DDTHH:MM:SS`, UTC without a zone: gophercloud reads no other form. */
function octaviaTime(date: Date): string {
  return date.toISOString().slice(0, 19)
}

/** `updated_at` is null until the first change. */
export function octaviaTimes({ createdAt, updatedAt }: ConfigurationObject): Record<string, string | null> {
  return {
    created_at: octaviaTime(createdAt),
    updated_at: updatedAt === null ? null : octaviaTime(updatedAt),
  }
}

/** elb's tags with a value are shown as `key=value`. */
export function octaviaTagWords(tags: readonly Tag[]): string[] {
  return tags.map(({ key, value }) => (value === '' ? key : `${key}=${value}`))
}

/** Octavia's tags are words. */
export function tagsOfWords(words: readonly string[]): Tag[] {
  return words.map((key) => ({ key, value: '' }))
}

/** Tags after a change: absent and null keep what is stored, and so does a list that would show the same words. */
export function tagsAfter(
  sent: readonly string[] | null | undefined,
  stored: readonly Tag[],
): readonly Tag[] {
  if (sent === undefined || sent === null) return stored
  return octaviaTagWords(stored).join('\n') === sent.join('\n') ? stored : tagsOfWords(sent)
}

/** A value after a change: absent keeps what is stored, null is the default. */
export function reset<Value>(sent: Value | null | undefined, stored: Value, byDefault: Value): Value {
  return sent === undefined ? stored : (sent ?? byDefault)
}
