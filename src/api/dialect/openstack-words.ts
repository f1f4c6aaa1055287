/** How the load-balancer APIs of OpenStack write times and tags, in every dialect that descends from them. */
import type { Tag } from '../../domain/types.ts'

const DAY_SECONDS = 86_400
const TWO_DIGITS = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'))

/** The last day that was formatted: times in one answer are mostly of a few days, and the date is the slow part. */
let lastDay = { day: Number.NaN, text: '' }

/** `YYYY-MM-DDTHH:MM:SS`, UTC without a zone: the SDKs read no other form. */
export function openstackTime(date: Date): string {
  const seconds = Math.floor(date.getTime() / 1000)
  const day = Math.floor(seconds / DAY_SECONDS)
  if (day !== lastDay.day) lastDay = { day, text: date.toISOString().slice(0, 11) }
  const ofDay = seconds - day * DAY_SECONDS
  const minutes = Math.floor(ofDay / 60)
  const hour = TWO_DIGITS[Math.floor(minutes / 60)]
  return `${lastDay.text}${hour}:${TWO_DIGITS[minutes % 60]}:${TWO_DIGITS[ofDay % 60]}`
}

/** Tags inside an object are strings, as the SDKs decode them; one with a value is `key=value`. */
export function tagWords(tags: readonly Tag[]): string[] {
  if (tags.length === 0) return []
  return tags.map(({ key, value }) => (value === '' ? key : `${key}=${value}`))
}
