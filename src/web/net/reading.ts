/**
 * Reads something again and again for as long as it is shown: at once, whenever it is asked to, and some time after each
 * answer. Nothing is read while the page is hidden, never two readings at a time, and at most one each second.
 */
import type { Visibility } from './visibility.ts'

/** Milliseconds from a wish to the reading, so that events of one moment cause one. */
export const SETTLE_MS = 150
/** Milliseconds between two readings, however many events there are. */
export const PAUSE_MS = 1000
const NEVER = Number.POSITIVE_INFINITY

/** What is read, and who gets it. Answers and failures after the end are dropped. */
export interface Source<Answer> {
  readonly read: (signal: AbortSignal) => Promise<Answer>
  /** Gives the milliseconds to the next reading; undefined = there is none. */
  readonly onAnswer: (answer: Answer) => number | undefined
  /** As `onAnswer`. */
  readonly onFailure: (error: unknown) => number | undefined
}

export interface Surroundings extends Visibility {
  /** Milliseconds of a clock that nobody sets. */
  readonly nowMs: () => number
}

export interface Reading {
  /** Asks for a reading. */
  readonly soon: () => void
  /** Ends it, also a reading that is under way. */
  readonly end: () => void
}

export function keepReading<Answer>(
  source: Source<Answer>,
  { nowMs, isVisible, onVisibility }: Surroundings,
): Reading {
  const ending = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  let dueAt = NEVER
  let readAt = -NEVER
  let isReading = false
  let isWanted = false
  const later = (ms: number): void => {
    clearTimeout(timer)
    dueAt = nowMs() + ms
    timer = setTimeout(() => void read(), ms)
  }
  const read = async (): Promise<void> => {
    dueAt = NEVER
    // Whoever looks again wants a reading: that begins anew.
    if (!isVisible()) return
    isReading = true
    isWanted = false
    readAt = nowMs()
    const pauseMs = await pauseAfter(source, ending.signal)
    isReading = false
    if (pauseMs === undefined) end()
    else later(isWanted ? PAUSE_MS : pauseMs)
  }
  const soon = (): void => {
    if (ending.signal.aborted) return
    const ms = Math.max(SETTLE_MS, readAt + PAUSE_MS - nowMs())
    if (isReading) isWanted = true
    // Never later than it is due: in a storm of events each one would put it off.
    else if (nowMs() + ms < dueAt) later(ms)
  }
  const stopWatching = onVisibility(() => {
    if (isVisible()) soon()
  })
  const end = (): void => {
    stopWatching()
    clearTimeout(timer)
    ending.abort()
  }
  void read()
  return { soon, end }
}

/** Reads once. An answer may arrive although its request was ended in the same moment: it is dropped. */
async function pauseAfter<Answer>(
  { read, onAnswer, onFailure }: Source<Answer>,
  signal: AbortSignal,
): Promise<number | undefined> {
  let answer: Answer
  try {
    answer = await read(signal)
  } catch (error) {
    return signal.aborted ? undefined : onFailure(error)
  }
  return signal.aborted ? undefined : onAnswer(answer)
}
