/** The time that views count from: the clock of this computer. */
import { ticking } from './ticking.ts'

export const now = ticking({
  nowMs: () => Date.now(),
  isVisible: () => document.visibilityState === 'visible',
  onVisibility: (changed) => document.addEventListener('visibilitychange', changed),
})
