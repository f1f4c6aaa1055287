/** The time that views count from: the clock of this computer. */
import { ticking } from './ticking.ts'
import { pageVisibility } from './page-visibility.ts'

export const now = ticking({ nowMs: () => Date.now(), ...pageVisibility })
