/** What Octavia shows of every object: times without a zone, tags as words. */
import type { Tag } from '../../../domain/types.ts'
import { assertListBound } from './list-bounds.ts'

const DAY_SECONDS = 86_400
const TWO_DIGITS = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'))

/** The day that was written last: times in one answer are mostly of few days, and writing one takes longest. */
let lastDay = { day: Number.NaN, text: '' }

/** `YYYY-MM-DDTHH:MM:SS`, UTC without a zone: gophercloud reads no other form. */
export function octaviaTime(date: Date): string {
  const seconds = Math.floor(date.getTime() / 1000)
  const day = Math.floor(seconds / DAY_SECONDS)
  if (day !== lastDay.day) lastDay = { day, text: date.toISOString().slice(0, 11) }
  const ofDay = seconds - day * DAY_SECONDS
  const minutes = Math.floor(ofDay / 60)
  const hour = TWO_DIGITS[Math.floor(minutes / 60)]
  return `${lastDay.text}${hour}:${TWO_DIGITS[minutes % 60]}:${TWO_DIGITS[ofDay % 60]}`
}

/** elb's tags with a value are shown as `key=value`. */
export function octaviaTagWords(tags: readonly Tag[]): string[] {
  if (tags.length === 0) return []
  return tags.map(({ key, value }) => (value === '' ? key : `${key}=${value}`))
}

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
  const words = octaviaTagWords(stored)
  if (words.join('\n') === sent.join('\n')) return stored
  assertListBound('tags', sent, words)
  return tagsOfWords(sent)
}

/** A value after a change: absent keeps what is stored, null is the default. */
export function reset<Value>(sent: Value | null | undefined, stored: Value, byDefault: Value): Value {
  return sent === undefined ? stored : (sent ?? byDefault)
}
