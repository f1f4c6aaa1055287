/** The time that views count from: the clock of this computer. */
import { signal } from '@preact/signals'

const EVERY_MS = 1000

/** Milliseconds since 1970, once a second. */
export const now = signal(Date.now())
setInterval(() => {
  if (document.visibilityState === 'visible') now.value = Date.now()
}, EVERY_MS)
document.addEventListener('visibilitychange', () => {
  now.value = Date.now()
})
