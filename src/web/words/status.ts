/** Statuses and states in words, each with a shape of its own: nobody has to tell colours apart. */

export type Shape = 'good' | 'bad' | 'partly' | 'unknown' | 'waiting' | 'off' | 'none' | 'stale' | 'work'

export interface Mark {
  readonly shape: Shape
  readonly word: string
}

const MARKS: Readonly<Record<string, Mark>> = {
  ONLINE: { shape: 'good', word: 'ONLINE' },
  OFFLINE: { shape: 'bad', word: 'OFFLINE' },
  UNKNOWN: { shape: 'unknown', word: 'UNKNOWN' },
  DISABLED: { shape: 'off', word: 'switched off' },
  NO_MONITOR: { shape: 'none', word: 'no monitor' },
}

/** Of pools and load balancers, whose OFFLINE says that nothing is known or that they are switched off. */
const ROLLED_UP: Readonly<Record<string, Mark>> = {
  ONLINE: { shape: 'good', word: 'ONLINE' },
  DEGRADED: { shape: 'partly', word: 'DEGRADED' },
  ERROR: { shape: 'bad', word: 'ERROR' },
  OFFLINE: { shape: 'off', word: 'OFFLINE' },
}

/** The mark of a word; of one that this page does not know, the word itself. */
function markIn(marks: Readonly<Record<string, Mark>>, word: string): Mark {
  const mark = Object.hasOwn(marks, word) ? marks[word] : undefined
  return mark ?? { shape: 'unknown', word }
}

export const memberMark = (state: string): Mark => markIn(MARKS, state)
export const rolledUpMark = (status: string): Mark => markIn(ROLLED_UP, status)

export const PENDING: Mark = { shape: 'waiting', word: 'pending' }
export const STALE: Mark = { shape: 'stale', word: 'stale' }
export const EXPIRING: Mark = { shape: 'partly', word: 'certificate' }
export const EXPIRED: Mark = { shape: 'bad', word: 'certificate' }
export const MAINTENANCE: Mark = { shape: 'work', word: 'maintenance' }

/** What else is true of a member beside its state. */
export function furtherMarks(member: {
  readonly pending: boolean
  readonly stale: boolean
  readonly maintenance?: readonly { readonly active: boolean }[]
}): readonly Mark[] {
  return [
    ...(member.pending ? [PENDING] : []),
    ...(member.stale ? [STALE] : []),
    ...(member.maintenance?.some(({ active }) => active) === true ? [MAINTENANCE] : []),
  ]
}

/** With a capital at its beginning, as a sentence begins. */
export const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
