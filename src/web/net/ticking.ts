/** A clock for views: it ticks while somebody looks, and is right at once when somebody looks again. */
import { type Signal, signal } from '@preact/signals'
import type { Visibility } from './visibility.ts'

const EVERY_MS = 1000

/** Milliseconds since 1970, once a second, for as long as the page is open. */
export function ticking({
  nowMs,
  isVisible,
  onVisibility,
}: Visibility & { readonly nowMs: () => number }): Signal<number> {
  const now = signal(nowMs())
  const look = (): void => {
    if (isVisible()) now.value = nowMs()
  }
  setInterval(look, EVERY_MS)
  onVisibility(look)
  return now
}
