/** A clock for views: it ticks while somebody looks, and is right at once when somebody looks again. */
import { type Signal, signal } from '@preact/signals'

const EVERY_MS = 1000

export interface Watched {
  readonly nowMs: () => number
  readonly isVisible: () => boolean
  readonly onVisibility: (changed: () => void) => void
}

/** Milliseconds since 1970, once a second. */
export function ticking({ nowMs, isVisible, onVisibility }: Watched): Signal<number> {
  const now = signal(nowMs())
  const look = (): void => {
    if (isVisible()) now.value = nowMs()
  }
  setInterval(look, EVERY_MS)
  onVisibility(look)
  return now
}
